"""Parametric bootstrap of a likelihood ratio."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from skmixed.exceptions import warn_user
from skmixed.inference.comparison.compared_models import ComparedModel
from skmixed.inference.replication.refits import Refitter
from skmixed.inference.replication.simulation import response_model

__all__ = ["Resampling", "bootstrap_p_value"]

# Replicates where no other reference distribution is known, and the number of rows up to which
# models of several factors, which are fitted one by one, take no more than about a minute; and that
# of generalised models, each of whose fits takes longer.
REPLICATES = 1000
MANY_ROWS = 5000
MANY_GENERALISED = 500


@dataclass(frozen=True, slots=True, eq=False)
class Resampling:
    """Hold when and how likelihood ratios are simulated, a number of times or where need be."""

    n: int | Literal["auto"]
    rng: np.random.Generator
    n_jobs: int | None = None

    def __post_init__(self) -> None:
        if self.n != "auto" and not self.n >= 0:
            raise ValueError(
                f"bootstrap, the number of replicates, must be 'auto' or at least 0, got {self.n}."
            )

    def replicates(self, large: ComparedModel, *, known: bool) -> int:
        """Return how many responses to simulate; warn where they are wanted and take too long.

        They are not wanted where another reference distribution is ``known``.
        """
        if self.n != "auto":
            return self.n
        if known:
            return 0
        design = large.model.design
        repeated = design.weights.row_multiplicity is not None
        if not large.fit.is_linear:
            small = design.n_rows <= MANY_GENERALISED
        else:
            small = len(design.blocks) <= 1 or design.n_rows <= MANY_ROWS
        if small and not repeated:
            return REPLICATES
        remedy = (
            "Rows that count several times cannot be simulated: repeat them in the data"
            if repeated
            else f"Pass bootstrap=1000 to simulate the ratio, which fits {design.n_rows:,} rows as "
            "many times"
        )
        warn_user(
            f"No mixture of chi-squares is known for the test of {large.name!r}, and the "
            f"chi-squared p-value is too large. {remedy}, or pass bootstrap=0 to do without.",
            UserWarning,
        )
        return 0


def bootstrap_p_value(
    small: ComparedModel,
    large: ComparedModel,
    n: int,
    resampling: Resampling,
    *,
    rounding: float = 0.0,
) -> dict[str, float]:
    """Compare a likelihood ratio with n of those of responses that the smaller model simulates.

    With k of n simulated ratios at least as large as the observed one, the p-value is
    (k + 1) / (n + 1) (Davison and Hinkley 1997, section 4.2). Replicates in which a search failed
    are left out, and ratios that differ by less than ``rounding`` are equal.
    """
    source = response_model(small.fit, small.model)
    seed = int(resampling.rng.integers(2**63))
    pair = []
    for one in (small, large):
        # The same seed for both: they are fitted to the same responses.
        draw = partial(source.with_new_effects, rng=np.random.default_rng(seed))
        refitter = Refitter(one.model, one.fit, one.model, None, resampling.n_jobs, 0)
        pair.append(refitter.of_responses(n, draw))
    without, within = pair
    ratios = 2.0 * (within["log_likelihood"] - without["log_likelihood"])
    found = ratios[within["converged"] & without["converged"]].to_numpy()
    observed = small.fit.criterion - large.fit.criterion
    n_larger, n = int((found >= observed - rounding).sum()), len(found)
    p_value = (n_larger + 1) / (n + 1) if n else math.nan
    error = math.sqrt(p_value * (1.0 - p_value) / n) if n else math.nan
    return {"p_value_bootstrap": p_value, "p_value_bootstrap_se": error}
