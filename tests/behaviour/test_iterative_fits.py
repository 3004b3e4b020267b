"""Iterative fits: as good as exact ones up to a Monte-Carlo error that they know themselves."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from skmixed import MixedLM, SingularFitWarning, mixedlm
from skmixed.fitting.notices import notices_of
from skmixed.likelihood.iterative_errors import IterativeErrors

# Monte-Carlo errors that a difference may have: each is itself estimated from 16 replicates.
WIDE = 4.0

FORMULAS = {
    "intercepts": "y ~ x + (1 | user) + (1 | item)",
    "slopes": "y ~ x + (1 + x | user) + (1 + x | item)",
    "uncorrelated slopes": "y ~ x + (1 + x || user) + (1 + x || item)",
    "three factors": "y ~ x + (1 | user) + (1 | item) + (1 | week)",
}


def ratings(n: int = 6000, n_users: int = 700, n_items: int = 250, *, seed: int = 0):
    """Simulate ratings of items of which some are far more popular than others."""
    rng = np.random.default_rng(seed)
    user, item = (
        rng.choice(levels, n, p=weights / weights.sum())
        for levels, weights in (
            (n_users, (np.arange(n_users) + 1.0) ** -0.6),
            (n_items, (np.arange(n_items) + 1.0) ** -0.9),
        )
    )
    week = rng.integers(0, 60, n)
    x = rng.normal(size=n)
    y = 1.0 + 0.5 * x + rng.normal(size=n) + 0.4 * rng.normal(size=60)[week]
    for codes, levels in ((user, n_users), (item, n_items)):
        effects = rng.normal(size=(2, levels)) * [[0.7], [0.3]]
        y += effects[0, codes] + effects[1, codes] * x
    return pd.DataFrame({"y": y, "x": x, "user": user, "item": item, "week": week})


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return ratings()


@pytest.fixture(scope="module", params=FORMULAS)
def both(request, data):
    formula = FORMULAS[request.param]
    return [mixedlm(formula, data, solver=solver) for solver in ("direct", "iterative")]


def test_variances_agree_within_their_monte_carlo_error(both):
    exact, estimated = both
    assert estimated.converged
    assert not exact.monte_carlo_error.any()
    error = estimated.monte_carlo_error
    assert (error > 0.0).all()
    assert (np.abs(estimated.theta - exact.theta) < WIDE * error).all()
    assert estimated.fit.monte_carlo.relative < 0.05
    assert_allclose(estimated.sigma, exact.sigma, rtol=1e-3)


def test_log_likelihood_agrees_within_its_monte_carlo_error(both):
    exact, estimated = both
    error = estimated.llf_monte_carlo_error
    assert 0.0 < error < 0.5
    assert abs(estimated.llf - exact.llf) < WIDE * error
    assert exact.llf_monte_carlo_error == 0.0


def test_coefficients_and_modes_agree(both):
    exact, estimated = both
    assert_allclose(estimated.params, exact.params, atol=5e-3 * exact.bse.min())
    assert_allclose(estimated.bse, exact.bse, rtol=2e-3)
    for name, modes in exact.random_effects.items():
        spread = exact.random_effects_sd[name]
        difference = (estimated.random_effects[name] - modes).abs()
        assert (difference < 0.03 * spread).all(axis=None)


def test_errors_of_the_modes_agree_within_a_few_percent(both):
    exact, estimated = both
    for name, sd in exact.random_effects_sd.items():
        ratio = (estimated.random_effects_sd[name] / sd).to_numpy()
        assert_allclose(ratio, 1.0, atol=0.06)
        assert np.sqrt(np.mean((ratio - 1.0) ** 2)) < 0.015


def test_errors_of_predictions_agree_within_a_few_percent(both, data):
    fresh = data.assign(item=np.random.default_rng(1).permutation(data["item"]))
    expected, found = (fit.predict(fresh, return_std=True) for fit in both)
    assert_allclose(found[0], expected[0], atol=0.02)
    # Without the residual's part, which is the largest.
    own = [
        np.sqrt(std**2 - fit.scale) for (_, std), fit in zip((expected, found), both, strict=True)
    ]
    assert np.sqrt(np.mean((own[1] / own[0] - 1.0) ** 2)) < 0.03


def test_without_random_effects_errors_are_exact(both, data):
    expected, found = (
        fit.predict(data.head(20), include_random_effects=False, return_std=True) for fit in both
    )
    assert_allclose(found[1], expected[1], rtol=1e-3)


def test_covariances_of_predictions_are_covariances(both, data):
    _, estimated = both
    _, covariance = estimated.predict(data.head(40), return_cov=True)
    _, std = estimated.predict(data.head(40), return_std=True)
    assert_allclose(np.sqrt(covariance.diagonal()), std, rtol=1e-10)
    assert np.linalg.eigvalsh(covariance)[0] > 0.0


def test_coefficients_are_exact_at_the_same_variances(data):
    """Only the variances are estimated from probes: at equal theta all the rest is solved for."""
    with pytest.warns(ConvergenceWarning):
        exact, estimated = (
            mixedlm(FORMULAS["intercepts"], data, solver=solver, max_iter=1)
            for solver in ("direct", "iterative")
        )
    assert not estimated.converged
    assert_allclose(estimated.theta, exact.theta, rtol=1e-12)
    assert_allclose(estimated.params, exact.params, rtol=1e-9)
    assert_allclose(estimated.bse, exact.bse, rtol=1e-9)
    assert_allclose(estimated.sigma, exact.sigma, rtol=1e-10)
    for name, modes in exact.random_effects.items():
        assert_allclose(estimated.random_effects[name], modes, atol=1e-8)


def test_weights_mean_the_same(data):
    weights = np.random.default_rng(3).uniform(0.2, 3.0, len(data))
    exact, estimated = (
        mixedlm(FORMULAS["intercepts"], data, weights=weights, solver=solver)
        for solver in ("direct", "iterative")
    )
    error = estimated.monte_carlo_error
    assert (np.abs(estimated.theta - exact.theta) < WIDE * error).all()
    assert abs(estimated.llf - exact.llf) < WIDE * estimated.llf_monte_carlo_error


def test_a_variance_of_zero_is_found_exactly():
    data = ratings(seed=4)
    rng = np.random.default_rng(0)
    user = rng.normal(size=700)[data["user"]]
    data["y"] = data["x"] + user + rng.normal(size=len(data))
    # What is left has less variation between items than chance would give.
    data["y"] -= 0.9 * (data["y"] - user).groupby(data["item"]).transform("mean")
    with pytest.warns(SingularFitWarning, match="'item'"):
        fit = mixedlm("y ~ x + (1 | user) + (1 | item)", data, solver="iterative")
    assert fit.converged
    assert fit.is_singular
    assert fit.theta[1] == 0.0
    assert not fit.random_effects["item"].to_numpy().any()
    assert not fit.random_effects_sd["item"].to_numpy().any()
    one = mixedlm("y ~ x + (1 | user)", data)
    assert_allclose(fit.llf, one.llf, rtol=1e-10)
    assert_allclose(fit.theta[0], one.theta[0], rtol=1e-6)
    assert fit.monte_carlo_error[1] == 0.0


def test_a_variance_of_zero_among_three_factors():
    """Other factors must not drown the score of one whose variance tends to 0."""
    data = ratings(seed=5)
    rng = np.random.default_rng(0)
    data["week"] = rng.integers(0, 60, len(data))
    week = data.groupby("week")["y"].transform("mean")
    data["y"] -= 0.9 * (week - data["y"].mean())
    fits = []
    for solver in ("direct", "iterative"):
        with pytest.warns(SingularFitWarning, match="'week'"):
            fits.append(mixedlm(FORMULAS["three factors"], data, solver=solver))
    exact, estimated = fits
    assert estimated.converged
    assert estimated.fit.convergence.n_iter < 15
    assert exact.theta[2] == estimated.theta[2] == 0.0
    error = np.maximum(estimated.monte_carlo_error, 1e-9)
    assert (np.abs(estimated.theta - exact.theta) < WIDE * error).all()


def test_results_repeat_themselves(data):
    first, again = (mixedlm(FORMULAS["slopes"], data, solver="iterative") for _ in range(2))
    assert np.array_equal(first.theta, again.theta)
    assert first.llf == again.llf


def test_levels_that_hardly_meet_get_more_probes():
    """A chain: each user meets two items, each item two users."""
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(200), 6)
    item = user + np.tile(np.repeat([0, 1], 3), 200)
    y = 3.0 * rng.normal(size=200)[user] + 3.0 * rng.normal(size=201)[item]
    data = pd.DataFrame({"y": y + rng.normal(size=len(user)), "user": user, "item": item})
    formula = "y ~ 1 + (1 | user) + (1 | item)"
    exact, estimated = (mixedlm(formula, data, solver=s) for s in ("direct", "iterative"))
    assert estimated.fit.monte_carlo.relative < 0.07
    assert (np.abs(estimated.theta - exact.theta) < WIDE * estimated.monte_carlo_error).all()
    assert abs(estimated.llf - exact.llf) < WIDE * estimated.llf_monte_carlo_error


def test_a_large_monte_carlo_error_is_told(data):
    model = MixedLM(formula=FORMULAS["intercepts"], solver="iterative").fit(data)
    fit = model.lmm_fit_
    noisy = replace(fit, monte_carlo=replace(fit.monte_carlo, relative=0.3))
    design, _ = model._design(data, None, None)[:2]
    varies = [np.array([True])] * 2
    (notice,) = notices_of(noisy, design, varies)
    assert "30% of its standard error" in notice.message
    assert "solver='direct'" in notice.message


def test_the_summary_tells_the_monte_carlo_error(data):
    estimated = mixedlm(FORMULAS["intercepts"], data, solver="iterative")
    assert "Monte-Carlo error" in str(estimated.summary())
    assert "Monte-Carlo error" not in str(mixedlm(FORMULAS["intercepts"], data).summary())


def test_the_pickle_grows_with_levels_not_with_rows():
    sizes = []
    for n in (6000, 24000):
        data = ratings(n)
        every = pd.DataFrame({"user": np.arange(700), "item": np.arange(700) % 250})
        data.loc[: len(every) - 1, ["user", "item"]] = every.to_numpy()
        model = MixedLM(["user", "item"], solver="iterative")
        model.fit(data[["x", "user", "item"]], data["y"])
        assert isinstance(model.lmm_fit_.errors, IterativeErrors)
        sizes.append(len(pickle.dumps(model)))
    assert abs(sizes[1] - sizes[0]) < 64


def test_predictions_survive_pickling(data):
    X = data[["x", "user", "item"]]
    model = MixedLM(["user", "item"], solver="iterative").fit(X, data["y"])
    again = pickle.loads(pickle.dumps(model))
    for options in ({}, {"return_std": True}):
        assert np.array_equal(again.predict(X, **options), model.predict(X, **options))


def test_progress_is_shown_if_asked_for(data, capsys):
    for solver in ("direct", "iterative"):
        quiet = mixedlm(FORMULAS["intercepts"], data, solver=solver)
        assert capsys.readouterr().out == ""
        mixedlm(FORMULAS["intercepts"], data, solver=solver, verbose=1)
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) >= quiet.fit.convergence.n_iter
        assert all(line.startswith("evaluation") and line.endswith(" s") for line in lines)
        assert ("+-" in lines[0]) == (solver == "iterative")
        shown = float(lines[-1].split()[4].rstrip(","))
        assert abs(shown + 2.0 * quiet.llf) < 0.01


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"solver": "exact"}, "'solver'.*'direct', 'iterative'"),
        ({"verbose": -1}, "verbose"),
    ],
)
def test_arguments_that_mean_nothing(data, argument, message):
    with pytest.raises(ValueError, match=message):
        MixedLM("user", **argument).fit(data[["x", "user"]], data["y"])


def test_one_factor_is_exact_with_every_solver(data):
    fits = [mixedlm("y ~ x + (1 | user)", data, solver=s) for s in ("auto", "iterative")]
    assert fits[0].llf == fits[1].llf
    assert fits[1].fit.monte_carlo is None
