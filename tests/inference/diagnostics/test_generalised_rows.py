"""Residuals and cluster-robust covariances of generalised models."""

from __future__ import annotations

import numpy as np
import pytest
from behaviour.generalised_fits import fit, fitted, rows
from numpy.testing import assert_allclose

from skmixed import MixedGLM, inference
from skmixed.inference.diagnostics.row_inputs import family_rows
from skmixed.inference.diagnostics.sandwich import _family_scores


def test_residuals_of_shares_count_their_trials():
    results, table = fitted("trials"), rows()
    y, n, p = table["share"], table["trials"], results.fittedvalues
    assert_allclose(results.resid_response, y - p)
    assert_allclose(results.resid_pearson, (y - p) / np.sqrt(p * (1.0 - p) / n))
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = np.where(y > 0.0, y * np.log(y / p), 0.0)
        misses = np.where(y < 1.0, (1.0 - y) * np.log((1.0 - y) / (1.0 - p)), 0.0)
    assert_allclose(results.resid_deviance**2, 2.0 * n * (hits + misses), atol=1e-12)
    assert (np.sign(results.resid_deviance) == np.sign(y - p)).all()
    assert results.resid_pearson.index.equals(table.index)


def test_pearson_residuals_have_the_variance_of_the_family():
    results = fitted("negative binomial")
    mean = results.fittedvalues
    variance = mean + results.dispersion * mean**2
    assert_allclose(results.resid_pearson, (rows()["count"] - mean) / np.sqrt(variance))
    assert_allclose(results.resid, results.resid_response)


def test_a_mixture_has_no_deviance_and_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="not defined with zero inflation"):
        inference.residuals(fitted("zero inflation"), kind="deviance")
    with pytest.raises(ValueError, match="'deviance', 'marginal', 'pearson'"):
        inference.residuals(fitted("poisson"), kind="decorrelated")


@pytest.mark.parametrize("name", ["probit, slopes", "dispersion", "zero inflation"])
def test_scores_of_groups_are_derivatives_of_their_log_likelihoods(name):
    results = fitted(name)
    factor = results.model.design.factors[0]
    scores = _family_scores(family_rows(results), factor)
    assert_allclose(scores.sum(axis=1), 0.0, atol=1e-3)
    _, objective = results.model.objective()
    own = objective.of_rows(np.flatnonzero(factor.codes == 2))
    x, step = results.fit.joint.parameters, 1e-5
    for j in range(len(x)):
        moved = np.zeros(len(x))
        moved[j] = step
        slope = (own(x - moved).value - own(x + moved).value) / (4.0 * step)
        assert scores[j, 2] == pytest.approx(slope, abs=2e-5)


def test_the_sandwich_is_made_of_scores_and_the_inverse_information():
    results = fitted("poisson")
    scores = _family_scores(family_rows(results), results.model.design.factors[0])
    joint = results.fit.joint
    whole = joint.covariance @ scores @ scores.T @ joint.covariance
    matrix = results.fit.coordinates.fixed.matrix
    expected = matrix @ whole[joint.beta, joint.beta] @ matrix.T
    plain = inference.robust_covariance(results, kind="CR0")
    assert_allclose(plain.covariance, expected, rtol=1e-9)
    scaled = inference.robust_covariance(results)
    assert_allclose(scaled.covariance, expected * 15.0 / 14.0, rtol=1e-9)
    assert (scaled.kind, scaled.cluster) == ("CR1", "g")
    table = scaled.tidy()
    assert (table["df"] == 14.0).all()
    assert_allclose(table["se"], np.sqrt(np.diagonal(scaled.covariance)))


def test_quadrature_has_scores_of_its_own():
    results = fit("yes ~ x + (1 | g)", family="binomial", n_quadrature=7)
    scores = _family_scores(family_rows(results), results.model.design.factors[0])
    assert_allclose(scores.sum(axis=1), 0.0, atol=1e-3)


def test_clusters_are_a_factor_a_column_or_labels():
    results = fitted("poisson")
    pairs = np.repeat(np.arange(5), 24)
    by_label = inference.robust_covariance(results, cluster=pairs)
    assert by_label.n_clusters == 5
    with pytest.raises(ValueError, match="correlated in the model"):
        inference.robust_covariance(results, cluster="h")
    with pytest.raises(ValueError, match="no grouping factor 'school'"):
        inference.robust_covariance(results, cluster="school")
    with pytest.raises(ValueError, match="120 rows"):
        inference.robust_covariance(results, cluster=[1, 2])
    with pytest.raises(ValueError, match="at least two clusters"):
        inference.robust_covariance(results, cluster=np.zeros(120))
    with pytest.raises(ValueError, match="no linear theory"):
        inference.robust_covariance(results, kind="CR2")
    with pytest.raises(ValueError, match="hold whole levels"):
        inference.robust_covariance(fitted("poisson, crossed"))


def test_an_estimator_brings_its_rows():
    table = rows()
    X, y = table[["x", "g"]], table["count"]
    estimator = MixedGLM("g", family="poisson").fit(X, y)
    results = fit("count ~ x + (1 | g)", family="poisson")
    assert_allclose(
        inference.residuals(estimator, X, y, kind="pearson"), results.resid_pearson, atol=1e-5
    )
    found = inference.robust_covariance(estimator, X, y)
    assert_allclose(found.covariance, inference.robust_covariance(results).covariance, rtol=1e-4)
