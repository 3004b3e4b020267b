"""Predictions of generalised models against brute force: dense algebra, grids, draws and refits."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from prediction.dense_family import Dense, simulated
from scipy import stats
from scipy.special import expit

from skmixed import mixedglm
from skmixed.fitting.glmm_model import GLMMModel

COVERED = (0.05, 0.5, 0.9)


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return simulated()


@pytest.fixture(scope="module")
def logistic(data):
    return mixedglm("yes ~ x + (x | group) + (1 | day)", data, family="binomial")


@pytest.fixture(scope="module")
def poisson(data):
    return mixedglm("count ~ x + (1 | group)", data, family="poisson")


@pytest.fixture(scope="module")
def new() -> pd.DataFrame:
    """Rows of known groups, a new group, and a new group on a new day."""
    return pd.DataFrame(
        {
            "x": [0.5, -1.0, 2.0, 0.0],
            "group": ["g0", "g3", "new", "other"],
            "day": ["d1", "d0", "d2", "new"],
        }
    )


@pytest.fixture(scope="module")
def dense(logistic, new) -> Dense:
    return Dense(logistic, new)


def averaged(function, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Integrate over N(mean, variance) on a fine grid."""
    z = np.linspace(-10.0, 10.0, 4001)
    weights = stats.norm.pdf(z) * (z[1] - z[0])
    return function(mean[:, None] + np.sqrt(variance)[:, None] * z) @ weights


def test_eta_and_its_deviations(logistic, new, dense):
    mean, std = logistic.predict_link(new, return_std=True)
    assert_allclose(mean, dense.mean, rtol=1e-6)
    assert_allclose(std**2, dense.given + dense.unknown + dense.of_beta, rtol=1e-5)
    std = logistic.predict_link(new, return_std=True, kind="population")[1]
    assert_allclose(std**2, dense.given + dense.of_beta, rtol=1e-5)
    std = logistic.predict_link(
        new, return_std=True, kind="population", include_random_effects=False
    )[1]
    V = logistic.cov_params().to_numpy()
    assert_allclose(std**2, np.einsum("ni,ij,nj->n", dense.x, V, dense.x), rtol=1e-8)
    assert_allclose(
        np.sqrt(np.diag(logistic.predict_link(new, return_cov=True)[1])) ** 2,
        dense.given + dense.unknown + dense.of_beta,
        rtol=1e-5,
    )


def test_the_mean_is_that_at_the_modes_or_averaged(logistic, new, dense):
    assert_allclose(logistic.predict(new), expit(dense.mean), rtol=1e-7)
    expected = averaged(expit, dense.mean, dense.given + dense.unknown)
    assert_allclose(logistic.predict(new, average=True), expected, rtol=1e-5)
    at_zero = logistic.predict(new, average=False, include_random_effects=False)
    assert_allclose(at_zero, expit(dense.x @ logistic.params.to_numpy()), rtol=1e-10)


def test_left_out_effects_are_averaged_over_all_groups(poisson, new):
    variance = poisson.fit.random[0].effect_covariance[0, 0]
    found = poisson.predict(new, average=True, include_random_effects=False)
    eta = poisson.params.iloc[0] + poisson.params.iloc[1] * new["x"]
    assert_allclose(found, np.exp(eta + 0.5 * variance), rtol=1e-10)


def test_limits_of_the_mean_are_those_of_eta(logistic, new):
    link = logistic.predict_interval(new, scale="link", kind="mean")
    for average in (True, False):
        found = logistic.predict_interval(new, kind="mean", average=average)
        assert_allclose(found, expit(link), rtol=1e-10)
    mean, std = logistic.predict_link(new, return_std=True, kind="mean")
    link = logistic.predict_interval(new, scale="link", kind="mean")
    assert_allclose(link, mean[:, None] + std[:, None] * stats.norm.ppf([0.025, 0.975]))


def test_limits_of_a_population_average_over_unknown_groups(logistic, new, dense):
    """Of known groups they are limits of the group's mean; at the modes, unknown effects are 0."""
    found = logistic.predict_interval(new, kind="population", average=True, coverage=0.9)
    spread = np.sqrt(dense.given + dense.of_beta)
    for column, p in zip(found.T, (0.05, 0.95), strict=True):
        eta = dense.mean + stats.norm.ppf(p) * spread
        assert_allclose(column, averaged(expit, eta, dense.unknown), rtol=1e-4)
    at_modes = logistic.predict_interval(new, kind="population", coverage=0.9)
    link = logistic.predict_interval(new, kind="population", coverage=0.9, scale="link")
    assert_allclose(at_modes, expit(link), rtol=1e-10)


def test_deviations_of_means_are_to_first_order(logistic, new, dense):
    p, std = logistic.predict(new, return_std=True, kind="mean")
    v = dense.given + dense.unknown + dense.of_beta
    assert_allclose(std, p * (1.0 - p) * np.sqrt(v), rtol=1e-5)
    std = logistic.predict(new, return_std=True, kind="mean", average=True)[1]
    slope = averaged(lambda eta: expit(eta) * expit(-eta), dense.mean, dense.given + dense.unknown)
    assert_allclose(std, slope * np.sqrt(v), rtol=1e-4)


def test_an_observation_has_the_variance_of_the_mixture(poisson, new):
    mean, std = poisson.predict_link(new, return_std=True)
    expected = averaged(np.exp, mean, std**2)
    between = averaged(lambda eta: np.exp(2.0 * eta), mean, std**2) - expected**2
    found = poisson.predict(new, return_std=True)[1]
    assert_allclose(found**2, expected + between, rtol=1e-8)


def test_quantiles_of_an_observation_invert_the_mixture(poisson, new):
    mean, std = poisson.predict_link(new, return_std=True)
    found = poisson.predict_quantiles(new, quantiles=COVERED)
    for column, p in zip(found.T, COVERED, strict=True):
        below = averaged(
            lambda eta, y=column: stats.poisson.cdf(y[:, None] - 1.0, np.exp(eta)), mean, std**2
        )
        up_to = averaged(
            lambda eta, y=column: stats.poisson.cdf(y[:, None], np.exp(eta)), mean, std**2
        )
        assert (below < p).all()
        assert (up_to >= p - 1e-9).all()


def test_the_covariance_has_the_variances(logistic, poisson, new):
    for results in (logistic, poisson):
        for switches in (
            {"kind": "mean"},
            {"kind": "population", "average": True},
            {"kind": "observation"},
            {"kind": "mean", "scale": "link"},
        ):
            covariance = results.predict(new, return_cov=True, **switches)[1]
            std = results.predict(new, return_std=True, **switches)[1]
            assert_allclose(np.sqrt(np.diag(covariance)), std, rtol=1e-8)
            assert np.linalg.eigvalsh(covariance).min() > -1e-10


def test_probabilities_add_up_and_keep_small_ones(logistic, new):
    far = new.assign(x=[-200.0, 200.0, -50.0, 0.0])
    for average in (True, False):
        both = logistic.predict_probabilities(far, average=average)
        assert_allclose(both.sum(axis=1), 1.0, rtol=1e-12)
        assert_allclose(both[:, 1], logistic.predict(far, average=average), rtol=1e-9)
        assert (both > 0.0).all()
        logarithms = logistic.predict_probabilities(far, average=average, logarithm=True)
        assert_allclose(np.exp(logarithms), both, rtol=1e-12)


def test_probabilities_need_a_binary_response(poisson, new):
    with pytest.raises(ValueError, match="family='binomial'"):
        poisson.predict_probabilities(new)


def test_offsets_and_exposures_of_new_rows(poisson, new):
    plain = poisson.predict(new)
    assert_allclose(poisson.predict(new, exposure=[1.0, 2.0, 3.0, 4.0]), plain * [1, 2, 3, 4])
    assert_allclose(poisson.predict(new, offset=np.log([1.0, 2, 3, 4])), plain * [1, 2, 3, 4])
    both = poisson.predict(new, offset=np.full(4, np.log(2.0)), exposure=np.full(4, 3.0))
    assert_allclose(both, 6.0 * plain)
    limits = poisson.predict_interval(new, kind="mean", exposure=np.full(4, 2.0))
    assert_allclose(limits, 2.0 * poisson.predict_interval(new, kind="mean"))


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"exposure": [1.0, 2.0, 3.0, -1.0]}, "not positive"),
        ({"offset": [1.0, 2.0]}, "offset"),
        ({"trials": [1.0, 2.0, 1.5, 1.0]}, "trials must be whole"),
        ({"scale": "probability"}, "scale must be one of"),
        ({"kind": "new"}, "kind must be one of"),
    ],
)
def test_what_cannot_be_predicted_is_said(poisson, new, switches, message):
    with pytest.raises(ValueError, match=message):
        poisson.predict(new, **switches)


def test_exposures_need_the_log_link(logistic, new):
    with pytest.raises(ValueError, match="log link"):
        logistic.predict(new, exposure=np.ones(4))


def test_trials_make_shares_of_observations(logistic, new):
    single = logistic.predict_quantiles(new)
    assert set(np.unique(single)) <= {0.0, 1.0}
    many = logistic.predict_quantiles(new, trials=np.full(4, 10.0))
    assert_allclose(many * 10.0, np.round(many * 10.0), atol=1e-9)
    assert ((many > 0.0) & (many < 1.0)).any()
    std = logistic.predict(new, return_std=True)[1]
    assert (logistic.predict(new, return_std=True, trials=np.full(4, 10.0))[1] < std).all()


def test_fitted_values_are_those_of_the_modes(poisson, data):
    eta = poisson.predict_link(data)
    assert_allclose(poisson.fittedvalues, np.exp(eta), rtol=1e-12)
    assert_allclose(poisson.predict(data, average=False), poisson.fittedvalues, rtol=1e-12)
    with pytest.raises(ValueError, match="Pass data"):
        poisson.predict(average=True)


def test_labels_that_are_not_known(logistic, new, data):
    strict = mixedglm("yes ~ x + (1 | group)", data, family="binomial").fitted_model
    assert strict.unseen_groups == "population"
    assert_allclose(logistic.predict(new.iloc[3:]), expit(logistic.params.iloc[:1]), rtol=1e-10)
    missing = new.assign(group=[None, "g3", "g1", "g1"])
    with pytest.raises(ValueError, match="missing"):
        logistic.predict(missing)


def test_errors_of_all_parameters_are_those_of_refits_at_moved_parameters(data):
    """The slopes of the modes against modes found again."""
    results = mixedglm("count ~ x + (x | group)", data, family="negative_binomial")
    fit, model = results.fit, results.model
    assert isinstance(model, GLMMModel)
    x, (_, objective) = fit.joint.parameters, model.objective()
    step = 1e-5
    for j in range(len(x) - fit.joint.n_beta):
        moved = [x.copy(), x.copy()]
        moved[0][fit.joint.n_beta + j] += step
        moved[1][fit.joint.n_beta + j] -= step
        up, down = (objective.modes(one).effects[0] for one in moved)
        expected = (up - down).T / (2.0 * step)
        assert_allclose(fit.mode_slopes[0][:, :, j], expected, atol=2e-4 * np.abs(expected).max())


def test_the_delta_method_adds_what_other_parameters_do(poisson, new):
    known = poisson.predict_link(new, return_std=True)[1]
    wider = poisson.predict_link(new, return_std=True, variance_uncertainty="delta")[1]
    assert (wider[:2] != known[:2]).all()
    covariance = poisson.predict_link(new, return_cov=True, variance_uncertainty="delta")[1]
    assert_allclose(np.sqrt(np.diag(covariance)), wider, rtol=1e-10)
    table = poisson.random_effects_table(variance_uncertainty="delta")
    plain = poisson.random_effects_table()
    assert_allclose(table["value"], plain["value"])
    assert (np.abs(table["se"] - plain["se"]) > 1e-6).any()
    assert "df" not in table


def test_conditional_deviations_are_given_the_parameters(logistic, dense):
    table = logistic.random_effects_table(beta_known=True)
    own = table.query("factor == 'group' and effect == 'Intercept'")["se"]
    expected = np.sqrt(dense.D.diagonal()[:50:2])
    assert_allclose(own, expected, rtol=1e-5)
    assert_allclose(logistic.random_effects_sd["group"]["Intercept"], expected, rtol=1e-5)


def test_drawn_effects_have_the_covariance_given_the_data(logistic, dense):
    draws = logistic.sample_random_effects(20_000, random_state=0, beta_known=True)
    group = draws.draws["group"].reshape(20_000, -1)
    covariance = dense.D[:50, :50]
    sd = np.sqrt(covariance.diagonal())
    error = np.sqrt((np.outer(sd**2, sd**2) + covariance**2) / 20_000)
    assert (np.abs(np.cov(group.T) - covariance) / error).max() < 5.5


def test_a_mixture_over_draws_is_not_available(poisson, new):
    draws = type(
        "Draws",
        (),
        {
            "estimates": pd.Series({"sigma": 1.0}),
            "draws": pd.DataFrame({"theta[0]": [1.0], "sigma": [1.0], "converged": [True]}),
        },
    )()
    with pytest.raises(ValueError, match="delta"):
        poisson.predict(new, return_std=True, variance_uncertainty=draws)


def test_the_dispersion_of_new_rows(data, new):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = mixedglm("count ~ x + (1 | group)", data, family="negative_binomial")
    further = results.predict_further(new)
    assert list(further) == ["dispersion"]
    assert further["dispersion"].shape == (4,)
    mean, eta = results.predict(new), results.predict_link(new)
    omega = results.fit.extra[0].of_rows(None, 4)
    assert_allclose(mean, np.exp(eta), rtol=1e-12)
    assert_allclose(
        results.fit.family.variance(eta, (omega,)),
        mean + mean**2 * np.exp(-omega),
        rtol=1e-8,
    )


def test_rows_without_a_predictor_are_missing(data):
    holes = data.assign(x=np.where(np.arange(300) < 3, np.nan, data["x"]))
    results = mixedglm("count ~ x + (1 | group)", holes, family="poisson", missing="drop")
    assert np.isnan(results.fittedvalues.iloc[:3]).all()
    found = results.predict(holes.head(5), exposure=np.arange(1.0, 6.0))
    assert np.isnan(found[:3]).all()
    assert_allclose(found[3:], results.fittedvalues.iloc[3:5] * [4.0, 5.0], rtol=1e-10)


def test_coefficients_of_groups_are_sums_with_their_own_errors(logistic):
    """The errors of beta_hat and of the modes compensate."""
    table = logistic.group_coefficients_table().query("factor == 'group' and term == 'Intercept'")
    modes = logistic.random_effects["group"]["Intercept"]
    assert_allclose(table["value"], logistic.params["Intercept"] + modes)
    apart = np.hypot(
        logistic.random_effects_table().query("factor == 'group' and effect == 'Intercept'")["se"],
        logistic.bse["Intercept"],
    )
    assert (table["se"].to_numpy() < apart).all()
    wider = logistic.group_coefficients_table(variance_uncertainty="delta")
    assert np.isfinite(wider["se"]).all()
