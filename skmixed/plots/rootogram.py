"""How often each count occurs, and how often a model expects it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.plots.display import Display, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.reading.sources import fitted_to
from skmixed.plots.style.colours import DASHED, GREY, SKY_BLUE, VERMILLION
from skmixed.plots.style.legends import line_entry, patch_entry
from skmixed.plots.style.text import describe, integer_ticks
from skmixed.prediction.averaged_density import averaged_log_density

__all__ = ["RootogramDisplay"]

# Counts that are shown unless a number is given.
SHOWN = 40
WIDTH = 0.85


@fill_docstrings
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

    def __init__(
        self,
        *,
        counts: ArrayLike,
        observed: ArrayLike,
        expected: ArrayLike,
        response_name: str = "Count",
    ) -> None:
        self.counts = number_array(counts)
        self.observed = number_array(observed)
        self.expected = number_array(expected)
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
        {not_fitted}
        ValueError
            If the rows are not those of the fit, or hold no counts.
        """
        rows = fitted_to(estimator, X, y, groups=groups, sample_weight=sample_weight)
        return cls(**_arrays(rows, average=average, max_count=max_count)).plot(ax)

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
        {no_rows}
        ValueError
            If the response holds no counts.
        """
        arrays = _arrays(results, average=average, max_count=max_count)
        return cls(**arrays, response_name=results.fitted_model.response_name).plot(ax)

    def plot(self, ax: Any = None) -> RootogramDisplay:
        """Draw the bars.

        {one_panel}
        """
        made = self._panels(ax)
        (panel,) = made.axes
        describe(panel, title="Rootogram", x=self.response_name, y="Root of the number of rows")
        expected, observed = np.sqrt(self.expected), np.sqrt(self.observed)
        style: dict[str, Any] = {"width": WIDTH, "color": SKY_BLUE, "linewidth": 0, "zorder": 2.0}
        self.bars_ = panel.bar(self.counts, -observed, bottom=expected, **style)
        style = {"color": VERMILLION, "marker": "o", "markersize": 3.5, "zorder": 3.0}
        (self.line_,) = panel.plot(self.counts, expected, **style)
        panel.axhline(0.0, color=GREY, linewidth=1.0, linestyle=DASHED, zorder=2.5)
        panel.set_ylim(top=1.08 * float(max(expected.max(), 1.0)))
        integer_ticks(panel, "x", self.counts)
        made.legend([patch_entry(SKY_BLUE, "observed"), line_entry(VERMILLION, "expected")])
        return self


def _arrays(fitted: Any, *, average: bool, max_count: int | None) -> dict[str, Any]:
    """Return counts with their observed and expected frequencies."""
    rows = required_family_rows(fitted, None, None, {}, "A rootogram")
    rows.require_counts("A rootogram")
    family, y = rows.fit.family, rows.response
    last = min(int(y.max()), SHOWN) if max_count is None else max_count
    mean = rows.source.fixed if average else rows.eta
    variance = rows.effect_variance if average else np.zeros_like(mean)
    counts = np.arange(last + 1)
    probabilities = [
        np.exp(averaged_log_density(family, np.full_like(y, count), mean, variance, rows.extra))
        for count in counts
    ]
    return {
        "counts": counts,
        "observed": np.array([rows.copies @ (y == count) for count in counts]),
        "expected": np.array([rows.copies @ one for one in probabilities]),
    }
