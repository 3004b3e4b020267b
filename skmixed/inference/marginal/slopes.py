"""Marginal slopes: the derivative of the population mean in a covariate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.coefficients.degrees_of_freedom import rule_for
from skmixed.inference.marginal.estimates import MarginalEstimates, check_scale
from skmixed.inference.marginal.grid_source import grid_source
from skmixed.inference.marginal.reference_grid import ReferenceGrid, reference_grid

__all__ = ["marginal_slopes"]

FloatArray = NDArray[np.float64]

# Five points: exact for polynomials up to the fourth degree.
STEPS = np.arange(-2.0, 3.0)
# Of the covariate's range. The error falls with its fourth power, that of rounding as it grows.
STEP = 1e-4


def marginal_slopes(
    results: Any,
    variable: str,
    specs: str | Sequence[str] | None = None,
    *,
    by: str | Sequence[str] | None = None,
    at: Mapping[str, Any] | None = None,
    weights: str = "equal",
    df_method: str | None = None,
    level: float = 0.95,
    scale: str = "link",
    offset: float | None = None,
) -> MarginalEstimates:
    """Estimate the slope of the population mean in a covariate, for each level of a factor.

    The slope is the derivative of the predictions in the cells of the reference grid of
    `marginal_means`, averaged alike. The covariate is at its mean: for a curve, give its points by
    ``at``.

    Parameters
    ----------
    results : MixedLMResults
        Of `skmixed.mixedlm`, which keep formula and data.
    variable : str
        The covariate: a column of numbers.
    specs : str or sequence of str, optional
        Factors to give a slope for each combination of levels of, and to compare; none gives one
        slope.
    by : str or sequence of str, optional
        Factors that divide the table: comparisons are made within their levels.
    at, weights, df_method, level, offset
        As for `marginal_means`.
    scale : {"link", "response"}, default="link"
        Of a generalised model, whether the slope is that of the linear predictor, or of the mean
        response of a typical group, whose random effects are 0.

    Returns
    -------
    MarginalEstimates

    Raises
    ------
    ValueError
        If the variable is no covariate of the fixed effects, or an option is unknown.
    TypeError
        If the results keep no formula or no rows.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.inference import marginal_slopes
    >>> results = mixedlm("Reaction ~ poly(Days, 2) + (Days | Subject)", load_sleepstudy())
    >>> slopes = marginal_slopes(results, "Days", "Days", at={"Days": [0, 9]})
    >>> slopes.tidy().drop(columns=["statistic", "lower", "upper"]).round(3)
       term  Days  estimate     se       df  p_value
    0  Days     0     7.434  2.819  114.431     0.01
    1  Days     9    13.500  2.819  114.431     0.00
    """
    source = grid_source(results, offset)
    grid = reference_grid(source, specs, by, at, continuous=variable)
    if variable not in source.variables or variable in source.factors:
        kind = "a factor" if variable in source.factors else "no variable of the fixed effects"
        raise ValueError(
            f"A slope needs a column of numbers, but {variable!r} is {kind}. For a factor, compare "
            "its marginal_means."
        )
    slopes = _derivative(grid, variable)
    if check_scale(scale) == "response":
        slopes = _of_response(grid, slopes)
    cells = grid.average(slopes, weights)
    table = grid.kept
    table.insert(0, "term", variable)
    return MarginalEstimates(
        table,
        ("term", *grid.by),
        cells[:, :-1],
        cells[:, -1],
        level,
        source,
        rule_for(results, df_method),
        link=None,
        scale=scale,
    )


def _derivative(grid: ReferenceGrid, variable: str) -> FloatArray:
    """Return the derivatives of the columns of X and of the offset in each cell."""
    training = np.asarray(grid.source.columns[variable], dtype=np.float64)
    low, high = float(training.min()), float(training.max())
    step = STEP * (high - low) or 1.0
    points = np.asarray(grid.cells()[variable], dtype=np.float64)
    distinct, position = np.unique(points, return_inverse=True)
    nodes, weights = _stencil(distinct, step, low, high)
    here = grid.evaluate()
    derivative = np.zeros_like(here)
    for node, weight in zip(nodes.T, weights.T, strict=True):
        change = grid.evaluate({variable: node[position]}) - here
        derivative += weight[position, None] * change
    return derivative


def _of_response(grid: ReferenceGrid, slopes: FloatArray) -> FloatArray:
    """Return slopes of the mean response, linear in the coefficients about their estimates.

    With eta = X beta and its slope s = D beta the response has the slope h'(eta) s, whose gradient
    in beta is h''(eta) s X + h'(eta) D.
    """
    fit = grid.source.fit
    link, beta = fit.link, np.append(fit.fixed.coefficients, 1.0)
    here = grid.evaluate()
    at, slope = link.derivatives(here @ beta), slopes @ beta
    gradient = (at.second * slope)[:, None] * here[:, :-1] + at.first[:, None] * slopes[:, :-1]
    return np.column_stack([gradient, at.first * slope - gradient @ beta[:-1]])


def _stencil(x: FloatArray, step: float, low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Return points around each x, inside the training range where x is, and their weights.

    A sum of (weight times change of a function from x to the point) is its derivative at x.
    Splines and logarithms may not exist outside the range.
    """
    nodes = x[:, None] + step * STEPS
    reach = 2.0 * step
    shift = np.maximum(low - (x - reach), 0.0) - np.maximum(x + reach - high, 0.0)
    inside = ((low <= x) & (x <= high) & (low < high))[:, None]
    nodes = np.where(inside, np.clip(nodes + shift[:, None], low, high), nodes)
    # Rounding moves the points: the weights are those of where they are.
    distances = (nodes - x[:, None]) / step
    powers = distances[:, None, :] ** np.arange(len(STEPS))[:, None]
    unit = np.zeros((len(x), len(STEPS), 1))
    unit[:, 1] = 1.0 / step
    return nodes, np.asarray(np.linalg.solve(powers, unit)[..., 0], dtype=np.float64)
