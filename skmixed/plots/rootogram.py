"""How often each count occurs, and how often a model expects it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.plots.arrays.rootogram import rootogram_arrays
from skmixed.plots.display import Display
from skmixed.plots.drawing.rootogram import draw_rootogram
from skmixed.plots.reading.pipelines import model_and_columns

__all__ = ["RootogramDisplay"]


class RootogramDisplay(Display):
    """Show the frequency of each count hanging from the one that the model expects.

    Bars that end at 0 are as long as expected; one that ends below has too many rows. Roots make
    deviations of small and large frequencies comparable (Kleiber and Zeileis 2016): a bar of more
    zeros than expected asks for zero inflation, a wave for overdispersion. Make one with
    `from_estimator` or `from_results`.

    Parameters
    ----------
    counts : array-like of shape (m,)
    observed, expected : array-like of shape (m,)
        Numbers of rows with each count.
    response_name : str, default="Count"

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    bars_ : BarContainer
    line_ : Line2D

    Raises
    ------
    ValueError
        If shapes disagree.

    References
    ----------
    Kleiber, C. and Zeileis, A. (2016). Visualizing count data regressions using rootograms. The
    American Statistician 70, 296-303.

    Examples
    --------
    >>> from skmixed.plots import RootogramDisplay
    >>> display = RootogramDisplay(counts=[0, 1, 2], observed=[9, 4, 1], expected=[8.2, 4.5, 1.2])
    >>> len(display.plot().bars_)
    3
    """

    bars_: Any
    line_: Any

    def __init__(
        self,
        *,
        counts: ArrayLike,
        observed: ArrayLike,
        expected: ArrayLike,
        response_name: str = "Count",
    ) -> None:
        self.counts = np.asarray(counts, dtype=float)
        self.observed = np.asarray(observed, dtype=float)
        self.expected = np.asarray(expected, dtype=float)
        self.response_name = response_name
        self._check_shape(self.counts.shape, ("observed", "expected"), "of counts")

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        average: bool = False,
        max_count: int | None = None,
        ax: Any = None,
    ) -> RootogramDisplay:
        """Draw the counts that an estimator was fitted to.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight
            As given to its fit.
        average, max_count, ax
            As for ``from_results``.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If the rows are not those of the fit, or hold no counts.
        """
        model, columns = model_and_columns(estimator, X)
        given = {"groups": groups, "sample_weight": sample_weight}
        rows = required_family_rows(model, columns, y, given, "A rootogram")
        return cls(**rootogram_arrays(rows, average=average, max_count=max_count)).plot(ax)

    @classmethod
    def from_results(
        cls, results: Any, *, average: bool = False, max_count: int | None = None, ax: Any = None
    ) -> RootogramDisplay:
        """Draw the counts of a model that keeps its rows.

        Parameters
        ----------
        results : MixedGLMResults
            Of ``mixedglm``.
        average : bool, default=False
            Whether counts are expected in new groups, the random effects integrated out, or at
            their conditional modes.
        max_count : int, optional
            The largest count that is shown; by default the largest that occurs, 40 at most.
        ax : matplotlib Axes, optional

        Raises
        ------
        TypeError
            If the results keep no rows.
        ValueError
            If the response holds no counts.
        """
        rows = required_family_rows(results, None, None, {}, "A rootogram")
        arrays = rootogram_arrays(rows, average=average, max_count=max_count)
        return cls(**arrays, response_name=results.fitted_model.response_name).plot(ax)

    def plot(self, ax: Any = None) -> RootogramDisplay:
        """Draw the bars.

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
        draw_rootogram(self, self._panels(ax))
        return self
