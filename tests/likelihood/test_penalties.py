"""Penalties: derivatives, names, and what they do to a fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed.families.reading import family_from
from skmixed.likelihood.penalties import GammaPrior, Penalty, WishartPrior, penalty_from
from tests.properties.hard_generalised import model_of

PENALTIES = [
    Penalty(2.0, "wishart"),
    Penalty(0.0, "gamma"),
    Penalty(0.0, WishartPrior(6.0, 0.5)),
    Penalty(0.0, GammaPrior(2.0, 0.3)),
]


def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n = 60
    return pd.DataFrame(
        {
            "g": np.arange(n) % 6,
            "x": rng.normal(2.0, 3.0, n),
            "f": np.resize(["a", "b", "c", "b"], n),
            "y": rng.integers(0, 2, n).astype(float),
        }
    )


@pytest.mark.parametrize("term", ["(x | g)", "(x || g)", "cs(0 + f | g)", "ar1(0 + f | g)"])
@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_derivatives_agree_with_differences(term: str, penalty: Penalty) -> None:
    model = replace(
        model_of(f"y ~ x + {term}", frame(), family_from("binomial", None)), penalty=penalty
    )
    _, objective = model.objective()
    bound: Any = objective.penalty
    p, m = len(objective.X), objective.n_theta
    x = np.concatenate([[0.5, -0.4], np.linspace(0.4, 1.0, m)])

    def at(x: Any) -> Any:
        return bound.at(x[:p], x[p:])

    moves = 1e-6 * np.eye(p + m)
    slopes = [(at(x + h).value - at(x - h).value) / 2e-6 for h in moves]
    curvatures = [(at(x + h).gradient - at(x - h).gradient) / 2e-6 for h in moves]
    assert_allclose(at(x).gradient, slopes, rtol=1e-6, atol=1e-6)
    assert_allclose(at(x).hessian, curvatures, rtol=1e-6, atol=1e-6)


def test_priors_of_one_effect_agree_and_keep_the_variance_off_zero() -> None:
    model = model_of("y ~ x + (1 | g)", frame(), family_from("binomial", None))
    plain = model.fit()
    fits = [replace(model, penalty=Penalty(prior_sd=name)).fit() for name in ("wishart", "gamma")]
    assert plain.random[0].effect_covariance[0, 0] < 1e-6
    assert fits[0].random[0].effect_covariance[0, 0] > 0.05
    assert_allclose(
        fits[0].random[0].effect_covariance, fits[1].random[0].effect_covariance, rtol=1e-6
    )
    for fit in fits:
        assert fit.convergence.converged
        assert fit.log_likelihood < plain.log_likelihood


def test_the_log_likelihood_is_that_of_the_model() -> None:
    model = model_of("y ~ x + (1 | g)", frame(), family_from("binomial", None))
    fit = replace(model, penalty=Penalty(5.0, "wishart")).fit()
    _, objective = model.objective()
    assert_allclose(-2.0 * fit.log_likelihood, objective.value(fit.joint.parameters), rtol=1e-9)


def test_a_ridge_makes_separated_coefficients_finite_whatever_the_units() -> None:
    data = frame()
    data["y"] = (data["x"] > 2.0).astype(float)
    family = family_from("binomial", None)
    one, other = (
        replace(model_of("y ~ x + (1 | g)", rows, family), penalty=Penalty(ridge=1.0)).fit()
        for rows in (data, data.assign(x=1e4 * data["x"]))
    )
    assert one.convergence.converged
    assert 0.1 < one.fixed.coefficients[1] < 10.0
    assert_allclose(1e4 * other.fixed.coefficients[1], one.fixed.coefficients[1], rtol=1e-5)
    assert not any("run off" in notice.message for notice in one.notices)


def test_what_is_read_as_a_penalty() -> None:
    assert penalty_from(None) is None
    assert penalty_from(0) is None
    assert penalty_from(2) == Penalty(ridge=2.0)
    assert penalty_from(Penalty(prior_sd="gamma")) == Penalty(prior_sd="gamma")
    with pytest.raises(ValueError, match="not negative"):
        penalty_from(-1.0)
    with pytest.raises(ValueError, match="prior_sd must be one of"):
        penalty_from(Penalty(prior_sd="cauchy"))
    with pytest.raises(TypeError, match="got str"):
        penalty_from("ridge")
