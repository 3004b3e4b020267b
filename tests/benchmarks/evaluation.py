"""Time the objective with its derivatives, for ever more rows of the same number of groups.

Run as ``python evaluation.py SECONDS GROUPS ROWS...``: one line of JSON, seconds by number of rows.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
from measure import warm

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.design.arrays import ArrayFactor, ArrayRecipe
from skmixed.design.design import Design
from skmixed.design.groups import factorise
from skmixed.fitting.standardise import standardised
from skmixed.likelihood.profiled import ProfiledObjective

THETA = np.array([0.7, 0.1, 0.5])
ROUNDS = 5


def objective_of(n_rows: int, n_groups: int) -> ProfiledObjective:
    """Return the objective of a model with a random slope and four covariates."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 4))
    factor = factorise(rng.permutation(np.arange(n_rows) % n_groups), "g")
    recipe = ArrayRecipe(("x0", "x1", "x2", "x3"), (ArrayFactor(factor.levels, (0,), True),))
    y = X.sum(axis=1) + rng.normal(size=n_groups)[factor.codes] + rng.normal(size=n_rows)
    design = Design(y, X, recipe.names, True, recipe.blocks(X, [factor]))
    covariance = JointCovariance((DirectSum((Unstructured(),), (2,)),))
    products = standardised(design, covariance)[1].products()
    return ProfiledObjective(products, covariance, reml=True)


def in_turns(evaluations: list[Callable[[], object]], room: float) -> list[float]:
    """Return the median time of each evaluation, measured in turns; the best of several rounds."""
    rounds = [[warm(evaluate, room)[0] for evaluate in evaluations] for _ in range(ROUNDS)]
    return [min(times) for times in zip(*rounds, strict=True)]


def main() -> None:
    """Print the times."""
    room = float(sys.argv[1]) / ROUNDS
    n_groups, *sizes = map(int, sys.argv[2:])
    objectives = [objective_of(n_rows, n_groups) for n_rows in sizes]
    seconds = in_turns([lambda o=o: o(THETA) for o in objectives], room)
    print(json.dumps({"rows": sizes, "seconds": seconds}))


if __name__ == "__main__":
    main()
