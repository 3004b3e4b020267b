"""The arrays of a display of random effects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.plots.display import label_array
from skmixed.prediction.given_variances import student_quantiles
from skmixed.prediction.group_errors import group_effects
from skmixed.results import MixedLMResults
from skmixed.results.group_intervals import GroupUncertainty, estimates_of_groups

__all__ = ["FactorEffects", "effects_of_factor", "shown_effects"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class FactorEffects:
    """Hold the random effects of one factor: arrays of shape (n_levels, n_effects)."""

    levels: NDArray[np.object_]
    modes: FloatArray
    standard_deviations: FloatArray
    df: FloatArray
    effect_names: tuple[str, ...]
    lower: FloatArray
    upper: FloatArray

    @property
    def excludes_zero(self) -> NDArray[np.bool_]:
        """Tell which intervals exclude 0."""
        return (self.lower > 0.0) | (self.upper < 0.0)


def effects_of_factor(
    levels: Any, modes: Any, standard_deviations: Any, effect_names: Any, df: Any, *, level: float
) -> FactorEffects:
    """Return the arrays of one factor, with intervals."""
    labels, names = label_array(levels), tuple(effect_names)
    arrays = {"modes": np.asarray(modes, dtype=float)}
    arrays["standard_deviations"] = np.asarray(standard_deviations, dtype=float)
    shape = (len(labels), len(names))
    arrays["df"] = np.full(shape, np.inf) if df is None else np.asarray(df, dtype=float)
    for name, array in arrays.items():
        if array.shape != shape:
            raise ValueError(
                f"{name} must have shape {shape} (levels, effects), got {array.shape}."
            )
    tail = 0.5 * (1.0 - level)
    limits = student_quantiles(
        arrays["modes"].ravel(),
        arrays["standard_deviations"].ravel(),
        arrays["df"].ravel(),
        np.array([tail, 1.0 - tail]),
    )
    lower, upper = (one.reshape(shape) for one in limits.T)
    return FactorEffects(labels, **arrays, effect_names=names, lower=lower, upper=upper)


def shown_effects(
    results: MixedLMResults,
    factor: str | None,
    effect: str | None,
    *,
    beta_known: bool,
    variance_uncertainty: GroupUncertainty,
) -> dict[str, dict[str, Any]]:
    """Return what a display of some effects is made from, for each factor that has them."""
    fit = results.fit
    _chosen(factor, list(results.random_effects), "factor")
    chosen = [one for one in fit.random if factor in (None, one.name)]
    known = list(dict.fromkeys(name for one in chosen for name in one.effect_names))
    _chosen(effect, known, "effect")
    sums = [
        group_effects(fit, one, beta_known=beta_known)
        for one in chosen
        if effect is None or effect in one.effect_names
    ]
    shown = {}
    estimates = estimates_of_groups(results.fitted_model, sums, variance_uncertainty)
    for one, found in zip(sums, estimates, strict=True):
        columns = [j for j, name in enumerate(one.names) if effect in (None, name)]
        df = np.broadcast_to(found.df, found.mean.shape)
        shown[fit.random[one.factor].name] = {
            "levels": results.random_effects[fit.random[one.factor].name].index,
            "modes": one.by_level(found.mean)[:, columns],
            "standard_deviations": one.by_level(found.std)[:, columns],
            "effect_names": [one.names[j] for j in columns],
            "df": one.by_level(df)[:, columns],
        }
    return shown


def _chosen(name: str | None, known: list[str], what: str) -> None:
    """Raise ValueError unless name is known or None."""
    if name is not None and name not in known:
        raise ValueError(f"The model has no {what} {name!r}. Choose one of {known}.")
