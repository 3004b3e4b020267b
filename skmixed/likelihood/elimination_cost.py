"""Whether the inverse in a generalised model is exact, or estimated from random probes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skmixed.likelihood.choose import DENSE_SPEED, ITERATIONS, SPARSE_SPEED, Cost, Solver, pays
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.memory import require_memory
from skmixed.likelihood.stochastic import Probes, random_probes

__all__ = ["FEWER_REPLICATES", "exact_cost", "probed_cost", "probes_for"]

# Evaluations of a usual fit, those for the Hessian included.
EVALUATIONS = 15
# The preconditioner's blocks explain most of the inverse where rows lie: half of the probes of a
# linear model leave a Monte-Carlo error of a hundredth of a standard error.
FEWER_REPLICATES = 8
# Operations for each pair of cells of one level: its part of C'C, and its entry of the inverse.
PER_PAIR = 80.0


def probes_for(
    elimination: Elimination, solver: Solver = "auto", names: Sequence[str] = ()
) -> Probes | None:
    """Return the probes of a fit; None where it is exact.

    Parameters
    ----------
    solver : {"auto", "direct", "iterative"}
        Where all factors are eliminated level by level, every solver is the exact one.
    names : sequence of str
        Of the factors, for messages.

    Raises
    ------
    MemoryError
        If there is not enough memory for the solver.
    """
    if not elimination.others or solver == "direct":
        probes = None
    elif solver == "iterative" or pays(exact_cost(elimination), probed_cost(elimination)):
        probes = random_probes(elimination.shapes, FEWER_REPLICATES)
    else:
        probes = None
    if probes is None:
        require_memory(
            exact_cost(elimination).n_bytes,
            f"Fitting the factors {list(names)} together and exactly",
            "Use solver='iterative', or fit fewer factors.",
        )
    else:
        require_memory(
            probed_cost(elimination).n_bytes,
            f"Fitting the factors {list(names)} together",
            "Fit fewer factors, or those with fewer levels.",
        )
    return probes


def exact_cost(elimination: Elimination) -> Cost:
    """Estimate what the dense inverse costs."""
    n, pairs = float(elimination.n_dense), 0.0
    for s in elimination.chain:
        counts = np.diff(elimination.placed_coupled[s].indptr).astype(np.float64)
        pairs += float(counts @ counts)
    seconds = n**3 / DENSE_SPEED + PER_PAIR * pairs / SPARSE_SPEED
    return Cost(EVALUATIONS * seconds, 24.0 * n**2)


def probed_cost(elimination: Elimination) -> Cost:
    """Estimate what the solutions for the probes cost.

    Each iteration of each column takes two products with each of the cells.
    """
    entries = float(len(elimination.placed_others.order))
    entries += sum(len(elimination.placed_coupled[s].order) for s in elimination.chain)
    columns = FEWER_REPLICATES * sum(k for k, _ in elimination.shapes)
    operations = 4.0 * ITERATIONS * columns * (entries + 5.0 * elimination.n_dense)
    n_bytes = 8.0 * (6.0 * entries + 10.0 * columns * elimination.n_dense)
    return Cost(EVALUATIONS * operations / SPARSE_SPEED, n_bytes)
