"""Simulate small trials, and count how often the test of a treatment without effect rejects.

The table of docs/calibration.md: ``python tests/calibration/trials.py``. Subjects of two arms have
four visits with an unstructured covariance, 20 % of the visits are missing completely at random,
and the treatment is compared at the last visit. All fits are by REML.
"""

from __future__ import annotations

import argparse
import sys
import warnings

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skmixed import mixedlm
from skmixed.results import MixedLMResults

FloatArray = NDArray[np.float64]

SEED = 20261121
LEVEL = 0.05
SUBJECTS = (10, 20)
METHODS = ("normal", "between-within", "satterthwaite", "kenward-roger")
MISSING = 0.2
DEVIATIONS = np.array([1.0, 1.2, 1.5, 2.0])
CORRELATIONS = np.array(
    [[1.0, 0.7, 0.6, 0.4], [0.7, 1.0, 0.7, 0.5], [0.6, 0.7, 1.0, 0.6], [0.4, 0.5, 0.6, 1.0]]
)
COVARIANCE = DEVIATIONS[:, None] * CORRELATIONS * DEVIATIONS
# The last visit is the reference of the coding: the coefficient of treated is the contrast there.
FORMULA = "y ~ C(visit, Treatment(4)) * treated"
STRUCTURE = "us(visit | subject)"


def trial(n_subjects: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a trial with so many subjects in each of two arms, in which the treatment does nothing.

    Parameters
    ----------
    n_subjects : int
    rng : Generator
    """
    n = 2 * n_subjects
    visits = np.arange(1, 5)
    y = visits + rng.multivariate_normal(np.zeros(4), COVARIANCE, size=n, method="cholesky")
    frame = pd.DataFrame(
        {
            "subject": np.repeat(np.arange(n), 4),
            "visit": np.tile(visits, n),
            "treated": np.repeat(np.arange(n) % 2, 4),
            "y": y.ravel(),
        }
    )
    return frame[rng.random(4 * n) >= MISSING]


def fitted(frame: pd.DataFrame) -> MixedLMResults:
    """Fit a trial."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixedlm(FORMULA, frame, residual=STRUCTURE)


def type_one_errors(n_subjects: int, n_samples: int, seed: int = SEED) -> pd.Series:
    """Return the shares of trials in which a t test at 5 % rejects.

    Parameters
    ----------
    n_subjects : int
        Of each arm.
    n_samples, seed : int

    Returns
    -------
    Series
        One value for each way to count degrees of freedom; ``failed`` is the share of fits that did
        not converge, which count all the same.
    """
    rng = np.random.default_rng([seed, n_subjects])
    rejected, failed = np.zeros(len(METHODS)), 0
    for _ in range(n_samples):
        results = fitted(trial(n_subjects, rng))
        rejected += [
            results.t_test("treated = 0", df_method=method)["p_value"].iloc[0] < LEVEL
            for method in METHODS
        ]
        failed += not results.converged
    shares = pd.Series(rejected / n_samples, list(METHODS))
    shares["failed"] = failed / n_samples
    return shares


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=2_000, help="of each number of subjects")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    table = pd.DataFrame({n: type_one_errors(n, options.samples, options.seed) for n in SUBJECTS}).T
    sys.stdout.write(table.rename_axis("subjects in an arm").to_string(float_format="%.4f") + "\n")


if __name__ == "__main__":
    main()
