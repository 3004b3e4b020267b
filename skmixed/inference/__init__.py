"""Finished fits to tests, intervals and degrees of freedom."""

from __future__ import annotations

from skmixed.inference.confint import confint
from skmixed.inference.profile import ProfileLikelihood, profile
from skmixed.inference.profile_curve import ProfileCurve

__all__ = ["ProfileCurve", "ProfileLikelihood", "confint", "profile"]
