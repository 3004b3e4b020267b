"""What is compared of a fit with R's figures, in which units, and how closely."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .names import level_labels, matching
from .reference import Case, Fitted

__all__ = ["QUANTITIES", "Difference", "Quantity"]


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
    if figures["fn"] == "lme" and case.method == "reml":
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
    """Compare theta in lme4's order; one near 0 on the scale of the largest."""
    expected = np.asarray(case.figures["theta"], float)
    unit = np.maximum(np.abs(expected), np.abs(expected).max())
    return Difference(fitted.results.theta, expected, unit)


def _sigma(case: Case, fitted: Fitted) -> Difference:
    return Difference(fitted.results.sigma, case.figures["sigma"])


def _covariance(case: Case, fitted: Fitted) -> Difference:
    """Compare the covariance of the random effects, as correlations."""
    expected = _block_diagonal([np.array(term["cov"]) for term in case.figures["varcorr"]])
    names = [name for term in case.figures["varcorr"] for name in term["names"]]
    order = matching(fitted.results.cov_re.index, names)
    actual = fitted.results.cov_re.to_numpy()[np.ix_(order, order)]
    sd = np.sqrt(np.diagonal(expected))
    # A variance that is 0 has no scale of its own: it is compared with the residual variance.
    unit = np.outer(sd, sd) if sd.all() else np.full_like(expected, case.figures["sigma"] ** 2)
    return Difference(actual, expected, unit)


def _variance_table(case: Case, fitted: Fitted) -> Difference:
    """Compare the standard deviations, and then the correlations, of the tidy table."""
    table, terms = fitted.results.variance_components, case.figures["varcorr"]
    is_sd = table["name2"].isna()
    actual = np.concatenate([table.loc[is_sd, "sdcor"], table.loc[~is_sd, "sdcor"]])
    sd = np.array([*(value for term in terms for value in term["sd"]), case.figures["sigma"]])
    triangles = [np.array(term["corr"])[np.triu_indices(len(term["corr"]), 1)] for term in terms]
    correlations = np.concatenate(triangles)
    unit = np.concatenate([sd, np.ones_like(correlations)])
    return Difference(actual, np.concatenate([sd, correlations]), unit)


def _modes(case: Case, fitted: Fitted) -> Difference:
    """Compare the random effects; one near 0 on the scale of its standard deviation."""
    table, theirs = _first_levels(case, fitted.results.random_effects)
    return Difference(table, theirs["values"], _effect_sd(case, theirs))


def _mode_squares(case: Case, fitted: Fitted) -> Difference:
    """Compare the sums of squares of the random effects over all levels."""
    (theirs,) = case.figures["ranef"].values()
    (ours,) = fitted.results.random_effects.values()
    order = matching(ours.columns, theirs["sumsq"])
    return Difference((ours.to_numpy() ** 2).sum(axis=0)[order], _values(theirs["sumsq"]))


def _conditional_sd(case: Case, fitted: Fitted) -> Difference:
    table, theirs = _first_levels(case, fitted.results.random_effects_sd)
    return Difference(table, theirs["condsd"])


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


def _first_levels(
    case: Case, tables: dict[str, pd.DataFrame]
) -> tuple[npt.NDArray[np.float64], dict[str, Any]]:
    """Return our table at the levels that R lists, and R's figures of them."""
    ((factor, theirs),) = case.figures["ranef"].items()
    table = tables[factor]
    rows = level_labels(table.index).get_indexer(theirs["levels"])
    assert (rows >= 0).all(), f"levels {theirs['levels']} are not all among {list(table.index)}"
    assert len(table) == theirs["n_levels"]
    return table.to_numpy()[np.ix_(rows, matching(table.columns, theirs["names"]))], theirs


def _effect_sd(case: Case, theirs: dict[str, Any]) -> npt.NDArray[np.float64]:
    """Return the size of each random effect or, if that is larger, the SD of its kind."""
    sd = np.concatenate([np.asarray(term["sd"], float) for term in case.figures["varcorr"]])
    return np.maximum(np.abs(theirs["values"]), sd)


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
