"""Simulate samples, and count how often intervals of predictions hold what they predict.

The table of docs/prediction-uncertainty.md: ``python tests/calibration/prediction.py``. All
variances are 1, and all fits are by REML. Half known is a row of a level of one crossed factor
that was fitted, and of a new level of the other.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

from skmixed import mixedlm
from skmixed.design.design import NewBlock, NewRows
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.model import LMMModel
from skmixed.inference import bootstrap
from skmixed.prediction.mixture import VarianceDraws
from skmixed.prediction.predictive import predictive

FloatArray = NDArray[np.float64]

SEED = 20261120
TAILS = np.array([0.025, 0.975])
KINDS = ("observation", "mean")
METHODS = ("none", "delta", "bootstrap")
# Rows of each group; levels of the second factor of crossed designs, one row in each cell.
N_ROWS, N_SECOND = 5, 8


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Hold the rows of a simulated study, and those to predict.

    Attributes
    ----------
    codes : tuple of ndarray of shape (n,)
        Level of each factor.
    x : ndarray of shape (n,)
    targets : dict of str to tuple of ndarray of shape (m,)
        For each kind of row the level of each factor, -1 for a new one.
    """

    codes: tuple[NDArray[np.intp], ...]
    x: FloatArray
    targets: dict[str, tuple[NDArray[np.intp], ...]]

    @property
    def n_levels(self) -> list[int]:
        """Count the levels of each factor."""
        return [int(codes.max()) + 1 for codes in self.codes]

    def model(self) -> LMMModel:
        """Return a model of these rows; the response is yet to come."""
        names = [f"g{i}" for i in range(len(self.codes))]
        # Any response will do that has a fit.
        frame = pd.DataFrame(dict(zip(names, self.codes, strict=True)))
        frame = frame.assign(x=self.x, y=np.arange(len(self.x)) % 7)
        bars = " + ".join(f"(1 | {name})" for name in names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return mixedlm(f"y ~ x + {bars}", frame).model

    def rows(self, fit: LMMFit, codes: tuple[NDArray[np.intp], ...]) -> NewRows:
        """Return rows to predict, at x = 0.5."""
        m = len(codes[0])
        order = [int(effects.name[1:]) for effects in fit.random]
        blocks = (
            NewBlock(np.ones((m, 1)), np.where(codes[i] < 0, self.n_levels[i], codes[i]))
            for i in order
        )
        return NewRows(np.full((m, 1), 0.5), tuple(blocks))


def one_factor(n_groups: int) -> Study:
    """Give each group five rows with the same x."""
    group = np.repeat(np.arange(n_groups), N_ROWS)
    known = np.arange(n_groups)
    targets = {"known": (known,), "unseen": (np.array([-1]),)}
    return Study((group,), np.tile(np.linspace(-1.0, 1.0, N_ROWS), n_groups), targets)


def crossed(n_groups: int) -> Study:
    """Cross two factors, with one row in each cell."""
    first, second = np.divmod(np.arange(n_groups * N_SECOND), N_SECOND)
    known = np.arange(n_groups)
    targets = {"half known": (known, np.full(n_groups, -1)), "unseen": (known[:1] - 1,) * 2}
    x = np.resize(np.linspace(-1.0, 1.0, 7), len(first))
    return Study((first, second), x, targets)


STUDIES = {"one factor": one_factor, "crossed": crossed}
GROUPS = {"one factor": (6, 12, 30), "crossed": (6, 12)}


def coverage(
    study: str,
    n_groups: int,
    n_samples: int,
    n_bootstrapped: int = 0,
    n_replicates: int = 200,
    seed: int = SEED,
) -> pd.DataFrame:
    """Return how often 95 % intervals hold what they predict.

    The probability is exact for what is new, given the sample, and an average over known groups.

    Parameters
    ----------
    study : {"one factor", "crossed"}
    n_groups, n_samples : int
    n_bootstrapped : int, default=0
        The first so many samples are bootstrapped too.
    n_replicates : int, default=200
        Of the parametric bootstrap of each of them.
    seed : int

    Returns
    -------
    DataFrame
        One row for each kind of row and of prediction, one column for each method, and another
        for its Monte-Carlo standard error.
    """
    rng = np.random.default_rng([seed, list(STUDIES).index(study), n_groups])
    rows = STUDIES[study](n_groups)
    model = rows.model()
    held: dict[tuple[str, str, str], list[float]] = {}
    for sample in range(n_samples):
        methods = methods_of(max(n_bootstrapped - sample, 0))
        effects = [rng.normal(size=n) for n in rows.n_levels]
        mean = 1.0 + sum(b[codes] for b, codes in zip(effects, rows.codes, strict=True))
        y = mean + rng.normal(size=len(rows.x))
        fit, draws = _fitted(model, y, n_replicates if sample < n_bootstrapped else 0, rng)
        ends = np.cumsum([len(codes[0]) for codes in rows.targets.values()])
        new = rows.rows(
            fit, tuple(np.hstack(one) for one in zip(*rows.targets.values(), strict=True))
        )
        for kind, method in product(KINDS, methods):
            how = {"none": None, "delta": "delta", "bootstrap": draws}[method]
            prediction = predictive(
                fit, new, include_random_effects=True, kind=kind, variance_uncertainty=how
            )
            limits = np.split(prediction.quantiles(TAILS), ends[:-1])
            for (target, codes), own in zip(rows.targets.items(), limits, strict=True):
                truth = 1.0 + sum(
                    np.where(code < 0, 0.0, b[code]) for b, code in zip(effects, codes, strict=True)
                )
                variance = sum(code[0] < 0 for code in codes) + (kind == "observation")
                held.setdefault((target, kind, method), []).append(
                    _probability(own, truth, float(np.sqrt(variance)))
                )
    parts = {}
    for key, one in held.items():
        parts[key] = np.mean(one)
        parts[(*key[:-1], f"{key[-1]} error")] = stats.sem(one)
    table = pd.Series(parts).unstack()
    order = pd.MultiIndex.from_product([rows.targets, KINDS], names=["row", "prediction"])
    columns = [column for one in methods_of(n_bootstrapped) for column in (one, f"{one} error")]
    return table.loc[order, columns]


def methods_of(n_bootstrapped: int) -> tuple[str, ...]:
    """Return the methods whose intervals are made."""
    return METHODS if n_bootstrapped else METHODS[:-1]


def _fitted(
    model: LMMModel, y: FloatArray, n_replicates: int, rng: np.random.Generator
) -> tuple[LMMFit, VarianceDraws | None]:
    """Fit a sample, and draw the estimates of its variances."""
    sample = model.with_response(y)
    fit = sample.fit()
    if not n_replicates:
        return fit, None
    draws = bootstrap(sample, n=n_replicates, random_state=rng).draws
    return fit, VarianceDraws(draws[fit.theta_names].to_numpy(), draws["sigma"].to_numpy())


def _probability(limits: FloatArray, mean: FloatArray, spread: float) -> float:
    """Return the probability that limits hold a normal variable, average over the rows."""
    if spread == 0.0:
        return float(np.mean((limits[:, 0] <= mean) & (mean <= limits[:, 1])))
    z = (limits - mean[:, None]) / spread
    return float(np.mean(ndtr(z[:, 1]) - ndtr(z[:, 0])))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2_000, help="of each design")
    parser.add_argument(
        "--bootstrapped", type=int, nargs=2, default=[400, 120], help="one factor, and crossed"
    )
    parser.add_argument("--replicates", type=int, default=200, help="of each bootstrap")
    parser.add_argument("--studies", nargs="+", default=list(STUDIES))
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    bootstrapped = dict(zip(STUDIES, options.bootstrapped, strict=True))
    tables = {
        (study, n): coverage(
            study, n, options.samples, bootstrapped[study], options.replicates, options.seed
        )
        for study in options.studies
        for n in GROUPS[study]
    }
    names = ["design", "groups", "row", "prediction"]
    table = pd.concat(tables).rename_axis(names).reset_index()
    lines = [list(table.columns), ["---"] * table.shape[1], *table.to_numpy().tolist()]
    for line in lines:
        cells = (f"{one:.3f}" if isinstance(one, float) else str(one) for one in line)
        sys.stdout.write(f"| {' | '.join(cells)} |\n")


if __name__ == "__main__":
    main()
