"""Standard errors of effects and of group coefficients against the mixed-model equations."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from prediction.henderson import henderson, three_factors

from skmixed import SingularFitWarning, mixedlm
from skmixed.datasets import (
    load_dyestuff2,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from skmixed.prediction.group_errors import group_coefficients, group_effects


def sleep(**columns) -> pd.DataFrame:
    return load_sleepstudy().assign(**columns)


def standard_errors(results, sums) -> np.ndarray:
    return np.sqrt(sums.by_level(sums.variance_of(results.fit)))


def weights() -> np.ndarray:
    return np.random.default_rng(3).uniform(0.2, 3.0, 180)


MODELS = {
    "correlated": lambda: mixedlm("Reaction ~ Days + (Days | Subject)", sleep()),
    "uncorrelated": lambda: mixedlm("Reaction ~ Days + (Days || Subject)", sleep()),
    "weighted": lambda: mixedlm(
        "Reaction ~ Days + (Days | Subject)", sleep(w=weights()), weights="w"
    ),
    "no fixed slope": lambda: mixedlm("Reaction ~ 1 + (Days | Subject)", sleep()),
    "no random slope": lambda: mixedlm("Reaction ~ Days + (1 | Subject)", sleep()),
    "slope only": lambda: mixedlm("Reaction ~ Days + (0 + Days | Subject)", sleep()),
    "crossed": lambda: mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin()),
    "nested": lambda: mixedlm("strength ~ 1 + (1 | batch / cask)", load_pastes()),
    "ml": lambda: mixedlm("Reaction ~ Days + (Days | Subject)", sleep(), method="ml"),
    "three factors": three_factors,
}


@pytest.fixture(scope="module", params=MODELS, ids=str)
def results(request):
    return MODELS[request.param]()


def test_errors_of_effects(results):
    errors = henderson(results)
    for effects in results.fit.random:
        variances = np.diagonal(errors.covariance)[errors.positions[effects.name]]
        found = standard_errors(results, group_effects(results.fit, effects))
        assert_allclose(found, np.sqrt(variances), rtol=1e-9)


def test_errors_of_effects_where_beta_is_known(results):
    errors = henderson(results)
    for effects in results.fit.random:
        positions = errors.positions[effects.name] - errors.n_fixed
        variances = np.diagonal(errors.given_beta)[positions]
        found = standard_errors(results, group_effects(results.fit, effects, beta_known=True))
        assert_allclose(found, np.sqrt(variances), rtol=1e-9)
        assert (found <= standard_errors(results, group_effects(results.fit, effects))).all()


def test_errors_of_coefficients(results):
    """Of a sum of a fixed and a random effect, of one without the other, and of two factors."""
    errors = henderson(results)
    names = results.fit.fixed.names
    for effects in results.fit.random:
        found = group_coefficients(results.fit, effects)
        table = results.group_coefficients[effects.name]
        assert found.names == tuple(table.columns)
        assert_allclose(found.by_level(found.mean_of(results.fit)), table, rtol=1e-12)
        for j, name in enumerate(found.names):
            sums = np.zeros((len(effects.levels), len(errors.covariance)))
            if name in names:
                sums[:, names.index(name)] = 1.0
            if name in effects.effect_names:
                own = errors.positions[effects.name][:, effects.effect_names.index(name)]
                sums[np.arange(len(own)), own] = 1.0
            variances = np.einsum("gi,ij,gj->g", sums, errors.covariance, sums)
            assert_allclose(standard_errors(results, found)[:, j], np.sqrt(variances), rtol=1e-8)


def test_two_terms_of_one_column_add_up():
    with pytest.warns(UserWarning, match="comes twice"):
        results = mixedlm("Reaction ~ 1 + (1 | Subject) + (Days | Subject)", sleep())
    [effects] = results.fit.random
    errors = henderson_of_sum(results)
    found = group_coefficients(results.fit, effects)
    assert found.names == ("Intercept", "Days")
    assert_allclose(standard_errors(results, found)[:, 0], errors, rtol=1e-6)


def henderson_of_sum(results) -> np.ndarray:
    """Return the standard error of the intercept and both random intercepts of each subject."""
    X, codes = np.ones((180, 1)), results.model.design.blocks[0].factor.codes
    columns = results.model.design.blocks[0].columns
    indicators = np.equal.outer(codes, np.arange(18)).astype(float)
    Z = np.einsum("ng,nq->ngq", indicators, columns).reshape(180, -1)
    Psi = np.kron(np.eye(18), results.fit.random[0].effect_covariance)
    V = Z @ Psi @ Z.T + results.scale * np.eye(180)
    of_beta = np.linalg.inv(X.T @ np.linalg.solve(V, X))
    moved = Psi @ Z.T @ np.linalg.solve(V, X)
    given_beta = Psi - Psi @ Z.T @ np.linalg.solve(V, Z @ Psi)
    positions = np.flatnonzero(np.array(results.fit.random[0].effect_names) == "Intercept")
    found = []
    for g in range(18):
        c = np.zeros(len(Psi))
        c[3 * g + positions] = 1.0
        left = 1.0 - c @ moved
        found.append(np.sqrt(left @ of_beta @ left + c @ given_beta @ c))
    return np.array(found)


def test_aliased_coefficient_has_no_standard_error():
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm(
            "Reaction ~ Days + twice + (Days | Subject)", sleep(twice=lambda d: 2 * d["Days"])
        )
    found = group_coefficients(results.fit, results.fit.random[0])
    assert np.isnan(standard_errors(results, found)[:, 2]).all()
    assert np.isfinite(standard_errors(results, found)[:, :2]).all()
    assert (found.by_level(found.mean_of(results.fit))[:, 2] == 0.0).all()


def test_variance_of_zero_leaves_the_error_of_beta():
    with pytest.warns(SingularFitWarning):
        results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    [effects] = results.fit.random
    assert_allclose(standard_errors(results, group_effects(results.fit, effects)), 0.0, atol=1e-6)
    found = group_coefficients(results.fit, effects)
    assert_allclose(standard_errors(results, found)[:, 0], results.bse["Intercept"], rtol=1e-6)


@pytest.mark.slow
def test_intervals_cover_the_true_coefficients():
    """Of 40,000 intervals of 95 % for the slopes of groups."""
    covered = []
    rng = np.random.default_rng(5)
    for _ in range(100):
        group = np.repeat(np.arange(200), 4)
        x = rng.normal(size=800)
        slopes = 1.0 + 0.7 * rng.normal(size=200)
        y = slopes[group] * x + rng.normal(size=200)[group] + rng.normal(size=800)
        results = mixedlm("y ~ x + (x || group)", {"y": y, "x": x, "group": group})
        [effects] = results.fit.random
        found = group_coefficients(results.fit, effects)
        distance = np.abs(found.by_level(found.mean_of(results.fit))[:, 1] - slopes)
        covered.append(distance < 1.96 * standard_errors(results, found)[:, 1])
    share = np.mean(covered)
    assert 0.94 < share < 0.956
