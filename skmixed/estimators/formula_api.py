"""Formula and data frame to results, as in statsmodels.formula.api."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.estimators.columns import taken
from skmixed.estimators.formula_arguments import (
    incomplete_rows,
    values_or_column,
    with_groups,
)
from skmixed.estimators.formula_input import check_data
from skmixed.estimators.mixed_lm import MixedLM
from skmixed.formula import parse_formula, rows_with_missing
from skmixed.formula.columns import column_names
from skmixed.formula.values import unmasked
from skmixed.results.lmm_results import MixedLMResults

__all__ = ["mixedlm"]


def mixedlm(
    formula: str,
    data: Any,
    *,
    groups: Any = None,
    re_formula: str | None = None,
    method: str = "reml",
    weights: Any = None,
    weight_type: str = "precision",
    weight_scaling: str = "size",
    group_weights: Any = None,
    missing: str = "raise",
    environment: Mapping[str, Any] | None = None,
    tol: float = 1e-8,
    max_iter: int = 100,
    solver: str = "auto",
    verbose: int = 0,
) -> MixedLMResults:
    """Fit a linear mixed model to a data frame.

    Parameters
    ----------
    formula : str
        lme4's language, ``"y ~ x + (1 + x | g)"``; or fixed effects alone, with ``groups``.
    data : DataFrame or mapping of columns
    groups : str or array-like of shape (n,), optional
        statsmodels' way to name the column of labels, or to give them.
    re_formula : str, optional
        The effects that vary between ``groups``, ``"~x"``; an intercept by default.
    method : {"reml", "ml"}, default="reml"
    weights : str or array-like of shape (n,), optional
        Column of weights, or the weights.
    weight_type : {"precision", "frequency", "sampling"}, default="precision"
        Var(e) = sigma^2 / weight, the number of times a row counts, or the inverse probability of
        a row in its group being sampled (needs ``method="ml"``).
    weight_scaling : {"size", "effective", "none"}, default="size"
        Of inverse probabilities within groups, as for ``MixedLM``.
    group_weights : str, array-like of shape (n,) or mapping of labels, optional
        How many times each group's log-likelihood counts: a column, values, or a value for each
        label.
    missing : {"raise", "drop"}, default="raise"
        Whether a missing value is an error, or its row is left out of the fit.
    environment : mapping, optional
        Functions and constants that the formula may use; by default all those of the caller, which
        makes the formula code of the caller's. Pass ``{}`` for a formula that somebody else wrote.
    tol : float, default=1e-8
        Distance from the optimum at which to stop, in standard errors of the variance parameters.
    max_iter : int, default=100
        Largest number of evaluations of the likelihood.
    solver : {"auto", "direct", "iterative"}, default="auto"
        As for ``MixedLM``: several large factors can be fitted iteratively.
    verbose : int, default=0
        1 shows a line for each evaluation of the likelihood.

    Returns
    -------
    MixedLMResults

    Raises
    ------
    ValueError
        If the formula or the data cannot be used.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> results.params.round(3).to_dict()
    {'Intercept': 251.405, 'Days': 10.467}
    >>> same = mixedlm("Reaction ~ Days", load_sleepstudy(), groups="Subject", re_formula="~Days")
    >>> bool(abs(same.llf - results.llf) < 1e-9)
    True
    """
    if environment is None:
        caller = sys._getframe(1)
        environment = ChainMap(caller.f_locals, caller.f_globals)
    check_data(data)
    if missing not in ("raise", "drop"):
        raise ValueError(f"missing must be 'raise' or 'drop', got {missing!r}.")
    text, data = with_groups(formula, data, groups, re_formula)
    parsed = parse_formula(text)
    weights = values_or_column(data, weights, "weights")
    group_weights = values_or_column(data, group_weights, "group_weights")
    estimator = MixedLM(
        formula=text,
        method=method,
        weight_type=weight_type,
        weight_scaling=weight_scaling,
        tol=tol,
        max_iter=max_iter,
        solver=solver,
        verbose=verbose,
    )
    rows, n_dropped, all_weights = data, 0, weights
    if missing == "drop":
        incomplete = incomplete_rows(parsed, data, environment, weights)
        n_dropped = int(incomplete.sum())
        if n_dropped:
            rows = take_rows(data, ~incomplete)
            weights = _some_rows(weights, ~incomplete)
            group_weights = _some_rows(group_weights, ~incomplete)
    model = estimator.formula_model(
        parsed,
        rows,
        environment=environment,
        sample_weight=weights,
        group_weight=group_weights,
    )
    predictor = FormulaPredictor(estimator.fit_model(model), skip_missing=missing == "drop")
    return MixedLMResults(
        estimator.lmm_fit_,
        model=model,
        recipe=estimator.recipe,
        data=rows,
        response_name=parsed.response or "y",
        formula=text,
        predictor=predictor,
        quantile_predictor=predictor.predict_quantiles,
        n_dropped=n_dropped,
        response=partial(predictor.observe, data),
        fitted=partial(predictor.fitted, data),
        weights=all_weights,
    )


@dataclass(frozen=True)
class FormulaPredictor:
    """Predict rows of a data frame; rows that miss a predictor give NaN if that is allowed."""

    model: MixedLM
    skip_missing: bool

    def __call__(self, data: Any, **switches: Any) -> Any:
        """Return what ``MixedLM.predict`` returns, in full length."""
        predicted, complete = self._of_complete_rows(self.model.predict, data, switches)
        if complete.all():
            return predicted
        if isinstance(predicted, tuple):
            return tuple(_spread(part, complete) for part in predicted)
        return _spread(predicted, complete)

    def predict_quantiles(self, data: Any, **switches: Any) -> NDArray[np.float64]:
        """Return what ``MixedLM.predict_quantiles`` returns, in full length."""
        values, complete = self._of_complete_rows(self.model.predict_quantiles, data, switches)
        return values if complete.all() else _among_missing(values, complete)

    def _of_complete_rows(
        self, predict: Callable[..., Any], data: Any, switches: Mapping[str, Any]
    ) -> tuple[Any, NDArray[np.bool_]]:
        """Predict the rows that miss no predictor, and tell which they are."""
        if not self.skip_missing:
            return predict(data, **switches), np.ones(1, dtype=bool)
        there = column_names(data)
        columns = [name for name in self.model.predictor_columns if name in there]
        complete = ~rows_with_missing(data, columns)
        rows = data if complete.all() else take_rows(data, complete)
        return predict(rows, **switches), complete

    def fitted(self, data: Any) -> Any:
        """Return the conditional means of the training rows, with the index of the data."""
        return _indexed(self(data, include_random_effects=True), data, "fittedvalues")

    def observe(self, data: Any) -> Any:
        """Return the response in the data, with its index."""
        return _indexed(self.model.observed_response(data), data, "resid")


def _some_rows(weights: Any, keep: NDArray[np.bool_]) -> Any:
    """Return the weights of some rows; those by label, or none, stay as they are."""
    return weights if weights is None or isinstance(weights, Mapping) else np.asarray(weights)[keep]


def take_rows(data: Any, keep: NDArray[np.bool_]) -> Any:
    """Return some rows of a data frame or of a mapping of columns."""
    if isinstance(data, Mapping):
        return {name: np.asarray(unmasked(column))[keep] for name, column in data.items()}
    return taken(data, np.flatnonzero(keep))


def _indexed(values: NDArray[np.float64], data: Any, name: str) -> Any:
    """Return values as a Series where the data have an index."""
    index = getattr(data, "index", None)
    return pd.Series(values, index, name=name) if isinstance(index, pd.Index) else values


def _spread(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put values of some rows among NaN for the others, along every axis."""
    full = np.full((len(where),) * values.ndim, np.nan)
    full[np.ix_(*(np.flatnonzero(where),) * values.ndim)] = values
    return full


def _among_missing(values: NDArray[np.float64], where: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Put numbers of some rows among NaN for the others."""
    full = np.full((len(where), values.shape[1]), np.nan)
    full[where] = values
    return full
