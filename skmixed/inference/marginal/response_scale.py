"""Marginal means and their comparisons on the scale of the response."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmixed.families.base import Link
from skmixed.families.links import Identity
from skmixed.inference.coefficients.wald import TTests

__all__ = ["IDENTITY", "RATIOS", "as_ratios", "check_scale", "on_response"]

FloatArray = NDArray[np.float64]

IDENTITY = Identity()
SCALES = ("link", "response")
# Links whose differences are logarithms of ratios: of means, and of odds.
RATIOS = ("log", "logit")


def check_scale(scale: str) -> str:
    """Return the name of a scale; raise ValueError if there is none."""
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {list(SCALES)}, got {scale!r}.")
    return scale


def on_response(link: Link, tests: TTests, limits: FloatArray) -> tuple[TTests, FloatArray]:
    """Transform estimates of a linear predictor and their limits; tests stay what they are.

    Parameters
    ----------
    limits : ndarray of shape (n, 2)
    """
    at = link.derivatives(tests.estimates)
    errors = np.abs(at.first) * tests.standard_errors
    moved = replace(tests, estimates=link.mean(tests.estimates), standard_errors=errors)
    return moved, np.sort(link.mean(limits), axis=1)


def as_ratios(tests: TTests, limits: FloatArray) -> tuple[TTests, FloatArray]:
    """Turn differences of logarithms into ratios; tests stay what they are.

    Parameters
    ----------
    limits : ndarray of shape (n, 2)
    """
    ratios = np.exp(tests.estimates)
    errors = ratios * tests.standard_errors
    return replace(tests, estimates=ratios, standard_errors=errors), np.exp(limits)
