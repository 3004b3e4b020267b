"""How many degrees of freedom the parts of a fit take: the traces of the hat matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.comparison.random_terms import named_terms
from skmixed.inference.inputs import fitted_model_of
from skmixed.likelihood.profiled import ObjectiveValue, ProfiledObjective

__all__ = ["effective_df", "hat_traces"]

FloatArray = NDArray[np.float64]


def effective_df(fitted: Any) -> pd.DataFrame:
    """Count the effective degrees of freedom of the fixed effects and of each random term.

    The fitted values are H y plus a constant, and

        tr(H) = rank X + sum over terms tr(Psi Z'P Z),    P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1

    (Hodges and Sargent 2001, with the fixed effects taken first). A term of variance 0 takes none.

    Parameters
    ----------
    fitted : MixedLMResults, estimator, LMMFit or LMMModel

    Returns
    -------
    DataFrame
        One row for the fixed effects, one for each random term, and the total. Columns: term,
        n_effects (how many there are), effective_df, and effective_df_known_mean, tr(Psi Z'V^-1 Z),
        that of the random effects when the fixed ones are known (NaN for the others).

    Raises
    ------
    ValueError
        If the fit has not kept its cross-products, or the model is a generalised one.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_pastes
    >>> from skmixed.inference import effective_df
    >>> effective_df(mixedlm("strength ~ 1 + (1 | batch/cask)", load_pastes())).round(2)
                   term  n_effects  effective_df  effective_df_known_mean
    0     Fixed effects          1          1.00                      NaN
    1  (1 | batch:cask)         30         24.75                    25.36
    2       (1 | batch)         10          3.26                     3.62
    3             Total         41         29.01                      NaN
    """
    found = fitted_model_of(fitted)
    fit = found.fit
    fit.require_gaussian("The trace of the hat matrix", "count the parameters (fit.n_parameters)")
    rank = len(fit.fixed.standardised)
    given, alone = hat_traces(fit, reml=1), hat_traces(fit, reml=0)
    rows: list[tuple[str, int, float, float]] = [("Fixed effects", rank, float(rank), np.nan)]
    for term in named_terms(fit.random, found.recipe):
        effects = fit.random[term.block]
        own = effects.covariance.effect_slices[term.term]
        size = (own.stop - own.start) * len(effects.levels)
        of_term = [float(traces[term.block][own].sum()) for traces in (given, alone)]
        rows.append((term.label, size, of_term[0], of_term[1]))
    total = sum(row[2] for row in rows)
    rows.append(("Total", sum(row[1] for row in rows), total, np.nan))
    return pd.DataFrame(
        rows, columns=["term", "n_effects", "effective_df", "effective_df_known_mean"]
    )


def hat_traces(fit: LMMFit, *, reml: int) -> list[FloatArray]:
    """Return the diagonal of Lambda'Z'PZ Lambda of each grouping factor, summed over its levels.

    With ``reml`` 0 V^-1 takes the place of P. It is 0 for a factor that is not estimable.
    """
    traces = [np.zeros(effects.covariance.n_effects) for effects in fit.random]
    if not fit.estimable:
        return traces
    objective = fit.objective()
    at = objective(fit.convergence.theta)
    # Without the part of the residuals, the gradient in Psi is Z'PZ.
    tensors = objective.kernel.score_tensors(
        at.whitened, _fixed_mixing(objective, at), reml=reml, nu=objective.nu, precision=0.0
    )
    for i, effects in enumerate(fit.random):
        if effects.position is not None:
            Lambda, G = effects.standardised_factor, tensors.gradients[effects.position]
            traces[i] = np.einsum("qi,qr,ri->i", Lambda, G, Lambda)
    return traces


def _fixed_mixing(objective: ProfiledObjective, at: ObjectiveValue) -> FloatArray:
    """Return the matrix that takes [X y] to [X R_X^-1, y - X beta]."""
    p = objective.n_coefficients
    mixing = np.eye(p + 1)
    mixing[:p, :p] = np.linalg.solve(at.solution.R_X, np.eye(p)).T if p else mixing[:p, :p]
    mixing[p, :p] = -at.solution.beta
    return mixing
