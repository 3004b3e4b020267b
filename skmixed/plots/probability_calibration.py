"""Whether predicted probabilities are right: shares of successes beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from skmixed.design.design import NewRows
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.plots.binned_residuals import equal_bins
from skmixed.plots.display import Display
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import model_and_steps
from skmixed.plots.reading.table import transformed
from skmixed.plots.style.colours import BLUE, DASHED, GREY, VERMILLION
from skmixed.plots.style.text import describe
from skmixed.prediction.family_prediction import ResponseScale, family_prediction
from skmixed.prediction.new_rows import wanted_factors
from skmixed.prediction.predict import Include, PredictedRows

__all__ = ["ProbabilityCalibrationDisplay"]

FloatArray = NDArray[np.float64]

# What the kinds of predictions are called, and whether they are averages.
AVERAGES = {"averaged": True, "plugged in": False}
STYLES = ((BLUE, "o"), (VERMILLION, "s"))
# Of the range of the probabilities, beside which points and limits stay legible.
MARGIN = 0.05


@fill_docstrings
class ProbabilityCalibrationDisplay(Display):
    """Show shares of successes over predicted probabilities, averaged and plugged in.

    Of rows with a predicted probability of 0.3, three in ten should be successes. Averaged
    probabilities count that the random effects are not known exactly, or not at all; plugged-in
    ones have them at their modes, and at 0 for new groups, and are too far from one half. Make one
    with `from_estimator` or `from_results`.

    Parameters
    ----------
    predicted : mapping of str to array-like of shape (n_bins,)
        Mean predicted probabilities of bins, for each kind of prediction.
    observed : mapping of str to array-like of shape (n_bins,)
        Shares of successes.
    counts : mapping of str to array-like of shape (n_bins,)
        Numbers of trials.
    level : float, default=0.95
        Of the limits of each share, which are exact for independent trials.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    curves_ : dict of str to ErrorbarContainer

    Raises
    ------
    ValueError
        If shapes disagree, or level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed.plots import ProbabilityCalibrationDisplay
    >>> display = ProbabilityCalibrationDisplay(
    ...     predicted={"averaged": [0.2, 0.7]},
    ...     observed={"averaged": [0.25, 0.65]},
    ...     counts={"averaged": [40, 40]},
    ... )
    >>> display.limits()["averaged"].round(2)
    array([[0.13, 0.41],
           [0.48, 0.79]])
    """

    def __init__(
        self,
        *,
        predicted: Mapping[str, ArrayLike],
        observed: Mapping[str, ArrayLike],
        counts: Mapping[str, ArrayLike],
        level: float = 0.95,
    ) -> None:
        self.predicted = _arrays(predicted)
        self.observed = _arrays(observed)
        self.counts = _arrays(counts)
        self.level = check_level(level)
        for name in ("observed", "counts"):
            found = {kind: values.shape for kind, values in getattr(self, name).items()}
            expected = {kind: values.shape for kind, values in self.predicted.items()}
            if found != expected:
                raise ValueError(
                    f"{name} must have the kinds and shapes of predicted, {expected}, got {found}."
                )

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        include_random_effects: Include = True,
        n_bins: int = 10,
        level: float = 0.95,
        ax: Any = None,
    ) -> ProbabilityCalibrationDisplay:
        """Draw the calibration in rows that an estimator was fitted to, or better in others.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
            Of a binomial family.
        X, y, groups
            Rows of known or of new groups, and what was observed.
        sample_weight : array-like of shape (n,), optional
            Numbers of trials, where y holds shares of successes.
        include_random_effects, n_bins, level, ax
            As for ``from_results``.

        Raises
        ------
        {not_fitted}
        ValueError
            If the family is not binomial.
        """
        model, steps = model_and_steps(estimator)
        classes = getattr(model, "classes_", None)
        response = np.asarray(y) if classes is None else np.asarray(y) == classes[1]
        rows, included = model.fitted_model.read(
            transformed(steps, X), groups, include_random_effects
        )
        fit = _binomial(model.fitted_model.fit)
        trials = np.ones(len(response)) if sample_weight is None else sample_weight
        observed = response.astype(float), np.asarray(trials, dtype=float)
        arrays = _binned(fit, PredictedRows(rows, included, "mean"), *observed, n_bins)
        return cls(**arrays, level=level).plot(ax)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        include_random_effects: Include = True,
        n_bins: int = 10,
        level: float = 0.95,
        ax: Any = None,
    ) -> ProbabilityCalibrationDisplay:
        """Draw the calibration in the rows of a model that keeps them.

        Parameters
        ----------
        results : MixedGLMResults
            Of ``mixedglm`` with a binomial family.
        include_random_effects : bool, str or sequence of str, default=True
            Whose random effects are known; ``False`` shows probabilities of new groups.
        n_bins : int, default=10
            With as many rows each.
        level : float, default=0.95
        ax : matplotlib Axes, optional

        Raises
        ------
        {no_rows}
        ValueError
            If the family is not binomial.
        """
        rows = required_family_rows(results, None, None, {}, "Calibration")
        fit = _binomial(rows.fit)
        included = wanted_factors(include_random_effects, [effects.name for effects in fit.random])
        asked = PredictedRows(NewRows.of(rows.design), included, "mean")
        arrays = _binned(fit, asked, rows.response, rows.weights, n_bins)
        return cls(**arrays, level=level).plot(ax)

    def plot(self, ax: Any = None) -> ProbabilityCalibrationDisplay:
        """Draw a curve for each kind of prediction.

        {one_panel}
        """
        made = self._panels(ax)
        (panel,) = made.axes
        describe(panel, title="Calibration", x="Predicted probability", y="Observed share")
        panel.axline((0.0, 0.0), slope=1.0, color=GREY, linewidth=1.0, linestyle=DASHED, zorder=1.0)
        limits = self.limits()
        self.curves_ = {}
        style: dict[str, Any] = {
            "markersize": 4.5,
            "linewidth": 1.4,
            "elinewidth": 0.9,
            "zorder": 3.0,
        }
        for (name, at), (colour, marker) in zip(self.predicted.items(), STYLES, strict=False):
            shares = self.observed[name]
            around = np.abs(limits[name].T - shares)
            style |= {"color": colour, "marker": marker, "label": name}
            self.curves_[name] = panel.errorbar(at, shares, yerr=around, **style)
        low = min(np.min(at) for at in (*self.predicted.values(), *limits.values()))
        high = max(np.max(at) for at in (*self.predicted.values(), *limits.values()))
        margin = MARGIN * (high - low)
        panel.set(xlim=(low - margin, high + margin), ylim=(low - margin, high + margin))
        made.legend(list(self.curves_.values()))
        return self

    def limits(self) -> dict[str, NDArray[np.float64]]:
        """Return the limits of the shares of each kind, (n_bins, 2)."""
        return {
            name: _share_limits(shares, self.counts[name], self.level)
            for name, shares in self.observed.items()
        }


def _arrays(values: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Return arrays of numbers by name."""
    return {name: np.asarray(one, dtype=float) for name, one in values.items()}


def _binomial(fit: LMMFit) -> GLMMFit:
    """Return a fit of a binomial family; raise ValueError if it is of another."""
    if not isinstance(fit, GLMMFit) or fit.family.name != "binomial":
        raise ValueError(
            "Probabilities are those of a binomial family, which this model does not have. Use "
            "ResidualsDisplay, or RootogramDisplay for counts."
        )
    return fit


def _binned(
    fit: GLMMFit, rows: PredictedRows, response: FloatArray, trials: FloatArray, n_bins: int
) -> dict[str, Any]:
    """Return means of predictions and responses over bins, for each kind of prediction."""
    found: dict[str, dict[str, FloatArray]] = {"predicted": {}, "observed": {}, "counts": {}}
    for name, average in AVERAGES.items():
        probability = family_prediction(fit, rows, ResponseScale(average)).mean
        bins = equal_bins(probability, n_bins)
        total = np.bincount(bins, trials).astype(np.float64)
        found["predicted"][name] = np.bincount(bins, trials * probability) / total
        found["observed"][name] = np.bincount(bins, trials * response) / total
        found["counts"][name] = total
    return found


def _share_limits(shares: FloatArray, counts: FloatArray, level: float) -> FloatArray:
    """Return exact limits of probabilities (Clopper and Pearson 1934), shape (n, 2)."""
    tail, successes = 0.5 * (1.0 - level), shares * counts
    lower = stats.beta.ppf(tail, successes, counts - successes + 1.0)
    upper = stats.beta.isf(tail, successes + 1.0, counts - successes)
    low, high = np.where(successes > 0.0, lower, 0.0), np.where(successes < counts, upper, 1.0)
    return np.column_stack([low, high])
