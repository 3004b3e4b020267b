"""Whether predicted probabilities are right: shares of successes beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.inference.coefficients.wald import check_level
from skmixed.plots.arrays.probability_calibration import (
    calibration_arrays,
    calibration_of_rows,
    share_limits,
)
from skmixed.plots.display import Display
from skmixed.plots.drawing.probability_calibration import draw_calibration
from skmixed.plots.reading.pipelines import model_and_columns
from skmixed.prediction.predict import Include

__all__ = ["ProbabilityCalibrationDisplay"]


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

    curves_: dict[str, Any]

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
        self._check()

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
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the family is not binomial.
        """
        model, columns = model_and_columns(estimator, X)
        classes = getattr(model, "classes_", None)
        response = np.asarray(y) if classes is None else np.asarray(y) == classes[1]
        arrays = calibration_arrays(
            model.fitted_model,
            columns,
            response.astype(float),
            None if sample_weight is None else np.asarray(sample_weight, dtype=float),
            groups=groups,
            include=include_random_effects,
            n_bins=n_bins,
        )
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
        TypeError
            If the results keep no rows.
        ValueError
            If the family is not binomial.
        """
        arrays = calibration_of_rows(results, include=include_random_effects, n_bins=n_bins)
        return cls(**arrays, level=level).plot(ax)

    def plot(self, ax: Any = None) -> ProbabilityCalibrationDisplay:
        """Draw a curve for each kind of prediction.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ax holds several Axes.
        """
        draw_calibration(self, self._panels(ax))
        return self

    def limits(self) -> dict[str, NDArray[np.float64]]:
        """Return the limits of the shares of each kind, (n_bins, 2)."""
        return {
            name: share_limits(shares, self.counts[name], self.level)
            for name, shares in self.observed.items()
        }

    def _check(self) -> None:
        """Raise ValueError unless the arrays fit together."""
        for name in ("observed", "counts"):
            found = {kind: values.shape for kind, values in getattr(self, name).items()}
            expected = {kind: values.shape for kind, values in self.predicted.items()}
            if found != expected:
                raise ValueError(
                    f"{name} must have the kinds and shapes of predicted, {expected}, got {found}."
                )


def _arrays(values: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Return arrays of numbers by name."""
    return {name: np.asarray(one, dtype=float) for name, one in values.items()}
