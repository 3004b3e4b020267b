"""What a user should be told about a fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from skmixed.covariance import DirectSum
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
from skmixed.exceptions import SingularFitWarning
from skmixed.fitting.lmm_fit import LMMFit, Notice
from skmixed.fitting.random_effects import RandomEffects

__all__ = ["aliased_notice", "monte_carlo_notice", "notices_of", "singular_notice"]

# Part of a standard error that random probes may move theta by.
NOTICEABLE = 0.1


def notices_of(
    fit: LMMFit,
    design: Design,
    varies: Sequence[NDArray[np.bool_]],
    *,
    told: Collection[int] = (),
) -> tuple[Notice, ...]:
    """Collect the warnings that a fit deserves, each once.

    ``varies`` tells of each estimable factor whether each effect's column varies within any group,
    given those before it; of the factors ``told`` the caller says why they are not estimated.
    """
    found = [_exact(fit, design), aliased_notice(fit), _convergence(fit), monte_carlo_notice(fit)]
    redundant = [_redundant(effects, varies) for effects in fit.random]
    found.append(_unidentified(fit, design, [one is not None for one in redundant]))
    arbitrary = fit.unidentified.factors if fit.unidentified else []
    for i, effects in enumerate(fit.random):
        found += [None if i in told else _not_estimable(effects, fit), redundant[i]]
        if redundant[i] is None and i not in arbitrary:
            found.append(singular_notice(effects, fit))
    return tuple(notice for notice in found if notice is not None)


def _exact(fit: LMMFit, design: Design) -> Notice | None:
    if not fit.coordinates.exact:
        return None
    if np.ptp(design.response) == 0:
        reason = "y is constant"
    elif len(fit.fixed.standardised) >= design.n_rows:
        reason = f"there are as many coefficients as rows ({design.n_rows})"
    else:
        reason = "the fixed effects explain y exactly (is y among the columns of X?)"
    return Notice(
        f"All variances are 0: {reason}. Standard errors and tests mean nothing here.",
        UserWarning,
    )


def aliased_notice(fit: LMMFit) -> Notice | None:
    """Name the columns of X that others explain; None if there are none."""
    if not fit.fixed.aliased.any():
        return None
    names = [name for name, out in zip(fit.fixed.names, fit.fixed.aliased, strict=True) if out]
    return Notice(
        f"X is rank deficient: {names} are linear combinations of the intercept and the columns "
        "before them. Their coefficients are set to 0; drop these columns.",
        UserWarning,
    )


def _convergence(fit: LMMFit) -> Notice | None:
    end = fit.convergence
    if fit.interpolates:
        return _interpolation(fit)
    if end.converged:
        return None
    worst = int(np.argmax(np.abs(end.gradient))) if len(end.gradient) else 0
    name, simpler = f"theta[{worst}]", "Simplify the random effects"
    if fit.residual is not None:
        m = len(end.gradient) - fit.residual.n_parameters
        name = f"rho[{worst - m}]" if worst >= m else name
        simpler = (
            "With few groups, a residual structure may have more parameters than they can tell, "
            "and the likelihood no maximum: choose a simpler structure"
        )
    return Notice(
        f"The fit did not converge: {end.message}; {name} has the largest gradient, and "
        f"the estimate is about {end.scaled_gradient:.2g} standard errors from the optimum. "
        f"{simpler}, or increase max_iter if it was used up.",
        ConvergenceWarning,
    )


def _interpolation(fit: LMMFit) -> Notice:
    names = [effects.name for effects, _ in fit.estimable]
    return Notice(
        f"The random effects of {names}, with the fixed effects, explain y exactly: the residual "
        "variance tends to 0 and the likelihood has no maximum. The other estimates are their "
        "limits. Check whether y is the same in all rows of a group, or use fewer random effects.",
        ConvergenceWarning,
    )


def monte_carlo_notice(fit: LMMFit) -> Notice | None:
    """Say that random probes move the estimates noticeably, if they do."""
    error = fit.monte_carlo
    if error is None or error.relative <= NOTICEABLE:
        return None
    return Notice(
        f"The Monte-Carlo error of theta is up to {error.relative:.0%} of its standard error: the "
        "levels of the factors hardly meet. solver='direct' has none, if the memory suffices.",
        UserWarning,
    )


def _not_estimable(effects: RandomEffects, fit: LMMFit) -> Notice | None:
    if effects.estimable or fit.coordinates.exact:
        return None
    if len(effects.levels) < 2:
        reason = "it has one group only"
    elif effects.sizes.max() < 2:
        reason = "every group has one row only"
    else:
        reason = "the fixed effects explain all that its groups could differ by"
    least_squares = ", which gives least squares" if len(fit.random) == 1 else ""
    return Notice(
        f"The variance of '{effects.name}' is set to 0{least_squares}: {reason}, so that random "
        "effects cannot be told from the fixed effects or the residuals.",
        SingularFitWarning,
    )


def _unidentified(fit: LMMFit, design: Design, explained: Sequence[bool]) -> Notice | None:
    """Name the variances that make up for each other, unless another notice has explained it."""
    found = fit.unidentified
    if found is None or any(explained[i] for i in found.factors):
        return None
    variances = [
        f"{[fit.random[i].effect_names[j] for j in np.flatnonzero(found.entries[i].any(axis=0))]} "
        f"of '{fit.random[i].name}'"
        for i in found.factors
    ]
    variances += ["the residual variance"] if found.sigma else []
    verb = "cannot tell apart" if len(variances) > 1 else "do not determine"
    return Notice(
        f"The data {verb} the variances of {' and '.join(variances)}: {_cause(fit, design)}. These "
        "variances are arbitrary and have no confidence limits; fixed effects and log-likelihood "
        "do not depend on them. Simplify the random effects.",
        SingularFitWarning,
    )


def _cause(fit: LMMFit, design: Design) -> str:
    """Say why the variances of some factors cannot be told apart."""
    found = fit.unidentified
    assert found is not None
    for i, j in combinations(found.factors, 2):
        if _same_partition(design.factors[i], design.factors[j]):
            return f"'{fit.random[i].name}' and '{fit.random[j].name}' are the same groups"
    if found.through_fixed:
        return "the fixed effects explain what the random effects would show in"
    if found.sigma:
        return "the groups have no more rows than random effects"
    return "their random effects are combinations of each other"


def _same_partition(one: GroupingFactor, other: GroupingFactor) -> bool:
    """Tell whether two factors put the same rows together."""
    n = len(one.levels)
    return n == len(other.levels) == len(np.unique(one.codes * n + other.codes))


def singular_notice(effects: RandomEffects, fit: LMMFit) -> Notice | None:
    """Name the effects whose estimated covariance is on its boundary; None if it is not."""
    if not (effects.boundary and effects.estimable and fit.convergence.converged):
        return None
    names = effects.effect_names
    variances = np.diagonal(effects.effect_covariance)
    vanished = [name for name, variance in zip(names, variances, strict=True) if variance == 0]
    if len(vanished) == len(names):
        what = f"The variance of '{effects.name}' is estimated as 0"
    elif vanished:
        what = f"The variance of {vanished} of '{effects.name}' is estimated as 0"
    else:
        what = f"The covariance of {list(names)} of '{effects.name}' is estimated as singular"
    return Notice(
        f"{what} (boundary): the data show no more variation between groups than this. This is a "
        "valid estimate; a model with fewer random effects would fit as well.",
        SingularFitWarning,
    )


def _redundant(effects: RandomEffects, varies: Sequence[NDArray[np.bool_]]) -> Notice | None:
    if effects.position is None or varies[effects.position].all() or _is_tied(effects.covariance):
        return None
    moving = varies[effects.position]
    names = [name for name, moves in zip(effects.effect_names, moving, strict=True) if not moves]
    return Notice(
        f"The random effects {names} do not vary within any group of '{effects.name}' beyond the "
        "effects before them (a slope on a column that is constant within every group, or an "
        "effect that comes twice): their variances are not identifiable. Leave them out of the "
        "random effects.",
        UserWarning,
    )


def _is_tied(covariance: DirectSum) -> bool:
    """Tell whether effects share parameters, so that columns may depend on each other.

    They do under one variance for all; and beside another term, as in (1 | g) + cs(0 + f | g).
    """
    several = len(covariance.structures) > 1
    return any(
        k > 1 and (s.invariance == "scalar" or (several and s.n_parameters(k) < k * (k + 1) // 2))
        for s, k in zip(covariance.structures, covariance.sizes, strict=True)
    )
