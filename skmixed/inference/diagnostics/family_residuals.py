"""Residuals of generalised models."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from skmixed.families.zero_inflation import ZeroInflated
from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.prediction.response_law import averaged_mean

__all__ = ["FAMILY_KINDS"]

FloatArray = NDArray[np.float64]


def _response(rows: FamilyRows) -> FloatArray:
    """Return the response minus its mean at the modes."""
    return rows.response - rows.mean


def _marginal(rows: FamilyRows) -> FloatArray:
    """Return the response minus its mean over new groups."""
    source, family = rows.source, rows.fit.family
    return rows.response - averaged_mean(family, source.fixed, rows.effect_variance, rows.extra)


def _pearson(rows: FamilyRows) -> FloatArray:
    """Return the residuals over the standard deviations of the responses."""
    return rows.pearson(rows.response, rows.eta)


def _deviance(rows: FamilyRows) -> FloatArray:
    """Return the signed root of what each row adds to the deviance."""
    mean = rows.mean
    unit = rows.fit.family.deviance(rows.response, mean, rows.extra)
    return np.sign(rows.response - mean) * np.sqrt(np.maximum(rows.weights * unit, 0.0))


def _working(rows: FamilyRows) -> FloatArray:
    """Return the residuals on the scale of the link, to first order."""
    family = rows.fit.family
    at = family.link.derivatives(rows.eta)
    counted = rows.mean / at.value if isinstance(family, ZeroInflated) else 1.0
    return _response(rows) / (at.first * counted)


def _standardised(rows: FamilyRows) -> FloatArray:
    """Return Pearson residuals over the root of what their leverage leaves."""
    left = 1.0 - rows.leverage
    return _pearson(rows) / np.sqrt(np.where(left > 0.0, left, np.nan))


FAMILY_KINDS: Mapping[str, Callable[[FamilyRows], FloatArray]] = {
    "response": _response,
    "conditional": _response,
    "marginal": _marginal,
    "pearson": _pearson,
    "deviance": _deviance,
    "working": _working,
    "standardised": _standardised,
}
"""Kinds of residuals by name."""
