"""What the tests of every case assert."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from skmixed import SingularFitWarning
from skmixed.fitting.lmm_fit import LMMFit

from .comparison import QUANTITIES
from .names import factor_key, matching
from .reference import Case, Fitted

__all__ = ["assert_agreement", "assert_same_fit", "assert_same_model"]


def assert_agreement(case: Case, fitted: Fitted) -> None:
    """Check that every quantity that R gives is within its tolerance; lme4 gives all."""
    known = [quantity for quantity in QUANTITIES if quantity.known(case)]
    assert len(known) == len(QUANTITIES) or case.figures["fn"] != "lmer"
    differences = {quantity: quantity.difference(case, fitted) for quantity in known}
    exceeded = {
        quantity.name: f"{difference:.2e} > {quantity.tolerance:.0e}"
        for quantity, difference in differences.items()
        if not difference <= quantity.tolerance
    }
    assert not exceeded


def assert_same_model(case: Case, fitted: Fitted) -> None:
    """Check what is counted, and what is said of the fit."""
    results, figures = fitted.results, case.figures
    assert results.nobs == figures["n"]
    counts = {factor_key(name): count for name, count in results.n_groups.items()}
    assert counts == {factor_key(name): count for name, count in figures["ngroups"].items()}
    assert list(counts.values()) == sorted(counts.values(), reverse=True)
    assert results.fit.n_parameters == figures["npar"]
    # nlme gives none, and glmmTMB does not count the fixed effects of a REML fit.
    if figures["fn"] == "lmer":
        assert results.df_resid == figures["df_resid"]
    assert results.method == figures["method"]
    assert results.converged
    assert results.is_singular == case.singular
    assert fitted.warnings == (SingularFitWarning,) * case.singular


def assert_same_fit(ours: LMMFit, other: LMMFit) -> None:
    """Check that two ways to say one model give one fit, to 1e-8."""
    assert_allclose(ours.log_likelihood, other.log_likelihood, rtol=1e-12)
    assert_allclose(ours.sigma, other.sigma, rtol=1e-8)
    order = matching(ours.fixed.names, other.fixed.names)
    errors = np.sqrt(np.diagonal(other.fixed.covariance))
    difference = ours.fixed.coefficients[order] - other.fixed.coefficients
    assert_allclose(difference / errors, 0.0, atol=1e-8)
    for part, wanted in zip(ours.random, other.random, strict=True):
        scale = other.sigma + np.abs(wanted.modes).max(initial=0.0)
        assert_allclose(part.modes, wanted.modes, atol=1e-8 * scale)
        assert_allclose(
            part.effect_covariance, wanted.effect_covariance, rtol=1e-8, atol=1e-8 * scale**2
        )
