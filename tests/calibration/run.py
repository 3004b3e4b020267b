"""Simulate samples, and count how often tests reject and intervals hold the truth.

The tables of docs/calibration.md: ``python tests/calibration/run.py``. Random intercepts and
slopes have standard deviation 1 and correlation 0.3, residuals standard deviation 1; all fits are
by REML.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed import mixedlm
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference import bootstrap, confint
from skmixed.inference.coefficients.degrees_of_freedom import DF_METHODS
from skmixed.inference.coefficients.wald import t_tests

FloatArray = NDArray[np.float64]

SEED = 20261120
LEVEL = 0.05
GROUPS = (6, 10, 30)
METHODS = ("normal", "residual", "satterthwaite", "kenward-roger")
COVARIATES = ("w", "x")
# With w * x, means and slopes of the groups have the same predictor, so that balanced designs
# have exact tests with random slopes too.
FORMULAS = {"intercept": "y ~ w + x + (1 | g)", "slope": "y ~ w * x + (x | g)"}
EFFECTS = np.array([[1.0, 0.3], [0.3, 1.0]])
UNBALANCED_SIZES = (2, 4, 6, 8, 10, 30)
TRUTH = {"sd_Intercept|g": 1.0, "sd_x|g": 1.0, "sigma": 1.0}


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Hold the rows: w is the same within a group, x varies.

    Attributes
    ----------
    group : ndarray of shape (n,)
        From 0 on.
    w, x : ndarray of shape (n,)
    """

    group: NDArray[np.intp]
    w: FloatArray
    x: FloatArray

    def responses(self, random: str, rng: np.random.Generator) -> FloatArray:
        """Draw a sample in which neither w nor x has an effect."""
        effects = rng.multivariate_normal(
            np.zeros(2), EFFECTS, size=self.group[-1] + 1, method="cholesky"
        )
        mean = effects[self.group, 0]
        if random == "slope":
            mean = mean + effects[self.group, 1] * self.x
        return mean + rng.normal(size=len(mean))

    def model(self, formula: str) -> LMMModel:
        """Return a model of these rows; the response is yet to come."""
        # Any response will do that has a fit.
        frame = pd.DataFrame({"y": self.w + self.x**2, "w": self.w, "x": self.x, "g": self.group})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mixedlm(formula, frame).model


def balanced(n_groups: int) -> Design:
    """Give each group ten rows with the same x; w are normal quantiles."""
    group = np.repeat(np.arange(n_groups), 10)
    return Design(group, _quantiles(n_groups)[group], np.tile(np.linspace(-1.0, 1.0, 10), n_groups))


def unbalanced(n_groups: int) -> Design:
    """Give groups 2 to 30 rows, ten on average if six groups; x are normal and differ."""
    group = np.repeat(np.arange(n_groups), np.resize(UNBALANCED_SIZES, n_groups))
    x = np.random.default_rng(n_groups).normal(scale=0.6, size=len(group))
    # Otherwise large groups would have the large w.
    order = np.random.default_rng(0).permutation(n_groups)
    return Design(group, _quantiles(n_groups)[order][group], x)


DESIGNS = {"balanced": balanced, "unbalanced": unbalanced}


def type_one_errors(
    design: str, random: str, n_groups: int, n_samples: int, seed: int = SEED
) -> pd.DataFrame:
    """Return the shares of samples in which a t test at 5 % rejects a true hypothesis.

    Parameters
    ----------
    design : {"balanced", "unbalanced"}
    random : {"intercept", "slope"}
    n_groups, n_samples, seed : int

    Returns
    -------
    DataFrame
        One row for each covariate, one column for each way to count degrees of freedom; NaN if
        a sample has no p-value. ``singular`` is the share of samples with a singular covariance.
    """
    key = [seed, list(DESIGNS).index(design), list(FORMULAS).index(random), n_groups]
    rng, rows = np.random.default_rng(key), DESIGNS[design](n_groups)
    model = rows.model(FORMULAS[random])
    rejected, n_singular = np.zeros((len(COVARIATES), len(METHODS))), 0
    for _ in range(n_samples):
        fit = model.with_response(rows.responses(random, rng)).fit()
        p_values = _p_values(fit)
        n_singular += fit.singular
        rejected += np.where(np.isnan(p_values), np.nan, p_values < LEVEL)
    table = pd.DataFrame(rejected / n_samples, list(COVARIATES), list(METHODS))
    return table.assign(singular=n_singular / n_samples)


def coverage(n_groups: int, n_samples: int, n_replicates: int, seed: int = SEED) -> pd.DataFrame:
    """Return how often 95 % intervals hold the true standard deviations.

    The model is y ~ x + (x | g), the design balanced.

    Parameters
    ----------
    n_groups, n_samples : int
    n_replicates : int
        Of the parametric bootstrap of each sample.
    seed : int

    Returns
    -------
    DataFrame
        One row for each parameter and method: ``coverage``, the shares of intervals that lie
        ``below`` and ``above`` the truth, and of samples that have ``none``.
    """
    rng, rows = np.random.default_rng([seed, n_groups]), balanced(n_groups)
    model = rows.model("y ~ x + (x | g)")
    truth = pd.Series(TRUTH)
    counts: dict[str, FloatArray] = {}
    for _ in range(n_samples):
        sample = model.with_response(rows.responses("slope", rng))
        for method, limits in _intervals(sample, n_replicates, rng).items():
            none = limits[["lower", "upper"]].isna().any(axis=1)
            sides = [limits["upper"] < truth, limits["lower"] > truth, none]
            counts[method] = counts.get(method, 0.0) + np.array(sides, dtype=np.float64)
    shares = {
        method: pd.DataFrame((count / n_samples).T, truth.index, ["below", "above", "none"])
        for method, count in counts.items()
    }
    table = pd.concat(shares, names=["method", "parameter"]).swaplevel()
    table.insert(0, "coverage", 1.0 - table.sum(axis=1))
    return table.sort_index(level="parameter", sort_remaining=False)


def standard_error(share: float, n_samples: int) -> float:
    """Return the Monte-Carlo standard error of a share."""
    return float(np.sqrt(share * (1.0 - share) / n_samples))


def balanced_error(random: str, covariate: str, method: str, n_groups: int) -> float:
    """Return the type I error in the balanced design, by theory.

    The statistic has a t distribution, of n_groups - 2 degrees of freedom for what varies between
    groups; a way of counting that says otherwise takes its limit from another distribution. The
    chance of a variance being estimated as 0 is left out.
    """
    n_rows, n_coefficients = 10 * n_groups, 4 if random == "slope" else 3
    within = random == "intercept" and covariate == "x"
    df = n_rows - n_groups - 1 if within else n_groups - 2
    assumed = {"normal": np.inf, "residual": n_rows - n_coefficients}.get(method, df)
    return float(2.0 * stats.t.sf(stats.t.isf(0.5 * LEVEL, assumed), df))


def _p_values(fit: LMMFit) -> FloatArray:
    """Return one row for each covariate, one column for each method."""
    contrasts = np.array([[name == one for name in fit.fixed.names] for one in COVARIATES], float)
    return np.column_stack([t_tests(fit, contrasts, DF_METHODS[m]).p_values for m in METHODS])


def _intervals(
    sample: LMMModel, n_replicates: int, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """Return the limits of the standard deviations by each method."""
    fit, names = sample.fit(), list(TRUTH)
    draws = bootstrap(sample, n=n_replicates, random_state=rng)
    tables = {
        "profile": confint(fit, "profile", names),
        "Wald": confint(fit, "wald", names),
        "bootstrap, percentile": draws.conf_int("percentile"),
        "bootstrap, basic": draws.conf_int("basic"),
    }
    return {method: table.set_index("parameter").loc[names] for method, table in tables.items()}


def _quantiles(n: int) -> FloatArray:
    """Return n quantiles of the normal distribution."""
    return np.asarray(stats.norm.ppf((np.arange(n) + 0.5) / n))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=5_000, help="of each cell of the t tests")
    parser.add_argument("--interval-samples", type=int, default=2_000, help="of the intervals")
    parser.add_argument("--replicates", type=int, default=400, help="of each bootstrap")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    errors = {
        (design, random, n): type_one_errors(design, random, n, options.samples, options.seed)
        for design in DESIGNS
        for random in FORMULAS
        for n in GROUPS
    }
    table = pd.concat(errors, names=["design", "random", "groups", "covariate"])
    table = table.reset_index().sort_values(
        ["design", "random", "covariate", "groups"], ignore_index=True
    )
    error = standard_error(LEVEL, options.samples)
    _show(f"Type I error at 5 %, standard error {error:.4f} at 0.05", table)
    held = {
        n: coverage(n, options.interval_samples, options.replicates, options.seed) for n in (10, 30)
    }
    error = standard_error(1.0 - LEVEL, options.interval_samples)
    _show(
        f"Coverage of 95 % intervals, standard error {error:.4f} at 0.95",
        pd.concat(held, names=["groups"]).reset_index(),
    )


def _show(title: str, table: pd.DataFrame) -> None:
    """Write a table for a page."""
    lines = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    sys.stdout.write(f"{title}\n\n")
    for line in lines:
        cells = (
            f"{one:.3f}" if isinstance(one, float) else str(one).replace("|", "\\|") for one in line
        )
        sys.stdout.write(f"| {' | '.join(cells)} |\n")
    sys.stdout.write("\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
