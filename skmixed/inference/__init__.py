"""Finished fits to tests, intervals and degrees of freedom."""

from __future__ import annotations

from skmixed.inference.intervals import confint
from skmixed.inference.profile_likelihood import ProfileLikelihood, profile
from skmixed.inference.profile_curve import ProfileCurve

__all__ = ["ProfileCurve", "ProfileLikelihood", "confint", "profile"]
