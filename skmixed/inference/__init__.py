"""Finished fits to tests, intervals and degrees of freedom."""

from __future__ import annotations

from skmixed.inference.intervals import confint
from skmixed.inference.profile_curve import ProfileCurve
from skmixed.inference.profile_likelihood import ProfileLikelihood, profile

__all__ = ["ProfileCurve", "ProfileLikelihood", "confint", "profile"]
