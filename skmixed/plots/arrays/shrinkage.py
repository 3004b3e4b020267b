"""The separate and the mixed estimates that ShrinkageDisplay shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from skmixed.plots.reading.fitted_rows import FittedRows
from skmixed.plots.reading.least_squares import separate_effects

__all__ = ["shrinkage_arrays"]


def shrinkage_arrays(source: FittedRows) -> dict[str, Any]:
    """Return the arguments of ShrinkageDisplay."""
    effects, fixed = source.effects, source.fit.fixed
    coefficients = dict(zip(fixed.names, fixed.coefficients, strict=True))
    population = np.array([coefficients.get(name, 0.0) for name in effects.effect_names])
    mixed = population + effects.modes
    columns = source.design.blocks[source.position].columns
    return {
        "groups": source.labels,
        "effect_names": effects.effect_names,
        "separate": mixed + separate_effects(source),
        "mixed": mixed,
        "population": population,
        "sizes": effects.sizes,
        "reach": [columns.min(axis=0), columns.max(axis=0)],
        "center": columns.mean(axis=0),
        "factor": source.factor,
        "response": source.response_name,
    }
