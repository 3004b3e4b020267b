"""Quantile residuals: where each response is in the distribution that the model has for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtri

from skmixed.inference.diagnostics.family_rows import FamilyRows
from skmixed.inference.diagnostics.family_tests import required_family_rows
from skmixed.prediction.averaged_cdf import averaged_cdf
from skmixed.prediction.predictor_rows import predictor_rows

__all__ = ["quantile_residual_tests", "quantile_residuals", "uniforms_of_rows"]

FloatArray = NDArray[np.float64]

EFFECTS = ("posterior", "conditional", "new")
# Tails of a uniform distribution where residuals are outliers, both together.
TAILS = 0.002
# No probability is nearer to 0 or 1.
LEAST = 1e-15


def quantile_residuals(
    fitted: Any,
    X: Any = None,
    y: Any = None,
    *,
    random_effects: str = "posterior",
    n_simulations: int | None = None,
    scale: str = "uniform",
    random_state: Any = None,
    **arguments: Any,
) -> pd.Series:
    """Return the probability of a response up to the observed one, for each row.

    If the model is right, they are uniform between 0 and 1, whatever the family. Those of a
    discrete response are drawn between the probabilities of less than it and of up to it
    (Dunn and Smyth 1996).

    Parameters
    ----------
    fitted : MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedglm`` keep their rows.
    random_effects : {"posterior", "conditional", "new"}, default="posterior"
        Given which random effects. ``"posterior"`` draws them once given the data: at true
        parameters, and where their distribution is near normal, such residuals are uniform and
        independent, as each drawn effect is as likely as the one behind the data.
        ``"conditional"`` has their modes, to which the responses are too close if groups are small.
        ``"new"`` averages over the effects of new groups: uniform, but alike within a group.
    n_simulations : int, optional
        Simulate so many responses of each row, as DHARMa does, and take the part below the
        observed one. By default the probability is that of the family, which has no noise.
    scale : {"uniform", "normal"}, default="uniform"
        ``"normal"`` gives the quantiles of the standard normal distribution.
    random_state : int, numpy.random.Generator or None, default=None
        Of all that is drawn.
    **arguments
        What else the estimator's ``fit`` was given.

    Returns
    -------
    pandas.Series of shape (n,)

    Raises
    ------
    ValueError
        If the model is a linear one, or there is no such option.
    TypeError
        If there are no rows.

    See Also
    --------
    quantile_residual_tests : Tests that they are uniform.

    References
    ----------
    Dunn, P. K. and Smyth, G. K. (1996). Randomized quantile residuals. Journal of Computational and
    Graphical Statistics 5, 236-244.

    Hartig, F. (2022). DHARMa: residual diagnostics for hierarchical regression models.

    Waagepetersen, R. (2006). A simulation-based goodness-of-fit test for random effects in
    generalized linear mixed models. Scandinavian Journal of Statistics 33, 721-731.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> from skmixed.inference import quantile_residuals
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"g": np.arange(400) % 20})
    >>> data["events"] = rng.poisson(np.exp(1.0 + 0.5 * rng.normal(size=20)[data["g"]]))
    >>> results = mixedglm("events ~ 1 + (1 | g)", data, family="poisson")
    >>> quantile_residuals(results, random_state=0).describe()[["mean", "std"]].round(1).to_dict()
    {'mean': 0.5, 'std': 0.3}
    """
    if scale not in ("uniform", "normal"):
        raise ValueError(f"scale must be 'uniform' or 'normal', got {scale!r}.")
    rows = required_family_rows(fitted, X, y, arguments, "Quantile residuals")
    uniforms = uniforms_of_rows(rows, random_effects, n_simulations, random_state)
    values = uniforms if scale == "uniform" else ndtri(uniforms)
    return rows.series(values, "quantile")


def quantile_residual_tests(
    fitted: Any, X: Any = None, y: Any = None, **options: Any
) -> pd.DataFrame:
    """Test that quantile residuals are uniform, as spread as that, and without outliers.

    Parameters
    ----------
    fitted : MixedGLMResults or fitted estimator
    X, y : array-like, optional
        What an estimator was fitted to; results of ``mixedglm`` keep their rows.
    **options
        As for `quantile_residuals`: random_effects, n_simulations, random_state, and what else the
        estimator's ``fit`` was given. The tests hold for independent residuals, which those of
        ``random_effects="new"`` are not.

    Returns
    -------
    DataFrame
        One row for each test: test, statistic and p_value, two-sided. ``"uniformity"`` is
        Kolmogorov and Smirnov's; ``"dispersion"`` has the mean square of the normal quantiles,
        which is 1 if the model is right, above 1 with overdispersion; ``"outliers"`` has the number
        of residuals in the outer 0.1 % at each end.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> from skmixed.inference import quantile_residual_tests
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"g": np.arange(400) % 20})
    >>> rate = np.exp(1.0 + 0.5 * rng.normal(size=20)[data["g"]])
    >>> data["events"] = rng.negative_binomial(2.0, 2.0 / (2.0 + rate))
    >>> poisson = mixedglm("events ~ 1 + (1 | g)", data, family="poisson")
    >>> tests = quantile_residual_tests(poisson, random_state=0)
    >>> tests.loc[tests["p_value"] < 0.01, "test"].to_list()
    ['uniformity', 'dispersion', 'outliers']
    """
    uniforms = quantile_residuals(fitted, X, y, **options).to_numpy()
    n = len(uniforms)
    uniformity = stats.kstest(uniforms, "uniform")
    squares = float(np.sum(ndtri(uniforms) ** 2))
    below = stats.chi2.cdf(squares, n)
    outliers = int(np.sum(np.abs(uniforms - 0.5) > 0.5 * (1.0 - TAILS)))
    return pd.DataFrame(
        {
            "test": ["uniformity", "dispersion", "outliers"],
            "statistic": [uniformity.statistic, squares / n, outliers],
            "p_value": [
                uniformity.pvalue,
                2.0 * min(below, stats.chi2.sf(squares, n)),
                stats.binomtest(outliers, n, TAILS).pvalue,
            ],
        }
    )


def uniforms_of_rows(
    rows: FamilyRows, random_effects: str, n_simulations: int | None, random_state: Any
) -> FloatArray:
    """Return the residuals of rows, as ``quantile_residuals``, shape (n,)."""
    if random_effects not in EFFECTS:
        raise ValueError(f"random_effects must be one of {list(EFFECTS)}, got {random_effects!r}.")
    rng = np.random.default_rng(random_state)
    if n_simulations is not None:
        low, high = _simulated(rows, random_effects, int(n_simulations), rng)
    else:
        low, high = _exact(rows, random_effects, rng)
    uniforms = low + rng.random(len(low)) * (high - low)
    return np.asarray(np.clip(uniforms, LEAST, 1.0 - LEAST))


def _exact(
    rows: FamilyRows, random_effects: str, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the probabilities of less than each response and of up to it."""
    mean, variance = rows.eta, np.zeros_like(rows.eta)
    if random_effects == "new":
        mean, variance = rows.source.fixed, rows.effect_variance
    elif random_effects == "posterior":
        mean = rows.drawn_predictor(rng)
    law = predictor_rows(rows.fit.family, mean, variance, rows.extra, rows.trials)
    up_to = averaged_cdf(law, rows.response)
    if not rows.fit.family.is_discrete:
        return up_to, up_to
    # Half a step below a response is the same as its predecessor, for which rounding may fail.
    below = rows.response - 0.5 / (1.0 if rows.trials is None else rows.trials)
    possible = np.flatnonzero(below > 0.0)
    less = np.zeros_like(up_to)
    less[possible] = averaged_cdf(law.take(possible), below[possible])
    return less, up_to


def _simulated(
    rows: FamilyRows, random_effects: str, n: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return the parts of simulated responses that are less than each, and up to it.

    The observed response counts as one of them, so that no part is 0 or 1.
    """
    family, y = rows.fit.family, rows.response
    eta = rows.drawn_predictor(rng) if random_effects == "posterior" else rows.eta
    less, equal = np.zeros_like(y), np.zeros_like(y)
    for _ in range(n):
        if random_effects == "new":
            eta = rows.drawn_predictor(rng, new=True)
        drawn = family.simulate(eta, rows.extra, rng, rows.trials)
        less += drawn < y
        equal += drawn == y
    return less / (n + 1.0), (less + equal + 1.0) / (n + 1.0)
