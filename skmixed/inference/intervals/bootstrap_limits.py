"""Bootstrap limits of the parameters of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.intervals.model_parameters import ModelParameter
from skmixed.inference.replication.bootstrapping import bootstrap

__all__ = ["bootstrap_limits"]


def bootstrap_limits(
    fitted: Any,
    fit: LMMFit,
    parameters: Sequence[ModelParameter],
    level: float,
    *,
    n: int,
    random_state: Any,
) -> list[tuple[float, float]]:
    """Return percentile limits of the parametric bootstrap.

    Parameters
    ----------
    fitted : MixedLMResults
        With its rows.
    fit : LMMFit
        That of ``fitted``.
    parameters : sequence of ModelParameter
        Identified ones.
    n : int
        Number of replicates.
    """
    draws = bootstrap(fitted, n, random_state=random_state)
    table = draws.conf_int(level=level).set_index("parameter")
    limits = {
        str(name): (float(a), float(b)) for name, a, b in table[["lower", "upper"]].itertuples()
    }
    return [limits[_name_of_draws(fit, one)] for one in parameters]


def _name_of_draws(fit: LMMFit, parameter: ModelParameter) -> str:
    """Return what the draws call a parameter; of effects that share it, the first ones count."""
    if parameter.place is None or parameter.kind not in ("sd", "correlation"):
        return parameter.name
    place = parameter.place
    effects = fit.random[place.factor]
    names = effects.effect_names[effects.covariance.effect_slices[place.term]]
    labels = [names[i] for i in reversed(place.effects)]
    kind = "sd" if parameter.kind == "sd" else "cor"
    return f"{kind}_{'.'.join(labels)}|{effects.name}"
