"""Simulate samples, and count how often intervals of groups hold their effects and coefficients.

The table of docs/how-sure-of-a-group.md: ``python tests/calibration/groups.py``. All fits are by
REML. Slopes: ten days of each subject, with the estimates of the sleep study for parameters.
Intercepts: five rows of each group, residuals of variance 1.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from skmixed import mixedlm
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.group_errors import GroupSums, group_coefficients, group_effects
from skmixed.results.group_intervals import estimates_of_groups

FloatArray = NDArray[np.float64]

SEED = 20261120
TAILS = np.array([0.025, 0.975])
METHODS = (None, "delta")
WHAT: dict[str, Callable[..., GroupSums]] = {
    "effect": group_effects,
    "effect, beta known": partial(group_effects, beta_known=True),
    "coefficient": group_coefficients,
}


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Hold the parameters of a study: each group has the same rows.

    Attributes
    ----------
    n_groups : int
    columns : ndarray of shape (n_rows, k)
        The intercept, and x if slopes differ.
    beta : ndarray of shape (k,)
    covariance : ndarray of shape (k, k)
        Of the effects.
    sigma : float
    """

    n_groups: int
    columns: FloatArray
    beta: FloatArray
    covariance: FloatArray
    sigma: float

    def model(self) -> LMMModel:
        """Return a model of these rows; the response is yet to come."""
        frame = pd.DataFrame({"g": np.repeat(np.arange(self.n_groups), len(self.columns))})
        frame["x"] = np.tile(self.columns[:, -1], self.n_groups)
        # Any response will do that has a fit.
        frame["y"] = np.arange(len(frame)) % 7
        formula = "y ~ x + (x | g)" if len(self.beta) > 1 else "y ~ 1 + (1 | g)"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mixedlm(formula, frame).model

    def sample(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Draw the effects of all groups (n_groups, k), and a response."""
        k = len(self.beta)
        effects = rng.multivariate_normal(
            np.zeros(k), self.covariance, size=self.n_groups, method="cholesky"
        )
        mean = ((self.beta + effects) @ self.columns.T).ravel()
        return effects, mean + self.sigma * rng.normal(size=len(mean))


def slopes(n_groups: int, scale: float = 1.0) -> Study:
    """Give subjects ten days each, with what is estimated from the sleep study."""
    days = np.column_stack([np.ones(10), np.arange(10.0)])
    sizes = scale * np.array([24.74, 5.92])
    correlation = np.array([[1.0, 0.066], [0.066, 1.0]])
    covariance = np.outer(sizes, sizes) * correlation
    return Study(n_groups, days, np.array([251.4, 10.47]), covariance, 25.59)


def intercepts(n_groups: int, scale: float = 1.0) -> Study:
    """Give groups five rows each, with intercepts of some standard deviation."""
    return Study(n_groups, np.ones((5, 1)), np.ones(1), np.full((1, 1), scale**2), 1.0)


STUDIES = {
    ("slopes", 18): slopes(18),
    ("intercepts, sd 1", 10): intercepts(10),
    ("intercepts, sd 1", 30): intercepts(30),
    ("intercepts, sd 0.5", 10): intercepts(10, 0.5),
    ("intercepts, sd 0.5", 30): intercepts(30, 0.5),
}


def coverage(study: tuple[str, int], n_samples: int, seed: int = SEED) -> pd.DataFrame:
    """Return how often 95 % intervals hold the truth, average over the groups.

    Parameters
    ----------
    study : tuple of (str, int)
        A key of ``STUDIES``.
    n_samples, seed : int

    Returns
    -------
    DataFrame
        One row for each effect and coefficient: for each method the share, its Monte-Carlo
        standard error and the median half width of the intervals; and the share of samples with
        a singular covariance.
    """
    design = STUDIES[study]
    rng = np.random.default_rng([seed, list(STUDIES).index(study)])
    model = design.model()
    held: dict[tuple[str, str, str], list[float]] = {}
    widths: dict[tuple[str, str, str], list[float]] = {}
    n_singular = 0
    for _ in range(n_samples):
        effects, y = design.sample(rng)
        fit = model.with_response(y).fit()
        n_singular += fit.singular
        for what in WHAT:
            truth = effects + design.beta * (what == "coefficient")
            for method in METHODS:
                names, lower, upper = limits(fit, what, method)
                inside = ((lower <= truth) & (truth <= upper)).mean(axis=0)
                for j, name in enumerate(names):
                    key = (what, name, method or "none")
                    held.setdefault(key, []).append(inside[j])
                    widths.setdefault(key, []).append(0.5 * np.mean((upper - lower)[:, j]))
    parts = {}
    for key, shares in held.items():
        parts[key] = np.mean(shares)
        parts[(*key[:-1], f"{key[-1]} error")] = stats.sem(shares)
        parts[(*key[:-1], f"{key[-1]} width")] = np.median(widths[key])
    table = pd.Series(parts).rename_axis(["what", "name", None]).unstack()
    columns = [f"{m or 'none'}{part}" for m in METHODS for part in ("", " error", " width")]
    order = list(dict.fromkeys(key[:-1] for key in held))
    return table.loc[order, columns].assign(singular=n_singular / n_samples)


def limits(
    fit: LMMFit, what: str, method: str | None
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Return names, and lower and upper limits of the only factor, (n_groups, m)."""
    sums = WHAT[what](fit, fit.random[0])
    (found,) = estimates_of_groups(FittedModel(fit), [sums], method)
    lower, upper = found.quantiles(TAILS).T
    return sums.names, sums.by_level(lower), sums.by_level(upper)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=5_000, help="of each study")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    tables = {study: coverage(study, options.samples, options.seed) for study in STUDIES}
    table = pd.concat(tables, names=["study", "groups"]).reset_index()
    lines = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    for line in lines:
        cells = (f"{one:.4f}" if isinstance(one, float) else str(one) for one in line)
        sys.stdout.write(f"| {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
