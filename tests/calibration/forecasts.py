"""Simulate persons, and count how often limits of their next visits hold what comes.

The table of docs/calibration.md: ``python tests/calibration/forecasts.py``. Residuals follow an
autoregression with correlation 0.7 and standard deviation 1 beside random intercepts of standard
deviation 1; six visits of each person are fitted by REML, the next three predicted.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import SingularFitWarning, mixedlm

FloatArray = NDArray[np.float64]

SEED = 20261121
LEVEL = 0.95
PHI = 0.7
N_OBSERVED, N_AHEAD = 6, 3
PERSONS = (15, 50)
FORMULA = "y ~ x + (1 | person)"
STRUCTURE = "ar1(visit | person)"
# Whether observed residuals are used, and what is said of the estimated variances.
KINDS = {
    "without memory": (False, None),
    "with memory": (True, None),
    "with memory, delta": (True, "delta"),
}


def panel(n_persons: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the visits of some persons.

    Parameters
    ----------
    n_persons : int
    rng : Generator
    """
    n_visits = N_OBSERVED + N_AHEAD
    errors = rng.normal(size=(n_persons, n_visits))
    for visit in range(1, n_visits):
        errors[:, visit] *= np.sqrt(1.0 - PHI**2)
        errors[:, visit] += PHI * errors[:, visit - 1]
    x = rng.normal(size=errors.size)
    intercepts = np.repeat(rng.normal(size=n_persons), n_visits)
    return pd.DataFrame(
        {
            "person": np.repeat(np.arange(n_persons), n_visits),
            "visit": np.tile(np.arange(n_visits), n_persons),
            "x": x,
            "y": 1.0 + 0.5 * x + intercepts + errors.ravel(),
        }
    )


def coverage(n_persons: int, n_samples: int, seed: int = SEED) -> pd.DataFrame:
    """Return shares of visits within their 95 % limits, and the mean width of these.

    Parameters
    ----------
    n_persons, n_samples, seed : int

    Returns
    -------
    DataFrame
        One row for each kind of limits and number of visits ahead: ``coverage``, its Monte-Carlo
        standard error ``error`` (visits of one sample share its estimates), and ``width``.
    """
    rng = np.random.default_rng([seed, n_persons])
    held: dict[str, list[FloatArray]] = {kind: [] for kind in KINDS}
    widths: dict[str, list[FloatArray]] = {kind: [] for kind in KINDS}
    for _ in range(n_samples):
        frame = panel(n_persons, rng)
        observed = frame["visit"] < N_OBSERVED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularFitWarning)
            results = mixedlm(
                "y ~ x + (1 | person)", frame[observed], residual="ar1(visit | person)"
            )
        ahead = frame[~observed]
        y = ahead["y"].to_numpy()
        for kind, (memory, uncertainty) in KINDS.items():
            lower, upper = results.predict_interval(
                ahead, coverage=LEVEL, residual_memory=memory, variance_uncertainty=uncertainty
            ).T
            inside = (lower <= y) & (y <= upper)
            held[kind].append(inside.reshape(n_persons, N_AHEAD).mean(axis=0))
            widths[kind].append((upper - lower).reshape(n_persons, N_AHEAD).mean(axis=0))
    tables = {
        kind: pd.DataFrame(
            {
                "coverage": np.mean(shares, axis=0),
                "error": np.std(shares, axis=0, ddof=1) / np.sqrt(n_samples),
                "width": np.mean(widths[kind], axis=0),
            },
            index=pd.RangeIndex(1, N_AHEAD + 1, name="ahead"),
        )
        for kind, shares in held.items()
    }
    return pd.concat(tables, names=["limits"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=500, help="of each number of persons")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    tables = {n: coverage(n, options.samples, options.seed) for n in PERSONS}
    table = pd.concat(tables, names=["persons"])
    sys.stdout.write(table.to_string(float_format="%.4f") + "\n")


if __name__ == "__main__":
    main()
