"""The parameters of a fitted model as its user knows them: one by one, with names and estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import AR1, CompoundSymmetry, CovarianceStructure, Identity
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import SINGULAR, RandomEffects

__all__ = ["ModelParameter", "Place", "model_parameters", "selected"]

FloatArray = NDArray[np.float64]
Kind = Literal["fixed", "sd", "correlation", "sigma"]


@dataclass(frozen=True, slots=True)
class Place:
    """Tell where a standard deviation or correlation is among the random effects.

    Attributes
    ----------
    factor : int
        Position among the grouping factors of the fit.
    term : int
    effects : tuple of int
        One position for a standard deviation, two for a correlation; within the term.
    """

    factor: int
    term: int
    effects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ModelParameter:
    """Name one parameter.

    Attributes
    ----------
    name : str
        The coefficient's name, ``sd_effect|group``, ``cor_effect2.effect1|group`` or ``sigma``.
    kind : {"fixed", "sd", "correlation", "sigma"}
    group, name1, name2 : str or None
        As in the table of variance components. ``a..d`` stands for effects that share a parameter.
    estimate : float
        NaN for a correlation with an effect of variance 0.
    position : int
        Of a coefficient.
    place : Place or None
        Of what belongs to the random effects.
    identified : bool
        False for an aliased coefficient, for a variance parameter that the design cannot tell from
        others, and for the sigma of a model that leaves no residual.
    """

    name: str
    kind: Kind
    group: str | None
    name1: str | None
    name2: str | None
    estimate: float
    position: int = -1
    place: Place | None = None
    identified: bool = True


def model_parameters(fit: LMMFit) -> list[ModelParameter]:
    """List the fixed effects, then the standard deviations and correlations, and sigma last.

    Parameters
    ----------
    fit : LMMFit
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
    arbitrary = fit.interpolates or (fit.unidentified is not None and fit.unidentified.sigma)
    sigma = ModelParameter(
        "sigma", "sigma", "Residual", None, None, fit.sigma, identified=not arbitrary
    )
    return [*fixed, *random, sigma]


def selected(
    parameters: Sequence[ModelParameter], which: str | Sequence[str]
) -> list[ModelParameter]:
    """Return the parameters that are asked for.

    Parameters
    ----------
    parameters : sequence of ModelParameter
    which : {"all", "fixed", "random"}, a name, or a sequence of names

    Raises
    ------
    ValueError
        If there is no such parameter.
    """
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
    """List the standard deviations of one grouping factor, then its correlations."""
    deviations, correlations = [], []
    rows = effects.sigma * effects.relative_factor
    small = _vanishing(effects)
    terms = zip(effects.covariance.structures, effects.covariance.effect_slices, strict=True)
    for t, (structure, where) in enumerate(terms):
        names, own = effects.effect_names[where], rows[where]
        k = len(names)
        for i in _separate_deviations(structure, k):
            label = names[i] if len(_separate_deviations(structure, k)) == k else _range(names)
            deviations.append(
                ModelParameter(
                    f"sd_{label}|{effects.name}",
                    "sd",
                    effects.name,
                    label,
                    None,
                    float(np.linalg.norm(own[i])),
                    place=Place(f, t, (i,)),
                )
            )
        for i, j in _separate_correlations(structure, k):
            known = not small[where][[i, j]].any()
            shared = k > 2 and isinstance(structure, CompoundSymmetry | AR1)
            first, second = (_range(names),) * 2 if shared else (names[i], names[j])
            correlations.append(
                ModelParameter(
                    f"cor_{second}.{first}|{effects.name}",
                    "correlation",
                    effects.name,
                    first,
                    second,
                    _correlation(own[i], own[j]) if known else math.nan,
                    place=Place(f, t, (i, j)),
                )
            )
    return [*deviations, *correlations]


def _is_identified(fit: LMMFit, place: Place | None) -> bool:
    """Tell whether the design tells the variances that a parameter is made of."""
    assert place is not None
    effects = fit.random[place.factor]
    if effects.position is None:
        return False
    if fit.unidentified is None:
        return True
    first = effects.covariance.effect_slices[place.term].start
    own = [first + i for i in place.effects]
    return not fit.unidentified.entries[place.factor][np.ix_(own, own)].any()


def _vanishing(effects: RandomEffects) -> NDArray[np.bool_]:
    """Tell which effects have a variance of 0."""
    units = np.linalg.norm(effects.relative_matrix, axis=1)
    sizes = np.linalg.norm(effects.relative_factor, axis=1)
    return np.asarray(sizes <= SINGULAR * units)


def _correlation(a: FloatArray, b: FloatArray) -> float:
    """Return the cosine of the angle between two rows, within rounding of 1 exactly 1."""
    value = float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
    return float(np.clip(value, -1.0, 1.0))


def _separate_deviations(structure: CovarianceStructure, k: int) -> list[int]:
    """Return an effect for each standard deviation that is a parameter of its own."""
    shared = isinstance(structure, Identity | AR1) or (
        isinstance(structure, CompoundSymmetry) and structure.equal_variances
    )
    return [0] if shared else list(range(k))


def _separate_correlations(structure: CovarianceStructure, k: int) -> list[tuple[int, int]]:
    """Return a pair of effects for each correlation that is a parameter of its own."""
    if k > 1 and isinstance(structure, CompoundSymmetry | AR1):
        return [(0, 1)]
    theta = np.linspace(0.4, 0.6, structure.n_parameters(k))
    Lambda = structure.factor(theta, k)
    linked = Lambda @ Lambda.T != 0.0
    return [(i, j) for i in range(k) for j in range(i + 1, k) if linked[i, j]]


def _range(names: Sequence[str]) -> str:
    """Name several effects together."""
    return names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"
