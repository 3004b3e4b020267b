"""Estimates at a given theta equal those of the search there, and dense algebra elsewhere."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from inference.diagnostics.diagnostics_models import SEVERAL, SINGLE, crossed, model
from inference.diagnostics.written_out import written_out
from numpy.testing import assert_allclose

from skmixed import MixedLM, NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.fitting.at_theta import fit_at
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.prediction.fitted_model import FittedModel
from skmixed.results import MixedLMResults

EXACT = [*SINGLE, *(name for name in SEVERAL if name != "crossed_iterative")]


def assert_same_fit(ours: LMMFit, theirs: LMMFit, *, rtol: float = 1e-10) -> None:
    for name in ("reml", "n_rows", "sigma", "log_likelihood", "residual_quantiles", "theta"):
        assert_allclose(getattr(ours, name), getattr(theirs, name), rtol=rtol, err_msg=name)
    for field in fields(theirs.fixed):
        if field.name not in ("names", "sandwich_root"):
            ours_value = getattr(ours.fixed, field.name)
            assert_allclose(ours_value, getattr(theirs.fixed, field.name), rtol=rtol, atol=1e-13)
    assert ours.fixed.sandwich_root is theirs.fixed.sandwich_root is None
    assert ours.fixed.names == theirs.fixed.names
    assert ours.fixed.sandwich_root is theirs.fixed.sandwich_root is None
    for one, other in zip(ours.random, theirs.random, strict=True):
        assert one.levels is other.levels
        for name in ("modes", "conditional_covariance", "standardised_cross", "sizes"):
            reference = getattr(other, name)
            scale = np.abs(reference).max(initial=0.0)
            assert_allclose(getattr(one, name), reference, rtol=0, atol=rtol * scale, err_msg=name)
    # On a boundary, and at an optimum, the gradient is rounding.
    assert_allclose(ours.convergence.gradient, theirs.convergence.gradient, atol=1e-6)
    assert_allclose(ours.convergence.hessian, theirs.convergence.hessian, rtol=1e-7)
    assert ours.convergence.converged == theirs.convergence.converged


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("keep_sigma", [False, True])
def test_at_the_theta_of_the_fit_nothing_changes(name: str, keep_sigma: bool) -> None:
    fit = model(name).fit
    assert_same_fit(fit_at(fit, keep_sigma=keep_sigma), fit)
    assert fit_at(fit).notices == fit.notices


def dense_log_likelihood(results: MixedLMResults, sigma: float) -> float:
    full = written_out(results)
    r = full.residuals
    value = np.linalg.slogdet(full.V)[1] + full.nu * np.log(2.0 * np.pi * sigma**2)
    value += r @ np.linalg.solve(full.V, r) / sigma**2
    if results.fit.reml:
        value -= np.linalg.slogdet(full.unscaled_covariance)[1]
    return -0.5 * float(value)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("keep_sigma", [False, True])
def test_at_another_theta_they_are_those_of_dense_algebra(name: str, keep_sigma: bool) -> None:
    results = model(name)
    theta = results.fit.convergence.theta * 1.3 + 0.05
    solved = fit_at(results.fit, theta, keep_sigma=keep_sigma)
    moved = MixedLMResults(FittedModel(solved, rows=results.fitted_model.rows))
    full = written_out(moved)
    sigma = results.fit.sigma if keep_sigma else full.sigma
    assert_allclose(solved.sigma, sigma, rtol=1e-9)
    assert_allclose(solved.fixed.coefficients, full.beta, rtol=1e-9)
    covariance = full.unscaled_covariance * sigma**2
    assert_allclose(solved.fixed.covariance, covariance, rtol=1e-7)
    assert_allclose(solved.log_likelihood, dense_log_likelihood(moved, sigma), rtol=1e-10)
    assert_allclose(solved.convergence.theta, theta)
    assert np.isnan(solved.residual_quantiles).all()
    for effects, block in zip(solved.random, results.model.design.blocks, strict=True):
        Vr = np.linalg.solve(full.V, full.residuals)
        Psi = effects.relative_factor @ effects.relative_factor.T
        own = full.factors[effects.name]
        Z = block.columns[full.rows]
        scores = np.array([Z[own == level].T @ Vr[own == level] for level in np.unique(own)])
        level = np.array([block.factor.codes[full.rows][own == copy][0] for copy in np.unique(own)])
        expected = scores @ Psi
        scale = np.abs(expected).max()
        assert_allclose(effects.modes[level], expected, rtol=0, atol=1e-8 * scale)


def test_the_gradient_is_the_derivative_of_the_log_likelihood() -> None:
    fit = model("crossed").fit
    theta = fit.convergence.theta + 0.1
    step = 1e-5 * np.eye(len(theta))
    numeric = [
        (fit_at(fit, theta - s).log_likelihood - fit_at(fit, theta + s).log_likelihood) / 1e-5
        for s in step
    ]
    assert_allclose(fit_at(fit, theta).convergence.gradient, numeric, rtol=1e-5, atol=1e-5)


def fitted(estimator: Any, *args: Any, **kwargs: Any) -> LMMFit:
    return estimator.fit(*args, **kwargs).lmm_fit_


def test_without_a_factor_it_is_least_squares() -> None:
    data = crossed()
    with pytest.warns(NoGroupsWarning):
        fit = fitted(MixedLM(), data[["x"]], data["y"])
    assert_same_fit(fit_at(fit), fit)


def test_a_factor_of_singletons_keeps_variance_zero() -> None:
    data = crossed().assign(alone=range(120))
    with pytest.warns(SingularFitWarning):
        fit = mixedlm("y ~ x + (1 | alone) + (1 | g)", data).fit
    assert [effects.position for effects in fit.random] == [None, 0]
    assert_same_fit(fit_at(fit), fit)
    solved = fit_at(fit, fit.convergence.theta * 2.0)
    assert not solved.random[0].modes.any()
    assert_allclose(solved.random[1].relative_factor, 2.0 * fit.random[1].relative_factor)


def test_an_exact_fit_stays_exact() -> None:
    x = np.arange(12.0)
    with pytest.warns(UserWarning, match="explain y exactly"):
        fit = fitted(MixedLM(), x[:, None], 1.0 + 2.0 * x, groups=np.repeat([1, 2, 3], 4))
    assert_same_fit(fit_at(fit), fit)
    assert fit_at(fit, keep_sigma=True).log_likelihood == np.inf


def test_a_fit_without_cross_products_says_so() -> None:
    fit = model("crossed_iterative").fit
    with pytest.raises(ValueError, match="has not kept its cross-products"):
        fit_at(fit)
    exact = model("crossed").fit
    theta = fit.convergence.theta
    solved = fit_at(fit, products=exact.products)
    assert_allclose(solved.fixed.coefficients, fit_at(exact, theta).fixed.coefficients, rtol=1e-9)
    assert fit_at(replace(exact, notices=())).notices == ()
