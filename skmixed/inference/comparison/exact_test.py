"""Exact tests that a variance is 0, by simulation from the finite-sample null distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.comparison.column_spaces import fixed_columns, spans
from skmixed.inference.comparison.compared_models import (
    ComparedModel,
    compared_model,
    require_same_rows,
    same_fixed_effects,
)
from skmixed.inference.comparison.likelihood_ratio import without_rounding
from skmixed.inference.comparison.null_distribution import (
    simulate_likelihood_ratio,
    spectrum_of,
)
from skmixed.inference.comparison.random_terms import (
    named_terms,
    with_only_term,
    without_term,
)

__all__ = ["exact_lrt", "exact_rlrt"]

# One-sided limit of the p-value.
LIMIT = 0.975


def exact_rlrt(
    fitted: Any,
    full: Any = None,
    null: Any = None,
    *,
    term: str | None = None,
    n_sim: int = 10_000,
    random_state: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    """Test by the restricted likelihood ratio that a variance is 0, with its exact distribution.

    With one variance component the null distribution is known in finite samples, and quick to draw
    from (Crainiceanu and Ruppert 2004). With several, ``fitted`` has the tested one only and gives
    the distribution; the statistic comes from the models with all of them, and without the tested
    one (Greven, Crainiceanu, Kuechenhoff and Peters 2008). That is a good approximation where the
    other variances matter little for the tested one.

    Parameters
    ----------
    fitted : MixedLMResults or LMMModel
        A model with one variance component; with ``term``, the whole model.
    full, null : MixedLMResults, optional
        The models with all components, and without the tested one.
    term : str, optional
        The tested term of ``fitted``, as ranova writes it, ``"(1 | g)"``; the other models are
        fitted here.
    n_sim : int, default=10_000
        Number of draws.
    random_state : int, numpy.random.Generator or None, optional

    Returns
    -------
    DataFrame
        One row: hypothesis, method, refitted (whether a model was fitted again by REML), statistic,
        p_value (the share of draws at least as large; 1 where the statistic is 0), p_value_se (its
        Monte-Carlo standard error), p_value_upper (97.5 % limit of the p-value; what can be said
        when no draw is as large) and n_sim.

    Raises
    ------
    ValueError
        If the tested variance is not a single parameter, or the models differ in their rows or
        fixed effects.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_dyestuff
    >>> from skmixed.inference import exact_rlrt
    >>> results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff())
    >>> test = exact_rlrt(results, n_sim=100_000, random_state=0)
    >>> test[["hypothesis", "statistic", "p_value", "p_value_se"]].round(3)
                        hypothesis  statistic  p_value  p_value_se
    0  variance of (1 | Batch) = 0      6.369    0.004         0.0
    """
    if term is not None:
        if full is not None or null is not None:
            raise ValueError("Give either term, or full and null.")
        given, full, null = _split_by_term(fitted, term)
    else:
        given = compared_model("the tested model", fitted)
    if (full is None) != (null is None):
        raise ValueError(
            "With several variance components the test needs three models: expected full and null "
            "together. Or name the tested term of the full model: term='(1 | g)'."
        )
    label = _require_one_parameter(given)
    alone = given.by_criterion(reml=True)
    if full is None:
        statistic, again = _against_zero(alone.fit), alone.refitted
    else:
        pair = [compared_model("full", full), compared_model("null", null)]
        require_same_rows([*pair, given])
        if not all(same_fixed_effects(pair[0], other) for other in (pair[1], given)):
            raise ValueError(
                "The three models of a restricted likelihood-ratio test must have the same fixed "
                "effects. Fit them with the same fixed part of the formula."
            )
        pair = [model.by_criterion(reml=True) for model in pair]
        statistic = pair[1].fit.criterion - pair[0].fit.criterion
        again = any(model.refitted for model in pair)
    hypothesis = f"variance of {label} = 0"
    return _simulated(hypothesis, statistic, alone.fit, n_sim, random_state, refitted=again)


def exact_lrt(
    fitted: Any,
    null: Any = None,
    *,
    n_sim: int = 10_000,
    random_state: int | np.random.Generator | None = None,
) -> pd.DataFrame:
    """Test by the likelihood ratio that a variance is 0, and perhaps some fixed effects besides.

    Parameters
    ----------
    fitted : MixedLMResults or LMMModel
        A model with one variance component. REML fits are fitted again by ML.
    null : MixedLMResults, optional
        A model without random effects, whose fixed effects are among those of ``fitted``; by
        default it has all of them.
    n_sim : int, default=10_000
        Number of draws.
    random_state : int, numpy.random.Generator or None, optional

    Returns
    -------
    DataFrame
        As exact_rlrt.

    Raises
    ------
    ValueError
        If the variance is not a single parameter, or the models are not nested.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_dyestuff
    >>> from skmixed.inference import exact_lrt
    >>> results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff(), method="ml")
    >>> test = exact_lrt(results, n_sim=100_000, random_state=0)
    >>> test[["statistic", "p_value", "p_value_se"]].round(3)
       statistic  p_value  p_value_se
    0      5.403    0.004         0.0
    """
    given = compared_model("the tested model", fitted)
    label = _require_one_parameter(given)
    one = given.by_criterion(reml=False)
    hypothesis, again = f"variance of {label} = 0", one.refitted
    if null is None:
        n_fixed, statistic = 0, _against_zero(one.fit)
    else:
        smaller = compared_model("null", null).by_criterion(reml=False)
        _require_least_squares_within(smaller, one)
        n_fixed = len(one.fit.fixed.standardised) - len(smaller.fit.fixed.standardised)
        statistic = smaller.fit.criterion - one.fit.criterion
        again = again or smaller.refitted
        hypothesis += f", {n_fixed} fixed effects = 0" if n_fixed else ""
    return _simulated(
        hypothesis, statistic, one.fit, n_sim, random_state, refitted=again, n_fixed=n_fixed
    )


def _simulated(
    hypothesis: str,
    statistic: float,
    fit: LMMFit,
    n_sim: int,
    random_state: int | np.random.Generator | None,
    *,
    refitted: bool,
    n_fixed: int = 0,
) -> pd.DataFrame:
    """Return the table of a test."""
    spectrum = spectrum_of(fit, n_fixed=n_fixed)
    if n_sim < 1:
        raise ValueError(f"n_sim must be at least 1, got {n_sim}.")
    draws = simulate_likelihood_ratio(spectrum, n_sim, np.random.default_rng(random_state))
    statistic = without_rounding(statistic)
    reached = int((draws >= statistic).sum())
    share = reached / n_sim
    upper = 1.0 if reached == n_sim else stats.beta.ppf(LIMIT, reached + 1, n_sim - reached)
    return pd.DataFrame(
        {
            "hypothesis": [hypothesis],
            "method": ["REML" if fit.reml else "ML"],
            "refitted": [refitted],
            "statistic": [statistic],
            "p_value": [share],
            "p_value_se": [float(np.sqrt(share * (1.0 - share) / n_sim))],
            "p_value_upper": [float(upper)],
            "n_sim": [n_sim],
        }
    )


def _against_zero(fit: LMMFit) -> float:
    """Return the likelihood ratio of the fit and of the same model with a variance of 0."""
    objective = fit.objective()
    theta = fit.convergence.theta
    return objective(np.zeros_like(theta)).value - objective(theta).value


def _require_one_parameter(tested: ComparedModel) -> str:
    """Return the label of the only random term; raise ValueError unless it is one variance."""
    model = tested.model
    tested.fit.require_gaussian(
        "The exact test of a variance", "use likelihood_ratio_test or ranova with bootstrap=1000"
    )
    if model.residual is not None:
        raise ValueError(
            "The exact distribution is known for independent residuals of one variance, and these "
            f"have the structure {model.residual.learned.structure!r}. Use likelihood_ratio_test "
            "or ranova, which can simulate with bootstrap=1000."
        )
    terms = named_terms(model.design.blocks, tested.fitted_model.recipe)
    labels = [term.label for term in terms]
    if len(labels) != 1:
        raise ValueError(
            f"The tested model must have one random term, got {len(labels)}: {labels}. Name the "
            "tested one, term='(1 | g)', or give a model that has it alone, with full and null."
        )
    n_parameters = model.covariance.factors[0].n_parameters
    if n_parameters != 1:
        raise ValueError(
            f"{labels[0]} has {n_parameters} variance parameters, and the "
            "exact distribution is known for one. Write uncorrelated effects, '(1 + x || g)', and "
            "test them one at a time, or use likelihood_ratio_test."
        )
    return labels[0]


def _require_least_squares_within(small: ComparedModel, large: ComparedModel) -> None:
    """Raise ValueError unless small is a model without random effects that large contains."""
    require_same_rows([small, large])
    if small.fit.random:
        raise ValueError(
            "The null model of exact_lrt must have no random effects. With several variance "
            "components, use exact_rlrt with full and null."
        )
    if not spans(fixed_columns(large.model.design), fixed_columns(small.model.design)):
        raise ValueError(
            "The fixed effects of the null model are not among those of the tested one, so that "
            "there is no likelihood-ratio test."
        )


def _split_by_term(
    fitted: Any, label: str
) -> tuple[ComparedModel, ComparedModel | None, ComparedModel | None]:
    """Return the model with one term only, the whole one and the one without that term."""
    whole = compared_model("full", fitted)
    model = whole.model
    terms = named_terms(model.design.blocks, whole.fitted_model.recipe)
    chosen = [term for term in terms if term.label == label]
    if len(chosen) != 1:
        raise ValueError(
            f"There is no random term {label!r}: expected one of {[term.label for term in terms]}."
        )
    if len(terms) == 1:
        return whole, None, None
    alone = compared_model(label, with_only_term(model, chosen[0]))
    return alone, whole, compared_model("null", without_term(model, chosen[0]))
