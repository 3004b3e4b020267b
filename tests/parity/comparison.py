"""What is compared of a fit with R's figures, in which units, and how closely."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from skmixed.fitting.random_effects import RandomEffects

from .names import factor_key, level_labels, matching
from .reference import Case, Fitted

__all__ = ["QUANTITIES", "Difference", "Quantity", "term_order"]


@dataclass(frozen=True, eq=False)
class Difference:
    """Hold our figures, R's, and the unit in which they are compared.

    Attributes
    ----------
    actual, expected : array-like of one shape
    unit : array-like, optional
        By default each of R's figures itself. A figure that may be 0, or is a small difference of
        large ones, is compared on the scale of its error or of its kind.
    """

    actual: npt.ArrayLike
    expected: npt.ArrayLike
    unit: npt.ArrayLike | None = None

    @property
    def relative(self) -> float:
        """Return the largest difference in the unit."""
        actual, expected = np.asarray(self.actual, float), np.asarray(self.expected, float)
        if actual.shape != expected.shape:
            return np.inf
        unit = np.abs(expected if self.unit is None else np.asarray(self.unit, float))
        distance = np.abs(actual - expected)
        with np.errstate(divide="ignore"):  # Any distance from an exact 0 is infinite.
            part = np.divide(distance, unit, out=np.zeros_like(distance), where=distance != 0.0)
        return float(part.max(initial=0.0))


@dataclass(frozen=True, eq=False)
class Quantity:
    """Name a quantity, its tolerance, and how a case and its fit give it.

    Attributes
    ----------
    name : str
    tolerance : float
        Largest relative difference.
    needs : str
        The figure of R that has to be there.
    read : callable
        ``read(case, fitted)`` gives a Difference.
    """

    name: str
    tolerance: float
    needs: str
    read: Callable[[Case, Fitted], Difference]

    def known(self, case: Case) -> bool:
        """Tell whether R gives the quantity for a case."""
        return bool(self.needs in case.figures)

    def difference(self, case: Case, fitted: Fitted) -> float:
        """Return the largest relative difference of a case."""
        return self.read(case, fitted).relative


def _log_likelihood(case: Case, fitted: Fitted) -> Difference:
    return Difference(fitted.results.llf, case.figures["loglik"])


def _aic(case: Case, fitted: Fitted) -> Difference:
    return Difference(fitted.results.aic, case.figures["AIC"])


def _bic(case: Case, fitted: Fitted) -> Difference:
    """Compare BIC, after adding what nlme subtracts: it uses log(n - p) in a fit by REML."""
    figures = case.figures
    expected = figures["BIC"]
    if figures["fn"] in ("lme", "gls") and case.method == "reml":
        n, p = figures["n"], figures["p"]
        expected += figures["npar"] * (np.log(n) - np.log(n - p))
    return Difference(fitted.results.bic, expected)


def _beta(case: Case, fitted: Fitted) -> Difference:
    """Compare the fixed effects; one near 0 on the scale of its standard error."""
    expected, errors = _values(case.figures["fixef"]), _values(case.figures["se"])
    actual = fitted.results.params.to_numpy()[_fixed_order(case, fitted)]
    return Difference(actual, expected, np.maximum(np.abs(expected), errors))


def _standard_errors(case: Case, fitted: Fitted) -> Difference:
    actual = fitted.results.bse.to_numpy()[_fixed_order(case, fitted)]
    return Difference(actual, _values(case.figures["se"]))


def _beta_covariance(case: Case, fitted: Fitted) -> Difference:
    """Compare the covariance of the fixed effects, as correlations."""
    order, errors = _fixed_order(case, fitted), _values(case.figures["se"])
    actual = fitted.results.cov_params().to_numpy()[np.ix_(order, order)]
    return Difference(actual, case.figures["vcov"], np.outer(errors, errors))


def _theta(case: Case, fitted: Fitted) -> Difference:
    """Compare theta in our order of the terms; one near 0 on the scale of the largest."""
    theirs = np.asarray(case.figures["theta"], float)
    sizes = [len(term["names"]) for term in case.figures["varcorr"]]
    parts = np.split(theirs, np.cumsum([k * (k + 1) // 2 for k in sizes])[:-1])
    expected = np.concatenate([parts[i] for i in term_order(case, fitted)])
    return Difference(
        fitted.results.theta, expected, np.maximum(np.abs(expected), np.abs(theirs).max())
    )


def _sigma(case: Case, fitted: Fitted) -> Difference:
    return Difference(fitted.results.sigma, case.figures["sigma"])


def _covariance(case: Case, fitted: Fitted) -> Difference:
    """Compare the covariance of each factor's random effects, as correlations."""
    terms = _terms_in_our_order(case, fitted)
    expected = _block_diagonal([np.array(term["cov"]) for term in terms])
    ours = []
    for effects in fitted.results.fit.random:
        names = [name for term in terms if _is_term_of(effects, term) for name in term["names"]]
        order = matching(effects.effect_names, names)
        ours.append(effects.effect_covariance[np.ix_(order, order)])
    sd = np.sqrt(np.diagonal(expected))
    # A variance that is 0 has no scale of its own: it is compared with the residual variance.
    scale = np.where(sd > 0.0, sd, case.figures["sigma"])
    return Difference(_block_diagonal(ours), expected, np.outer(scale, scale))


def _variance_table(case: Case, fitted: Fitted) -> Difference:
    """Compare the standard deviations, and then the correlations, of the tidy table."""
    table, terms = fitted.results.variance_components, _terms_in_our_order(case, fitted)
    is_sd = table["name2"].isna()
    actual = np.concatenate([table.loc[is_sd, "sdcor"], table.loc[~is_sd, "sdcor"]])
    sd = np.array([*(value for term in terms for value in term["sd"]), case.figures["sigma"]])
    triangles = [np.array(term["corr"])[np.triu_indices(len(term["corr"]), 1)] for term in terms]
    correlations = np.concatenate(triangles)
    unit = np.concatenate([sd, np.ones_like(correlations)])
    return Difference(actual, np.concatenate([sd, correlations]), unit)


def _modes(case: Case, fitted: Fitted) -> Difference:
    """Compare the random effects; one near 0 on the scale of its standard deviation."""
    parts = []
    for ours, theirs in _factors(case, fitted):
        sd = np.sqrt(np.diagonal(ours.effect_covariance))[_effect_order(ours, theirs)]
        unit = np.maximum(np.abs(theirs["values"]), sd)
        table = fitted.results.random_effects[ours.name]
        parts.append(Difference(_first_levels(table, theirs), theirs["values"], unit))
    return _joined(parts)


def _mode_squares(case: Case, fitted: Fitted) -> Difference:
    """Compare the sums of squares of the random effects over all levels."""
    parts = []
    for ours, theirs in _factors(case, fitted):
        table = fitted.results.random_effects[ours.name]
        squares = (table.to_numpy() ** 2).sum(axis=0)[matching(table.columns, theirs["sumsq"])]
        parts.append(Difference(squares, _values(theirs["sumsq"])))
    return _joined(parts)


def _conditional_sd(case: Case, fitted: Fitted) -> Difference:
    return _joined(
        [
            Difference(
                _first_levels(fitted.results.random_effects_sd[ours.name], theirs),
                theirs["condsd"],
            )
            for ours, theirs in _factors(case, fitted)
            if theirs["condsd"] is not None
        ]
    )


def _fitted_values(case: Case, fitted: Fitted) -> Difference:
    """Compare the first conditional means; one near 0 on the scale of the residuals."""
    return _rows(case, fitted.results.fittedvalues[:10], "fitted10")


def _conditional_predictions(case: Case, fitted: Fitted) -> Difference:
    """Compare the first conditional means as predictions of rows."""
    return _rows(case, fitted.results.predict(case.data.head(10)), "fitted10")


def _population_means(case: Case, fitted: Fitted) -> Difference:
    """Compare the first means of the population; one near 0 on the scale of the residuals."""
    means = fitted.results.predict(case.data.head(10), include_random_effects=False)
    return _rows(case, means, "predict_fixed10")


def _residual_quantiles(case: Case, fitted: Fitted) -> Difference:
    """Compare the quantiles of the scaled residuals in standard deviations."""
    expected = np.array(case.figures["scaled_resid_quantiles"])
    return Difference(fitted.results.fit.residual_quantiles, expected, np.ones(5))


QUANTITIES = (
    Quantity("log-likelihood", 1e-9, "loglik", _log_likelihood),
    Quantity("AIC", 1e-9, "AIC", _aic),
    Quantity("BIC", 1e-9, "BIC", _bic),
    Quantity("beta", 1e-6, "fixef", _beta),
    Quantity("theta", 1e-5, "theta", _theta),
    Quantity("sigma", 1e-5, "sigma", _sigma),
    Quantity("standard errors", 1e-4, "se", _standard_errors),
    Quantity("covariance of beta", 1e-4, "vcov", _beta_covariance),
    Quantity("covariance of effects", 1e-4, "varcorr", _covariance),
    Quantity("table of variances", 1e-4, "varcorr", _variance_table),
    Quantity("random effects", 1e-4, "ranef", _modes),
    Quantity("sums of squared effects", 1e-4, "ranef", _mode_squares),
    Quantity("conditional SD", 1e-4, "theta", _conditional_sd),
    Quantity("fitted values", 1e-4, "fitted10", _fitted_values),
    Quantity("predictions", 1e-4, "fitted10", _conditional_predictions),
    Quantity("population means", 1e-4, "predict_fixed10", _population_means),
    Quantity("residual quantiles", 1e-4, "scaled_resid_quantiles", _residual_quantiles),
)
"""In the order of the specification: the log-likelihood first, quantities derived from it last.

Only lme4 gives theta in its parametrisation, and conditional standard deviations that do not hold
the uncertainty of beta.
"""


def _values(figures: dict[str, float]) -> npt.NDArray[np.float64]:
    """Return the figures of a named list."""
    return np.array(list(figures.values()))


def _fixed_order(case: Case, fitted: Fitted) -> list[int]:
    """Return our positions of R's fixed effects."""
    return matching(fitted.results.params.index, case.figures["fixef"])


def term_order(case: Case, fitted: Fitted) -> list[int]:
    """Return the positions of R's random terms in the order of our factors and effects."""
    random = fitted.results.fit.random
    places = []
    for term in case.figures["varcorr"]:
        (factor,) = (i for i, effects in enumerate(random) if _is_term_of(effects, term))
        places.append((factor, matching(random[factor].effect_names, term["names"])))
    return sorted(range(len(places)), key=places.__getitem__)


def _terms_in_our_order(case: Case, fitted: Fitted) -> list[dict[str, Any]]:
    """Return R's figures of the random terms in the order of our factors and effects."""
    return [case.figures["varcorr"][i] for i in term_order(case, fitted)]


def _is_term_of(effects: RandomEffects, term: dict[str, Any]) -> bool:
    """Tell whether one of R's terms is of a factor; R numbers the further terms of a factor."""
    return factor_key(re.sub(r"\.\d+$", "", term["group"])) == factor_key(effects.name)


def _factors(case: Case, fitted: Fitted) -> list[tuple[RandomEffects, dict[str, Any]]]:
    """Return our random effects of each factor, with R's figures of them."""
    theirs = {factor_key(name): (name, table) for name, table in case.figures["ranef"].items()}
    found = []
    for ours in fitted.results.fit.random:
        name, table = theirs.pop(factor_key(ours.name))
        found.append((ours, {**table, "factor": name}))
    assert not theirs
    return found


def _effect_order(ours: RandomEffects, theirs: dict[str, Any]) -> list[int]:
    """Return our positions of R's random effects."""
    return matching(ours.effect_names, theirs["names"])


def _first_levels(table: pd.DataFrame, theirs: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Return our table at the levels and effects that R lists."""
    rows = level_labels(table.index, theirs["factor"]).get_indexer(theirs["levels"])
    assert (rows >= 0).all(), f"levels {theirs['levels']} are not all among {list(table.index)}"
    assert len(table) == theirs["n_levels"]
    return table.to_numpy()[np.ix_(rows, matching(table.columns, theirs["names"]))]


def _joined(parts: list[Difference]) -> Difference:
    """Return the differences of several factors as one."""
    if any(np.shape(part.actual) != np.shape(part.expected) for part in parts):
        return Difference(np.nan, [])
    return Difference(
        _raveled([part.actual for part in parts]),
        _raveled([part.expected for part in parts]),
        _raveled([part.expected if part.unit is None else part.unit for part in parts]),
    )


def _raveled(parts: list[npt.ArrayLike]) -> npt.NDArray[np.float64]:
    """Return all figures in one row."""
    return np.concatenate([np.empty(0), *map(np.ravel, parts)])


def _rows(case: Case, actual: npt.ArrayLike, name: str) -> Difference:
    """Compare means of the first rows."""
    expected = np.array(case.figures[name])
    return Difference(actual, expected, np.maximum(np.abs(expected), case.figures["sigma"]))


def _block_diagonal(blocks: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Put blocks along the diagonal of a matrix of zeros."""
    whole = np.zeros((sum(map(len, blocks)),) * 2)
    start = 0
    for block in blocks:
        whole[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return whole
