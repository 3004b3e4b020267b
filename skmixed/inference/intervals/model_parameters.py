"""The parameters of a fitted model as its user knows them: one by one, with names and estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import NaturalParameter
from skmixed.fitting.glmm_fit import extra_predictors
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR, RandomEffects

__all__ = ["ModelParameter", "Place", "model_parameters", "selected"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Place:
    """Tell where a natural parameter is among the random effects.

    Attributes
    ----------
    effects : tuple of int
        One for a standard deviation, two for a correlation, none for a property of all; within the
        term.
    """

    factor: int
    term: int
    position: int
    effects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelParameter:
    """Name one parameter.

    Attributes
    ----------
    name : str
        The coefficient's name, ``sd_effect|group``, ``cor_effect2.effect1|group``, ``sigma``, or
        ``dispersion_name`` and ``zero_inflation_name``.
    kind : str
        ``"fixed"``, ``"sd"``, ``"correlation"``, ``"residual"``, ``"sigma"``, ``"extra"`` (of a
        predictor beside that of the mean), or the name that a structure gives.
    group, name1, name2 : str or None
        As in the table of variance components. ``a..d`` stands for effects that share a parameter.
    identified : bool
        False for an aliased coefficient, for a variance parameter that the design cannot tell from
        others, for a residual parameter that the rows say nothing of, and for the sigma of a model
        that leaves no residual.
    """

    name: str
    kind: str
    group: str | None
    name1: str | None
    name2: str | None
    estimate: float
    position: int = -1
    predictor: int = -1
    place: Place | None = None
    identified: bool = True


def model_parameters(fit: LMMFit) -> list[ModelParameter]:
    """List the fixed effects, then the standard deviations and correlations, and sigma last.

    The parameters of a residual structure come before sigma, which known variances leave out. A
    generalised model has the coefficients of its further predictors in that place, on the scales
    of these: logarithms of dispersions, logits of zero inflation.
    """
    fixed = [
        ModelParameter(
            name, "fixed", None, name, None, float(estimate), position=j, identified=not aliased
        )
        for j, (name, estimate, aliased) in enumerate(
            zip(fit.fixed.names, fit.fixed.coefficients, fit.fixed.aliased, strict=True)
        )
    ]
    random = [
        replace(one, identified=_is_identified(fit, one.place))
        for f, effects in enumerate(fit.random)
        for one in _of_factor(f, effects)
    ]
    if not fit.estimates_sigma:
        return [*fixed, *random, *_of_extra_predictors(fit)]
    arbitrary = fit.interpolates or (fit.unidentified is not None and fit.unidentified.sigma)
    sigma = ModelParameter(
        "sigma", "sigma", "Residual", None, None, fit.sigma, identified=not arbitrary
    )
    return [*fixed, *random, *_of_residuals(fit), sigma]


def selected(
    parameters: Sequence[ModelParameter], which: str | Sequence[str]
) -> list[ModelParameter]:
    """Return the parameters that are asked for."""
    if which == "all":
        return list(parameters)
    if isinstance(which, str) and which in ("fixed", "random"):
        return [one for one in parameters if (one.kind == "fixed") == (which == "fixed")]
    by_name = {one.name: one for one in parameters}
    names = [which] if isinstance(which, str) else list(which)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise ValueError(
            f"which has no parameter {unknown[0]!r}. Use 'all', 'fixed', 'random', or names among "
            f"{list(by_name)}."
        )
    return [by_name[name] for name in names]


def _of_factor(f: int, effects: RandomEffects) -> list[ModelParameter]:
    """List the standard deviations of one grouping factor, then its other parameters."""
    covariance = effects.covariance
    thetas = covariance.split_parameters(covariance.parameters(effects.standardised_factor))
    listed = [
        _of_effects(effects, natural, theta, Place(f, t, position, natural.effects))
        for t, (naturals, theta) in enumerate(zip(effects.natural_parameters, thetas, strict=True))
        for position, natural in enumerate(naturals)
    ]
    return sorted(listed, key=lambda one: one.kind != "sd")


def _of_residuals(fit: LMMFit) -> list[ModelParameter]:
    """List the parameters of the residual structure."""
    if fit.residual is None:
        return []
    values = fit.residual.parameters.items()
    told = ~fit.residual.undetermined
    return [
        ModelParameter(name, "residual", "Residual", name, None, value, j, identified=bool(told[j]))
        for j, (name, value) in enumerate(values)
    ]


def _of_extra_predictors(fit: LMMFit) -> list[ModelParameter]:
    """List the coefficients of the predictors beside that of the mean."""
    return [
        ModelParameter(
            f"{one.name}_{name}",
            "extra",
            one.name,
            name,
            None,
            float(one.coefficients[j]),
            position=j,
            predictor=i,
            identified=bool(np.isfinite(one.covariance[j, j])),
        )
        for i, one in enumerate(extra_predictors(fit))
        for j, name in enumerate(one.names)
    ]


def _of_effects(
    effects: RandomEffects, natural: NaturalParameter, theta: FloatArray, place: Place
) -> ModelParameter:
    """Return a natural parameter with the names of its effects and its estimate."""
    where = effects.covariance.effect_slices[place.term]
    names = effects.effect_names[where]
    name1, name2 = natural.labels(names)
    small = _vanishing(effects)[where]
    chosen = list(place.effects)
    undefined = not natural.in_sigma and (small[chosen].any() if chosen else small.all())
    unit = effects.sigma if natural.in_sigma else 1.0
    return ModelParameter(
        natural.full_name(names, effects.name),
        "correlation" if natural.name == "cor" else natural.name,
        effects.name,
        name1,
        name2,
        math.nan if undefined else unit * natural.at(theta).value,
        place=place,
    )


def _is_identified(fit: LMMFit, place: Place | None) -> bool:
    """Tell whether the design tells the variances that a parameter is made of."""
    assert place is not None
    effects = fit.random[place.factor]
    if effects.position is None:
        return False
    if fit.unidentified is None:
        return True
    where = effects.covariance.effect_slices[place.term]
    own = np.arange(where.start, where.stop)[list(place.effects) or slice(None)]
    return not fit.unidentified.entries[place.factor][np.ix_(own, own)].any()


def _vanishing(effects: RandomEffects) -> NDArray[np.bool_]:
    """Tell which effects have a variance of 0."""
    units = np.linalg.norm(effects.relative_matrix, axis=1)
    sizes = np.linalg.norm(effects.relative_factor, axis=1)
    return np.asarray(sizes <= SINGULAR * units)
