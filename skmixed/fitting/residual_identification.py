"""Which parameters of a residual structure the rows determine, beside the random effects."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from skmixed.fitting.residual_objective import ResidualObjective

__all__ = ["some_groups", "undetermined_parameters"]

FloatArray = NDArray[np.float64]

# Relative curvature below this part of the largest: the rows do not tell the direction.
FLAT = 1e-9
# Part of a direction from which on a parameter belongs to it.
NOTABLE = 0.05
# Of more rows, about so many are looked at first.
ENOUGH = 4_000


def undetermined_parameters(
    objective: ResidualObjective, start: FloatArray
) -> tuple[NDArray[np.bool_], list[int]]:
    """Tell which rho the rows do not determine, and which factors the structure contains.

    At the start, (theta, rho), no parameter is at a bound. The factors are positions of those whose
    random effects give covariances that the structure has already.
    """
    some = some_groups(objective, ENOUGH)
    if some is not None:
        # What some of the rows determine, all of them do.
        with suppress(np.linalg.LinAlgError):
            undetermined, hidden = _flat(objective, some.average_information(start))
            if not undetermined.any() and not hidden:
                return undetermined, hidden
    return _flat(objective, objective.average_information(start))


def some_groups(objective: ResidualObjective, n_rows: int) -> ResidualObjective | None:
    """Return the objective of some of the groups, evenly chosen; None if all are needed.

    They have so many rows, up to a factor of two.
    """
    groups = objective.groups
    step = -(-len(groups) // n_rows)
    rows = np.flatnonzero(groups % step == 0)
    if step == 1 or not n_rows <= 2 * len(rows) <= 4 * n_rows:
        return None
    return objective.select(rows)


def _flat(
    objective: ResidualObjective, information: FloatArray
) -> tuple[NDArray[np.bool_], list[int]]:
    """Tell which rho, and which factors, have a part in directions without information."""
    m = objective.covariance.n_parameters
    undetermined = np.zeros(len(information) - m, dtype=bool)
    size = np.sqrt(np.maximum(information.diagonal(), 0.0))
    largest = size.max(initial=0.0)
    if not largest:
        return ~undetermined, []
    nothing = size <= FLAT * largest
    unit = np.divide(1.0, size, out=np.zeros_like(size), where=~nothing)
    eigenvalues, axes = np.linalg.eigh(unit[:, None] * information * unit)
    flat = (eigenvalues <= FLAT * eigenvalues[-1])[None, :] & (np.abs(axes) > NOTABLE)
    involved = flat.any(axis=1) | nothing
    undetermined |= involved[m:]
    factors = objective.covariance.split(np.arange(float(m))) if m else []
    hidden = [
        i for i, own in enumerate(factors) if (involved & ~nothing)[own.astype(np.intp)].any()
    ]
    return undetermined, hidden
