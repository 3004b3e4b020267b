"""Whether responses are more spread than their family, and whether there are more zeros."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.row_inputs import family_rows
from skmixed.prediction.averaged_cdf import averaged_cdf
from skmixed.prediction.predictor_rows import predictor_rows

__all__ = ["overdispersion_test", "required_family_rows", "zero_inflation_test"]

FloatArray = NDArray[np.float64]


def overdispersion_test(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    n_simulations: int | None = None,
    random_state: Any = None,
    **arguments: Any,
) -> pd.Series:
    """Test whether the responses vary more than their family says, by Pearson residuals.

    The sum of squared Pearson residuals at the conditional modes is compared with the chi-squared
    distribution with n minus the number of parameters degrees of freedom. The modes follow the
    data, so that with few rows in a group the sum is too small for its degrees of freedom; of
    yes-or-no responses it says nothing at all.

    With ``n_simulations`` it is compared with simulated responses instead: each simulation draws
    the random effects given the data, and the sums of the observed and of a simulated response are
    those about the same mean, which holds for small groups and means too.

    Parameters
    ----------
    fitted : MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedglm`` keep their rows.
    n_simulations : int, optional
        Number of simulated responses.
    random_state : int, numpy.random.Generator or None, default=None
        Of the simulation.
    **arguments
        What else the estimator's ``fit`` was given.

    Returns
    -------
    Series
        statistic, df, ratio and p_value: the upper tail. The ratio is that of the statistic to df,
        or of the mean sums of observed and simulated responses, where df is NaN.

    Raises
    ------
    ValueError
        If the model is a linear one.
    TypeError
        If there are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> from skmixed.inference import overdispersion_test
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"g": np.arange(400) % 20})
    >>> rate = np.exp(1.0 + 0.5 * rng.normal(size=20)[data["g"]])
    >>> data["events"] = rng.negative_binomial(2.0, 2.0 / (2.0 + rate))
    >>> poisson = mixedglm("events ~ 1 + (1 | g)", data, family="poisson")
    >>> overdispersion_test(poisson).round(2).to_dict()
    {'statistic': 879.14, 'df': 398.0, 'ratio': 2.21, 'p_value': 0.0}
    """
    rows = required_family_rows(fitted, X, y, arguments, "Overdispersion")
    if n_simulations is None:
        total = float(np.sum(rows.pearson(rows.response, rows.eta) ** 2))
        df = rows.fit.n_rows - rows.fit.n_parameters
        values = (total, df, total / df, stats.chi2.sf(total, df))
    else:
        values = _simulated(rows, n_simulations, np.random.default_rng(random_state))
    names = ["statistic", "df", "ratio", "p_value"]
    return pd.Series(values, names, name="overdispersion", dtype=float)


def zero_inflation_test(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    average: bool = False,
    n_simulations: int = 1000,
    random_state: Any = None,
    **arguments: Any,
) -> pd.Series:
    """Compare the number of zeros among counts with what the model expects.

    Parameters
    ----------
    fitted : MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedglm`` keep their rows.
    average : bool, default=False
        Whether to expect the zeros of new groups, the random effects integrated out, or those of
        the conditional modes.
    n_simulations : int, default=1000
        Of responses, whose zeros give the p-value: of new groups, or with random effects drawn
        given the data.
    random_state : int, numpy.random.Generator or None, default=None
        Of the simulation.
    **arguments
        What else the estimator's ``fit`` was given.

    Returns
    -------
    Series
        observed, expected, ratio (of expected to observed: below 1 the model has too few zeros) and
        p_value, that of as many zeros or more.

    Raises
    ------
    ValueError
        If the responses are no counts.
    TypeError
        If there are no rows.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> from skmixed.inference import zero_inflation_test
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"g": np.arange(400) % 20})
    >>> rate = np.exp(1.0 + 0.5 * rng.normal(size=20)[data["g"]])
    >>> data["events"] = rng.poisson(rate) * (rng.random(400) < 0.7)
    >>> poisson = mixedglm("events ~ 1 + (1 | g)", data, family="poisson")
    >>> zero_inflation_test(poisson, random_state=0).round(3).to_dict()
    {'observed': 134.0, 'expected': 60.696, 'ratio': 0.453, 'p_value': 0.001}
    """
    rows = required_family_rows(fitted, X, y, arguments, "Zero inflation")
    rows.require_counts("Zero inflation")
    family = rows.fit.family
    zeros = np.zeros(rows.design.n_rows)
    if average:
        law = predictor_rows(family, rows.source.fixed, rows.effect_variance, rows.extra)
        probability = averaged_cdf(law, zeros)
    else:
        probability = family.cdf(zeros, rows.eta, rows.extra)
    observed = float(rows.copies @ (rows.response == 0.0))
    expected = float(rows.copies @ probability)
    rng = np.random.default_rng(random_state)
    drawn = np.empty(n_simulations)
    for i in range(n_simulations):
        eta = rows.drawn_predictor(rng, new=average)
        drawn[i] = rows.copies @ (family.simulate(eta, rows.extra, rng) == 0.0)
    p_value = (1.0 + np.sum(drawn >= observed)) / (1.0 + n_simulations)
    values = (observed, expected, expected / observed if observed else np.inf, p_value)
    return pd.Series(values, ["observed", "expected", "ratio", "p_value"], name="zero_inflation")


def required_family_rows(
    fitted: Any, X: Any, y: Any, arguments: dict[str, Any], what: str
) -> FamilyRows:
    """Return the rows of a generalised model, and raise ValueError for a linear one."""
    rows = family_rows(fitted, X, y, **arguments)
    if rows is None:
        raise ValueError(
            f"{what}: expected a generalised model, got a linear one, whose residual variance is "
            "estimated. Use residuals and their displays."
        )
    return rows


def _simulated(
    rows: FamilyRows, n: int, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Compare the sums of squares of observed and simulated responses about the same means."""
    family = rows.fit.family
    sums = np.empty((2, n))
    for i in range(n):
        eta = rows.drawn_predictor(rng)
        drawn = family.simulate(eta, rows.extra, rng, rows.trials)
        sums[:, i] = [np.sum(rows.pearson(y, eta) ** 2) for y in (rows.response, drawn)]
    p_value = (1.0 + np.sum(sums[1] >= sums[0])) / (1.0 + n)
    observed, simulated = sums.mean(axis=1)
    return observed, np.nan, observed / simulated, p_value
