"""Simulated responses and refits of models with residual structures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from prediction.residual_rows import residual_data, whole_covariance

from inference.replication.test_simulation import N_DRAWS, assert_moments
from skmixed import mixedlm
from skmixed.inference import bootstrap, simulate
from skmixed.inference.replication.resampling import ResidualPool, counted_groups
from skmixed.inference.replication.simulation import response_model
from skmixed.residual import AR1, CORRELATIONS, VARIANCES, Heterogeneous, UnstructuredCorrelation

FORMULA = "out ~ z + (0 + z | who)"
STRUCTURES = {
    "product": AR1("time") * Heterogeneous("stratum"),
    "patterns": UnstructuredCorrelation("time") * VARIANCES["variance power"],
    "known": VARIANCES["known variance"],
    "space": CORRELATIONS["exponential"],
}


@pytest.fixture(scope="module")
def data():
    return residual_data(n_groups=10, n_rows=4)


@pytest.fixture(scope="module")
def results(data):
    return mixedlm(FORMULA, data, residual=STRUCTURES["product"])


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.filterwarnings("ignore::UserWarning")  # Estimates of no use are as good here.
def test_responses_have_the_marginal_covariance(name, data):
    weights = np.linspace(0.3, 2.0, len(data))
    residual = STRUCTURES[name]
    results = mixedlm(FORMULA, data, residual=residual, weights=weights, max_iter=3)
    X = np.column_stack([np.ones(len(data)), data["z"]])
    mean = X @ results.params.to_numpy()
    responses = simulate(results, n=N_DRAWS, random_state=1)
    assert_moments(responses, mean, whole_covariance(results, data, weights))


def test_conditional_responses_have_r_around_the_fitted_values(results, data):
    responses = simulate(results, n=N_DRAWS, random_effects="conditional", random_state=2)
    without = replace(results.fit, random=())
    R = whole_covariance(
        replace(results, fitted_model=replace(results.fitted_model, fit=without)),
        data,
        np.ones(len(data)),
    )
    assert_moments(responses, results.fittedvalues.to_numpy(), R)


def test_white_residuals_are_coloured_again(results):
    source = response_model(results.fit, results.model)
    modes = [block.modes[None] for block in source.predictor.blocks]
    again = source.assembled(modes, source.residuals[None])[0]
    assert_allclose(again, results.model.design.response, rtol=1e-10)


def test_pool_draws_white_residuals(results):
    """Residuals are drawn before they are correlated: their covariance is R, not of rows alone."""
    pool = ResidualPool(response_model(results.fit, results.model))
    assert_allclose(pool.residuals.std(), 1.0)
    drawn = pool.responses(4000, np.random.default_rng(0))
    who = results.model.residual.rows.grouped
    before, after = who.neighbours
    between = [
        np.corrcoef(drawn[:, i], drawn[:, j])[0, 1] for i, j in zip(before, after, strict=True)
    ]
    assert np.mean(between) > 0.3


@pytest.mark.parametrize("kind", ["parametric", "conditional", "residual"])
def test_replicates_are_fits_of_their_responses(kind, results):
    draws = bootstrap(results, n=2, kind=kind, random_state=3)
    model, source = results.model, response_model(results.fit, results.model)
    rng = np.random.default_rng(3)
    if kind == "residual":
        responses = ResidualPool(source).responses(2, rng)
    else:
        draw = source.with_new_effects if kind == "parametric" else source.with_modes
        responses = draw(2, rng)
    for i, response in enumerate(responses):
        fit = model.with_response(response).fit()
        row = draws.draws.iloc[i]
        assert_allclose(row["log_likelihood"], fit.log_likelihood, rtol=1e-8)
        for name, value in fit.residual.parameters.items():
            assert_allclose(row[name], value, atol=1e-4)
        assert_allclose([row["rho[0]"], row["rho[1]"]], fit.residual.rho, atol=1e-4)


def test_residual_parameters_have_intervals(results):
    draws = bootstrap(results, n=12, random_state=0)
    table = draws.conf_int().set_index("parameter")
    for name, value in results.residual_parameters.items():
        assert_allclose(table.loc[name, "estimate"], value)
        assert table.loc[name, "lower"] < table.loc[name, "upper"]
    assert draws.draws["converged"].all()


def test_the_search_starts_from_the_estimates(results):
    start = np.append(results.fit.convergence.theta, results.fit.residual.rho)
    again = results.model.fit(start)
    assert_allclose(again.log_likelihood, results.fit.log_likelihood, rtol=1e-12)
    assert again.convergence.n_iter < results.fit.convergence.n_iter
    other = results.model.fit(np.zeros(17))
    assert_allclose(other.log_likelihood, results.fit.log_likelihood, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "group"),
    [(FORMULA, None), (FORMULA, "who"), ("out ~ z", "who")],
)
def test_copies_of_a_group_are_groups_of_their_own(formula, group, data):
    results = mixedlm(formula, data, residual=AR1("time", group=group))
    people = sorted(data["who"].unique())
    counts = np.array([2, 0, 1, 3, 1, 0, 1, 1, 1, 0])
    copies = [
        data[data["who"] == who].assign(who=f"{who}-{k}")
        for who, count in zip(people, counts, strict=True)
        for k in range(count)
    ]
    expected = mixedlm(formula, pd.concat(copies), residual=AR1("time", group=group))
    found = counted_groups(results.model, counts).fit()
    assert_allclose(found.log_likelihood, expected.llf, rtol=1e-9)
    assert_allclose(found.fixed.coefficients, expected.params, rtol=1e-6)
    assert_allclose(
        list(found.residual.parameters.values()),
        list(expected.residual_parameters.values()),
        rtol=1e-5,
    )


def test_whole_groups_can_be_drawn_without_random_effects(data):
    results = mixedlm("out ~ z", data, residual=AR1("time", group="who"))
    draws = bootstrap(results, n=3, kind="case", random_state=0)
    assert draws.draws["phi"].nunique() == 3
    with pytest.raises(ValueError, match="the model has no groups"):
        bootstrap(mixedlm("out ~ z", data, residual=Heterogeneous("stratum")), n=3, kind="case")


def test_a_replicate_without_a_stratum(data):
    """What is relative to a stratum that was not drawn has no value; the rest keeps its name."""
    stratum = np.select([data["who"] == "p00", data["who"] == "p01"], ["a", "b"], "c")
    results = mixedlm(FORMULA, data.assign(stratum=stratum), residual=Heterogeneous("stratum"))

    def drawn(*left_out: int) -> dict:
        model = counted_groups(results.model, np.where(np.isin(np.arange(10), left_out), 0, 1))
        record = bootstrap(results, n=1)._refitter._record_of(model.fit(), model)
        return {name: float(value[0]) for name, value in record.items()}

    without_b, without_a = drawn(1), drawn(0)
    assert np.isnan(without_b["ratio b"])
    assert np.isfinite([without_b[name] for name in ("sigma", "ratio c", "theta[0]")]).all()
    relative = ("sigma", "ratio b", "ratio c", "theta[0]", "rho[0]")
    assert np.isnan([without_a[name] for name in relative]).all()
    assert np.isfinite([without_a[name] for name in ("Intercept", "sd_z|who")]).all()


def test_draws_of_groups_have_no_free_parameters(data):
    results = mixedlm(FORMULA, data, residual=AR1("time"))
    draws = bootstrap(results, n=3, kind="case", random_state=0)
    with pytest.raises(ValueError, match="kind='parametric'"):
        results.predict(data, return_std=True, variance_uncertainty=draws)
