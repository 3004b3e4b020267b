"""Rows that are added to generalised models, against the modes of all rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import expit

from skmixed import MixedGLM, MixedLogisticRegression, mixedglm

FORMULA = "y ~ x + (x | group)"


def simulated(kind: str, n: int = 300, seed: int = 0) -> pd.DataFrame:
    """Return responses of 20 groups on 4 days."""
    rng = np.random.default_rng(seed)
    group, day, x = rng.integers(20, size=n), rng.integers(4, size=n), rng.normal(size=n)
    eta = 0.4 + (0.5 + 0.7 * rng.normal(size=20)[group]) * x + rng.normal(size=20)[group]
    eta += 0.5 * rng.normal(size=4)[day]
    y = {
        "poisson": rng.poisson(np.exp(eta)),
        "binomial": rng.random(n) < expit(eta),
        "gaussian": eta + rng.normal(size=n),
        "negative_binomial": rng.poisson(np.exp(eta) * rng.gamma(2.0, 0.5, size=n)),
    }[kind]
    return pd.DataFrame(
        {"x": x, "group": [f"g{i:02d}" for i in group], "day": day, "y": np.asarray(y, float)}
    )


def modes_of_all(fitted, data: pd.DataFrame, formula: str):
    """Return modes and deviations of all rows at the parameters of a fit.

    The likelihood of all rows is in other standardised columns: beta is carried over.
    """
    everything = mixedglm(formula, data, family=fitted.family)
    model = everything.model
    coordinates, objective = model.objective()
    old = fitted.lmm_fit_
    beta = np.linalg.lstsq(coordinates.mean.fixed.matrix, old.fixed.coefficients)[0]
    theta = []
    for effects, place in zip(old.random, coordinates.mean.random, strict=True):
        root = np.linalg.solve(place.matrix, effects.relative_factor)
        theta.append(effects.covariance.parameters(root))
    extra = [one.coefficients for one in old.extra]
    modes = objective.modes(np.concatenate([beta, *theta, *extra]))
    tables, sds = [], []
    turned = modes.system.inverse
    for i, (effects, place, b) in enumerate(
        zip(old.random, coordinates.mean.random, modes.effects, strict=True)
    ):
        tables.append(b.T @ place.matrix.T)
        root = place.matrix @ modes.factors[i]
        sds.append(np.sqrt(np.einsum("ab,bcg,ac->ga", root, turned.own[i], root)))
        assert effects.name == everything.fit.random[i].name
    return tables, sds


def assert_adapted(model, data, formula, *, moved: float) -> None:
    """Compare with the modes of all rows: moved is the part of the way that may be missing."""
    exact, sds = modes_of_all(model, data, formula)
    for effects, modes, sd in zip(model.lmm_fit_.random, exact, sds, strict=True):
        assert np.abs(effects.modes - modes).max() <= moved * sd.max()
        own = np.sqrt(np.diagonal(effects.conditional_covariance, axis1=1, axis2=2))
        assert_allclose(own, sd, rtol=max(moved, 1e-5))
        assert effects.sizes.sum() == len(data)


def test_normal_rows_are_added_exactly():
    """Their log density is of second order: the effects are those of all rows."""
    data = simulated("gaussian")
    model = MixedGLM(formula=FORMULA, family="gaussian").fit(data[:200])
    model.adapt(data[200:250]).adapt(data[250:])
    assert_adapted(model, data, FORMULA, moved=1e-5)


def test_crossed_normal_rows_are_added_exactly():
    data = simulated("gaussian")
    formula = "y ~ x + (1 | group) + (1 | day)"
    model = MixedGLM(formula=formula, family="gaussian").fit(data[:250])
    assert_adapted(model.adapt(data[250:]), data, formula, moved=1e-5)


@pytest.mark.parametrize("kind", ["poisson", "binomial", "negative_binomial"])
def test_a_new_group_has_the_effects_of_all_its_rows(kind):
    """Of a new group nothing was summed up: its modes are exact, those of others as before."""
    data = simulated(kind)
    new = data["group"] == "g07"
    model = MixedGLM(formula=FORMULA, family=kind).fit(data[~new])
    before = model.random_effects_["group"]
    model.adapt(data[new])
    exact, sds = modes_of_all(model, data, FORMULA)
    after = model.random_effects_["group"]
    assert_allclose(after.loc["g07"], exact[0][7], rtol=1e-5, atol=1e-7)
    assert_allclose(after.drop("g07"), before, rtol=1e-5, atol=1e-7)
    found = model.results_.random_effects_sd["group"].loc["g07"]
    assert_allclose(found, sds[0][7], rtol=1e-5)


@pytest.mark.parametrize("kind", ["poisson", "binomial", "negative_binomial"])
def test_known_groups_move_nearly_as_all_rows_say(kind):
    data = simulated(kind)
    model = MixedGLM(formula=FORMULA, family=kind).fit(data[:250])
    exact = modes_of_all(model, data, FORMULA)[0][0]
    before = model.random_effects_["group"].to_numpy()
    after = model.adapt(data[250:]).random_effects_["group"].to_numpy()
    assert np.linalg.norm(after - exact) < 0.2 * np.linalg.norm(before - exact)


def test_crossed_factors_move_together():
    data = simulated("poisson")
    formula = "y ~ x + (1 | group) + (1 | day)"
    model = MixedGLM(formula=formula, family="poisson").fit(data[:250])
    before = [effects.modes for effects in model.lmm_fit_.random]
    exact = modes_of_all(model, data, formula)[0]
    model.adapt(data[250:])
    for effects, old, new in zip(model.lmm_fit_.random, before, exact, strict=True):
        assert np.linalg.norm(effects.modes - new) < 0.3 * np.linalg.norm(old - new)


def test_parameters_stay_and_predictions_follow():
    data = simulated("binomial")
    model = MixedLogisticRegression("group").fit(data[["x", "group"]][:250], data["y"][:250])
    coefficients, likelihood = model.coef_.copy(), model.log_likelihood_
    new = pd.DataFrame({"x": np.zeros(6), "group": "new"})
    spread = model.fitted_model.predict(new[:1], return_std=True, scale="link")[1]
    first = model.predict_proba(new)[0, 1]
    model.adapt(new, np.ones(6))
    assert model.predict_proba(new)[0, 1] > first
    assert model.fitted_model.predict(new[:1], return_std=True, scale="link")[1] < spread
    assert np.array_equal(model.coef_, coefficients)
    assert model.log_likelihood_ == likelihood
    delta = model.fitted_model.predict(
        new[:1], return_std=True, scale="link", variance_uncertainty="delta"
    )[1]
    assert np.isfinite(delta)


def test_proportions_bring_their_trials():
    rng = np.random.default_rng(1)
    trials = rng.integers(1, 7, 200).astype(float)
    group = rng.integers(10, size=200)
    p = expit(rng.normal(size=10)[group])
    data = pd.DataFrame({"g": group, "s": rng.binomial(trials.astype(int), p), "t": trials})
    wide = MixedGLM(formula="s / t ~ 1 + (1 | g)", family="binomial").fit(data)
    new = pd.DataFrame({"g": [99], "s": [7.0], "t": [9.0]})
    rows = pd.DataFrame({"g": 99, "s": [1.0] * 7 + [0.0] * 2, "t": 1.0})
    one = wide.adapt(new).random_effects_["g"].loc[99]
    again = MixedGLM(formula="s / t ~ 1 + (1 | g)", family="binomial").fit(data)
    assert_allclose(again.adapt(rows).random_effects_["g"].loc[99], one, rtol=1e-6)


def test_weights_count_rows_and_offsets_shift_them():
    data = simulated("poisson")
    X, y = data[["x", "group"]], data["y"]
    new, counts = X[:5].assign(group="new"), np.array([2.0, 0.0, 1.0, 3.0, 1.0])
    repeated = np.repeat(np.arange(5), counts.astype(int))

    def fitted():
        return MixedGLM("group", family="poisson").fit(X, y)

    weighted = fitted().adapt(new, y[:5], sample_weight=counts)
    written = fitted().adapt(new.iloc[repeated], y.iloc[repeated])
    effect = weighted.random_effects_["group"].loc["new"]
    assert_allclose(effect, written.random_effects_["group"].loc["new"], rtol=1e-7)
    offset = fitted().adapt(new, y[:5], offset=np.full(5, np.log(2.0)))
    exposed = fitted().adapt(new, y[:5], exposure=np.full(5, 2.0))
    assert_allclose(
        offset.random_effects_["group"].loc["new"], exposed.random_effects_["group"].loc["new"]
    )
    assert (offset.random_effects_["group"].loc["new"] < effect).all()


def test_what_cannot_be_added_is_said():
    data = simulated("binomial")
    X, y = data[["x", "group"]], np.where(data["y"] > 0, "yes", "no")
    model = MixedLogisticRegression("group").fit(X, y)
    effects = model.random_effects_["group"].copy()
    with pytest.raises(ValueError, match="not one of the classes"):
        model.adapt(X[:1], ["maybe"])
    with pytest.raises(ValueError, match="0 sample"):
        model.adapt(X[:0], y[:0])
    assert model.random_effects_["group"].equals(effects)
    balanced = MixedLogisticRegression("group", class_weight="balanced").fit(X, y)
    with pytest.raises(ValueError, match="balance"):
        balanced.adapt(X[:1], y[:1])
    counts = MixedGLM("group", family="poisson").fit(X, data["y"])
    with pytest.raises(ValueError, match="negative"):
        counts.adapt(X[:1], [-1.0])


def test_cells_as_many_as_rows_are_not_kept():
    rng = np.random.default_rng(0)
    n = 4000
    data = pd.DataFrame({"g": rng.integers(60, size=n), "h": rng.integers(70, size=n)})
    data["y"] = rng.poisson(np.exp(0.5 * rng.normal(size=60)[data["g"]]))
    data["y"] += rng.poisson(np.exp(0.5 * rng.normal(size=70)[data["h"]]))
    model = MixedGLM(formula="y ~ 1 + (1 | g) + (1 | h)", family="poisson").fit(data)
    with pytest.raises(ValueError, match="about as many of them as rows"):
        model.adapt(data[:5])
