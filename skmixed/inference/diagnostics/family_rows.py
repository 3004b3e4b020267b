"""The fitted rows of a generalised model: responses, and what the family says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.inputs import fit_of, rows_of, with_rows
from skmixed.inference.replication.effect_source import effect_source

__all__ = ["FAMILY_KINDS", "FamilyRows", "family_rows"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FamilyRows:
    """Hold the responses of rows, with the random effects at their modes.

    Attributes
    ----------
    fit : GLMMFit
    response, mean, variance : ndarray of shape (n,)
        The variance is that of the response: of a share, over its trials.
    extra : tuple of ndarray of shape (n,)
        Further predictors of the family.
    trials : ndarray of shape (n,) or None
    index : Index
        Of the data.
    """

    fit: GLMMFit
    response: FloatArray
    mean: FloatArray
    variance: FloatArray
    extra: tuple[FloatArray, ...]
    trials: FloatArray | None
    index: pd.Index

    @property
    def conditional(self) -> FloatArray:
        """Return the responses less their means."""
        return self.response - self.mean

    @property
    def pearson(self) -> FloatArray:
        """Return them over the standard deviations of the responses."""
        return np.asarray(self.conditional / np.sqrt(self.variance))

    @property
    def deviance(self) -> FloatArray:
        """Return signed roots of the deviances of the rows."""
        deviance = self.fit.family.deviance(self.response, self.mean, self.extra)
        if self.trials is not None:
            deviance = deviance * self.trials
        return np.asarray(np.sign(self.conditional) * np.sqrt(np.maximum(deviance, 0.0)))


FAMILY_KINDS = {
    "response": lambda rows: rows.conditional,
    "conditional": lambda rows: rows.conditional,
    "pearson": lambda rows: rows.pearson,
    "deviance": lambda rows: rows.deviance,
}
"""Kinds of residuals of a generalised model."""


def family_rows(fitted: Any, X: Any = None, y: Any = None, **arguments: Any) -> FamilyRows:
    """Return the rows that a generalised model was fitted to.

    Parameters
    ----------
    fitted : MixedGLMResults or fitted estimator
    X, y, **arguments
        What an estimator was fitted to; results of ``mixedglm`` keep their rows.

    Raises
    ------
    TypeError
        If there are no rows.
    """
    if X is not None:
        fitted = with_rows(fitted, X, y, **arguments)
    fit, kept = fit_of(fitted), rows_of(fitted)
    assert isinstance(fit, GLMMFit)
    model: GLMMModel = kept.model
    n = model.design.n_rows
    source = effect_source(fit, model.design)
    eta = source.at(source.modes)[0]
    extra = tuple(
        one.of_rows(own.fixed, n) for one, own in zip(fit.extra, model.extra, strict=True)
    )
    trials = model.design.weights.values if model.trials else None
    variance = fit.family.variance(eta, extra)
    index = getattr(kept.data, "index", None)
    return FamilyRows(
        fit,
        model.design.response,
        fit.family.mean(eta, extra),
        variance if trials is None else variance / trials,
        extra,
        trials,
        index if isinstance(index, pd.Index) and len(index) == n else pd.RangeIndex(n),
    )
