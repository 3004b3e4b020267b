"""Which kernel evaluates the likelihood: exact with dense blocks, or iterative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from skmixed.likelihood.arrangement import Arrangement, arrange
from skmixed.likelihood.blocked import BlockedKernel
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.iterative import IterativeKernel
from skmixed.likelihood.kernel import Kernel
from skmixed.likelihood.memory import is_available, require_memory
from skmixed.likelihood.single_factor import SingleFactorKernel

__all__ = ["SOLVERS", "Cost", "Solver", "direct_cost", "iterative_cost", "kernel_for", "pays"]

Solver = Literal["auto", "direct", "iterative"]
SOLVERS = ("auto", "direct", "iterative")

# Evaluations of a usual fit.
EVALUATIONS = 7
# Floating-point operations per second of dense matrices, and of products with sparse ones.
DENSE_SPEED = 2e10
SPARSE_SPEED = 3e9
# Iterations of conjugate gradients, and columns: the probes and a few others.
ITERATIONS = 8
COLUMNS = 20
# Seconds that an exact fit may take, and how many times those of an estimate.
QUICK = 2.0
WORTH = 3.0
# The part of the free memory that an exact fit may take before the iterative kernel is chosen.
SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold an estimate of what a fit costs."""

    seconds: float
    n_bytes: float


def kernel_for(
    products: CrossProducts, solver: Solver = "auto", names: Sequence[str] = ()
) -> Kernel:
    """Choose the kernel of a model, the largest factor first; raise MemoryError for want of room.

    With one factor or none, every solver is the exact one: it costs nothing that grows faster than
    the number of levels. The names of the factors are for messages.
    """
    if len(products.factors) < 2:
        return SingleFactorKernel(products)
    if solver == "iterative":
        return _iterative(products, names)
    arrangement = arrange(products)
    direct = _cost_of(arrangement)
    if solver == "auto" and pays(direct, iterative_cost(products)):
        return _iterative(products, names)
    require_memory(
        direct.n_bytes,
        f"Fitting the factors {list(names)} together and exactly",
        "Use solver='iterative', or fit fewer factors.",
    )
    return BlockedKernel(products, arrangement)


def direct_cost(products: CrossProducts) -> Cost:
    """Estimate the cost of the exact kernel, in its fastest arrangement."""
    return _cost_of(arrange(products))


def iterative_cost(products: CrossProducts) -> Cost:
    """Estimate the cost of iterations with two products with each of the cells for each column."""
    entries = float(sum(cells.values.size for cells in products.crossed.values()))
    levels = float(sum(factor.ZtWZ[0].size for factor in products.factors))
    operations = 4.0 * ITERATIONS * COLUMNS * (entries + 5.0 * levels)
    return Cost(
        EVALUATIONS * operations / SPARSE_SPEED, 8.0 * (3.0 * entries + 10.0 * COLUMNS * levels)
    )


def _cost_of(arrangement: Arrangement) -> Cost:
    """Estimate the cost of the exact kernel in one arrangement."""
    return Cost(EVALUATIONS * arrangement.flops / DENSE_SPEED, arrangement.n_bytes)


def _iterative(products: CrossProducts, names: Sequence[str]) -> Kernel:
    """Return the iterative kernel, if there is memory for it."""
    require_memory(
        iterative_cost(products).n_bytes,
        f"Fitting the factors {list(names)} together",
        "Fit fewer factors, or those with fewer levels.",
    )
    return IterativeKernel(products)


def pays(direct: Cost, iterative: Cost) -> bool:
    """Tell whether an exact fit is too large, or takes long and much longer than an estimate."""
    if not is_available(direct.n_bytes / SHARE):
        return True
    return direct.seconds > max(QUICK, WORTH * iterative.seconds)
