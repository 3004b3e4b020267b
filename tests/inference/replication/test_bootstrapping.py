"""The bootstrap: against lme4, by its definitions, and whatever the number of jobs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_dyestuff, load_pastes, load_penicillin, load_sleepstudy
from skmixed.inference.replication.bootstrap_draws import BootstrapDraws
from skmixed.inference.replication.bootstrapping import bootstrap
from skmixed.inference.replication.resampling import ResidualPool, counted_groups
from skmixed.inference.replication.simulation import response_model, simulate

SLOPES = "Reaction ~ Days + (Days | Subject)"
KINDS = ["parametric", "conditional", "residual", "case"]


@pytest.fixture(scope="module")
def sleepstudy():
    return mixedlm(SLOPES, load_sleepstudy())


@pytest.fixture(scope="module")
def draws(sleepstudy) -> BootstrapDraws:
    return bootstrap(sleepstudy, n=2000, random_state=1)


def test_row_43_parametric_draws_agree_with_lme4(draws):
    """The moments and quantiles are those of 2,000 replicates (parametric_bootstrap.R)."""
    expected = pd.read_csv(
        Path(__file__).parent / "fixtures" / "parametric_bootstrap.csv", index_col="parameter"
    )
    for name, row in expected.iterrows():
        ours = draws.draws[name].dropna()
        error = row["sd"] * np.sqrt(1.0 / len(ours) + 1.0 / row["n"])
        assert abs(ours.mean() - row["mean"]) < 4.0 * error, name
        # The standard error of a standard deviation, in a normal sample, is sd / sqrt(2 n).
        assert abs(ours.std() - row["sd"]) < 4.0 * error / np.sqrt(2.0), name
        for limit, p in (("lower", 0.025), ("upper", 0.975)):
            below = (ours <= row[limit]).mean()
            assert abs(below - p) < 4.0 * np.sqrt(2.0 * p * (1.0 - p) / len(ours)), (name, limit)


@pytest.mark.parametrize("kind", ["parametric", "conditional"])
def test_draws_are_fits_of_simulated_responses(sleepstudy, kind):
    random_effects = {"parametric": "new"}.get(kind, kind)
    responses = simulate(sleepstudy, 3, random_effects=random_effects, random_state=4)
    found = bootstrap(sleepstudy, 3, kind=kind, random_state=4).draws
    for i, response in enumerate(responses.T):
        alone = mixedlm(SLOPES, load_sleepstudy().assign(Reaction=response))
        row = found.loc[i]
        assert_allclose(row[["Intercept", "Days"]].astype(float), alone.params, rtol=1e-8)
        assert_allclose(row["sigma"], alone.sigma, rtol=1e-8)
        assert_allclose(row["log_likelihood"], alone.llf, rtol=1e-10)
        assert_allclose(row[[f"theta[{j}]" for j in range(3)]].astype(float), alone.fit.theta)
        sdcor = alone.variance_components["sdcor"].to_numpy()
        names = ["sd_Intercept|Subject", "sd_Days|Subject", "cor_Days.Intercept|Subject"]
        assert_allclose(row[names].astype(float), sdcor[:3], rtol=1e-6)


def test_estimates_are_those_of_the_fit(sleepstudy, draws):
    sdcor = sleepstudy.variance_components["sdcor"].to_numpy()
    expected = [*sleepstudy.params, sdcor[3], *sdcor[:3]]
    assert_allclose(draws.estimates, expected, rtol=1e-12)
    assert (draws.draws.columns[-2:] == ["singular", "converged"]).all()
    assert draws.n_unconverged == 0
    assert draws.n_singular == draws.draws["singular"].sum() > 0
    assert "singular" in repr(draws)


@pytest.mark.parametrize("kind", KINDS)
def test_one_seed_gives_one_set_of_draws(sleepstudy, kind):
    first = bootstrap(sleepstudy, 12, kind=kind, random_state=3).draws
    again = bootstrap(sleepstudy, 12, kind=kind, random_state=np.random.default_rng(3)).draws
    other = bootstrap(sleepstudy, 12, kind=kind, random_state=4).draws
    pd.testing.assert_frame_equal(first, again)
    assert not np.isclose(first["Days"], other["Days"]).any()


@pytest.mark.slow
def test_the_number_of_jobs_and_verbosity_change_nothing(capsys):
    results = mixedlm("strength ~ 1 + (1 | batch) + (1 | batch:cask)", load_pastes())
    one = bootstrap(results, 34, random_state=0, verbose=1)
    assert "replicate 34 of 34" in capsys.readouterr().out
    two = bootstrap(results, 34, random_state=0, n_jobs=2)
    pd.testing.assert_frame_equal(one.draws, two.draws)
    sleepstudy = mixedlm(SLOPES, load_sleepstudy())
    one, two = (
        bootstrap(sleepstudy, 20, kind="case", statistic=scale, random_state=0, n_jobs=n_jobs)
        for n_jobs in (1, 2)
    )
    pd.testing.assert_frame_equal(one.draws, two.draws)


def scale(results):
    return results.sigma


def test_small_batches_change_nothing(sleepstudy, monkeypatch):
    """With verbose=1, and where memory is short, responses are fitted in several batches."""
    whole = bootstrap(sleepstudy, 40, random_state=0)
    monkeypatch.setattr("skmixed.fitting.lockstep.ROOM", 2**11)
    parts = bootstrap(sleepstudy, 40, random_state=0)
    monkeypatch.setattr("skmixed.fitting.lockstep.MOST", 0)
    alone = bootstrap(sleepstudy, 40, random_state=0)
    for other in (parts, alone):
        columns = [*whole.estimates.index, "log_likelihood"]
        assert_allclose(other.draws[columns], whole.draws[columns], rtol=1e-6)


def test_several_factors_agree_with_ordinary_fits():
    data = load_penicillin()
    formula = "diameter ~ 1 + (1 | plate) + (1 | sample)"
    results = mixedlm(formula, data)
    found = bootstrap(results, 4, random_state=0).draws
    for i, response in enumerate(simulate(results, 4, random_state=0).T):
        alone = mixedlm(formula, data.assign(diameter=response))
        assert_allclose(found["log_likelihood"][i], alone.llf, rtol=1e-10)
        sdcor = alone.variance_components["sdcor"].to_numpy()
        names = ["sd_Intercept|plate", "sd_Intercept|sample", "sigma"]
        assert_allclose(found.loc[i, names].astype(float), sdcor, rtol=1e-6)


def test_a_statistic_gets_results(sleepstudy):
    def named(results):
        # The rows of the data are not those of a replicate.
        assert results.data is None
        return {"ratio": results.params["Days"] / results.sigma, "llf": results.llf}

    by_statistic = bootstrap(sleepstudy, 5, statistic=named, random_state=2)
    usual = bootstrap(sleepstudy, 5, random_state=2).draws
    assert list(by_statistic.estimates.index) == ["ratio", "llf"]
    assert_allclose(by_statistic.draws["ratio"], usual["Days"] / usual["sigma"], rtol=1e-8)
    assert_allclose(by_statistic.draws["llf"], usual["log_likelihood"], rtol=1e-10)


@pytest.mark.parametrize(
    ("statistic", "names"),
    [
        (lambda results: results.sigma, ["statistic"]),
        (lambda results: results.params, ["Intercept", "Days"]),
        (lambda results: results.params.to_numpy(), ["statistic[0]", "statistic[1]"]),
    ],
)
def test_shapes_of_a_statistic(sleepstudy, statistic, names):
    found = bootstrap(sleepstudy, 2, statistic=statistic, random_state=0)
    assert list(found.draws.columns) == [*names, "singular", "converged"]


def test_residuals_and_modes_are_reflated(sleepstudy):
    """The pool has exactly the moments that were estimated (Carpenter et al. 2003)."""
    source = response_model(sleepstudy.fit, sleepstudy.model)
    pool = ResidualPool(source)
    (effects,) = sleepstudy.fit.random
    b = pool.effects[0] @ effects.coordinates.matrix.T
    assert_allclose(b.mean(axis=0), 0.0, atol=1e-10)
    assert_allclose(b.T @ b / len(b), effects.effect_covariance, rtol=1e-8)
    e = pool.residuals * sleepstudy.sigma
    assert_allclose([e.mean(), e.std()], [0.0, sleepstudy.sigma], atol=1e-10)
    # In the user's columns, with S = L_S L_S' and Sigma = L L', a mode becomes L L_S^-1 times it.
    modes = effects.modes - effects.modes.mean(axis=0)
    S = np.linalg.cholesky(modes.T @ modes / len(modes))
    Sigma = np.linalg.cholesky(effects.effect_covariance)
    assert_allclose(b, modes @ np.linalg.inv(S).T @ Sigma.T, rtol=1e-6)


def test_residual_bootstrap_on_the_boundary():
    data = load_dyestuff().assign(Yield=np.tile([1.0, 2.0, 4.0, 3.0, 7.0], 6))
    results = mixedlm_on_the_boundary("Yield ~ 1 + (1 | Batch)", data)
    found = bootstrap(results, 20, kind="residual", random_state=0)
    assert np.isfinite(found.draws["Intercept"]).all()
    assert found.estimates["sd_Intercept|Batch"] == 0.0


def mixedlm_on_the_boundary(formula, data):
    with pytest.warns(match="boundary"):
        return mixedlm(formula, data)


def test_case_bootstrap_repeats_whole_groups(sleepstudy):
    """Counting groups is the same as writing their rows several times."""
    data = load_sleepstudy()
    counts = np.tile([2, 0, 1], 6)
    fit = counted_groups(sleepstudy.model, counts).fit()
    labels = sleepstudy.fit.random[0].levels.labels
    parts = [
        data[data["Subject"] == label].assign(Subject=f"{label}-{copy}")
        for label, times in zip(labels, counts, strict=True)
        for copy in range(times)
    ]
    written = mixedlm(SLOPES, pd.concat(parts))
    assert_allclose(fit.log_likelihood, written.llf, rtol=1e-10)
    assert_allclose(fit.fixed.coefficients, written.params, rtol=1e-8)


def test_groups_that_do_not_tell_all_coefficients():
    """Where no group of a sex was drawn, the intercept would be that of the other one."""
    data = load_sleepstudy()
    subjects = data["Subject"].astype(str)
    results = mixedlm("Reaction ~ Days + sex + (1 | Subject)", data.assign(sex=subjects < "310"))
    found = bootstrap(results, 50, kind="case", random_state=0)
    missing = found.draws["sex[T.True]"].isna()
    assert 0 < missing.sum() < 25
    assert_array_equal(found.draws["Intercept"].isna(), missing)
    assert found.draws["sigma"].notna().all()


def test_percentile_and_basic_limits(draws):
    """By their definitions: with 1,999 draws the limits are the 50th and the 1,950th."""
    days = np.sort(draws.draws["Days"].to_numpy()[:1999])
    some = BootstrapDraws("parametric", draws.estimates, draws.draws[:1999], draws._refitter)
    percentile = some.conf_int().set_index("parameter").loc["Days"]
    assert_allclose(percentile[["lower", "upper"]], days[[49, 1949]], rtol=1e-10)
    basic = some.conf_int("basic").set_index("parameter").loc["Days"]
    expected = 2.0 * draws.estimates["Days"] - days[[1949, 49]]
    assert_allclose(basic[["lower", "upper"]], expected, rtol=1e-10)
    narrow = some.conf_int(level=0.5).set_index("parameter").loc["Days"]
    assert_allclose(narrow[["lower", "upper"]], days[[499, 1499]], rtol=1e-10)
    assert list(some.conf_int().columns) == ["parameter", "estimate", "lower", "upper"]


@pytest.mark.slow
def test_bca_limits_of_a_mean():
    """Cases of one row in each group: SciPy's BCa of the mean, with the same acceleration."""
    rng = np.random.default_rng(0)
    sample = rng.exponential(size=40)
    data = pd.DataFrame({"y": np.repeat(sample, 2), "g": np.repeat(np.arange(40), 2)})
    data["y"] += np.tile([-0.01, 0.01], 40)
    found = bootstrap(mixedlm("y ~ 1 + (1 | g)", data), 3000, kind="case", random_state=1)
    expected = stats.bootstrap(
        (sample,), np.mean, n_resamples=20_000, method="BCa", random_state=np.random.default_rng(2)
    ).confidence_interval
    limits = found.conf_int("bca").set_index("parameter").loc["Intercept"]
    assert_allclose(limits[["lower", "upper"]], [expected.low, expected.high], atol=0.025)
    d = sample - sample.mean()
    acceleration = np.sum(d**3) / (6.0 * np.sum(d**2) ** 1.5)
    assert_allclose(found.acceleration["Intercept"], acceleration, rtol=1e-5)


def test_bias_and_standard_errors(draws):
    table = draws.summary().set_index("parameter")
    column = draws.draws["sd_Days|Subject"]
    row = table.loc["sd_Days|Subject"]
    assert_allclose(row["bias"], column.mean() - row["estimate"])
    assert_allclose(row["se"], np.std(column, ddof=1))
    correlation = table.loc["cor_Days.Intercept|Subject"]
    assert correlation["n_draws"] == draws.draws["cor_Days.Intercept|Subject"].notna().sum()


def test_weights_reach_the_replicates():
    """Rows of great weight are simulated and fitted with little noise."""
    data = load_sleepstudy()
    weights = np.where(data["Days"] < 5, 100.0, 1.0)
    results = mixedlm("Reaction ~ Days + (1 | Subject)", data, weights=weights)
    found = bootstrap(results, 400, random_state=0)
    assert_allclose(found.standard_errors["Days"], results.bse["Days"], rtol=0.15)
    assert_allclose(found.draws["sigma"].mean(), results.sigma, rtol=0.05)


def test_models_without_groups_or_with_aliased_columns():
    data = load_sleepstudy().assign(twice=lambda d: 2.0 * d["Days"])
    with pytest.warns(match="rank deficient"):
        results = mixedlm("Reaction ~ Days + twice + (1 | Subject)", data)
    found = bootstrap(results, 5, random_state=0)
    assert "twice" not in found.estimates
    assert np.isfinite(found.draws["Days"]).all()


def test_a_training_model_can_be_bootstrapped(sleepstudy):
    data = load_sleepstudy()
    estimator = MixedLM("Subject", random_slopes=["Days"])
    model = estimator.training_model(data[["Days", "Subject"]], data["Reaction"])
    found = bootstrap(model, 3, random_state=0)
    expected = bootstrap(sleepstudy, 3, random_state=0)
    assert_allclose(found.draws["sigma"], expected.draws["sigma"])
    assert_array_equal(found.draws.columns, expected.draws.columns)
    sigmas = bootstrap(model, 3, random_state=0, statistic=lambda fit: fit.sigma).draws
    assert_allclose(sigmas["statistic"], expected.draws["sigma"])


def test_what_cannot_be_bootstrapped(sleepstudy, draws):
    with pytest.raises(ValueError, match="kind must be one of"):
        bootstrap(sleepstudy, kind="wild")
    with pytest.raises(ValueError, match="n, the number of replicates, must be at least 1"):
        bootstrap(sleepstudy, n=0)
    with pytest.raises(ValueError, match="method must be one of"):
        draws.conf_int("normal")
    with pytest.raises(ValueError, match="between 0 and 1"):
        draws.conf_int(level=95)
    crossed = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    with pytest.raises(ValueError, match=r"share levels of the others"):
        bootstrap(crossed, 2, kind="case")
    with pytest.raises(ValueError, match=r"share levels of the others"):
        bootstrap(crossed, 2, random_state=0).conf_int("bca")


@pytest.mark.slow
def test_coverage_of_percentile_limits():
    """The limits of 95 % for a slope hold the truth in 95 % of 300 data sets, within 4 errors."""
    rng = np.random.default_rng(2)
    g = np.repeat(np.arange(25), 6)
    covered = []
    for _ in range(300):
        x = rng.normal(size=150)
        y = 1.0 + 2.0 * x + rng.normal(size=25)[g] + rng.normal(size=150)
        results = mixedlm("y ~ x + (1 | g)", pd.DataFrame({"x": x, "y": y, "g": g}))
        limits = bootstrap(results, 399, random_state=rng).conf_int().set_index("parameter")
        truth = pd.Series({"x": 2.0, "sigma": 1.0})
        found = limits.loc[truth.index]
        covered.append((found["lower"] < truth) & (truth < found["upper"]))
    assert (np.abs(np.mean(covered, axis=0) - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / 300)).all()
