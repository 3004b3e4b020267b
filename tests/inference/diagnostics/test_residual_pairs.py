"""Autocorrelation, semivariogram and spread of residuals are nlme's, and the model's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from inference.diagnostics.residual_models import residual_model, visits
from inference.diagnostics.written_out import written_out
from skmixed import MixedLM, mixedlm
from skmixed.inference import autocorrelation, residual_spread, residuals, semivariogram
from skmixed.inference.diagnostics import variogram
from skmixed.residual import AR1, CAR1, Exponential, Heterogeneous, Unstructured, VariancePower
from skmixed.results import MixedLMResults

PAIRED = ("ar1_heterogeneous", "ar1_slopes", "us_weights", "power_weights")


@lru_cache
def ovary(folder: Path, structure: str) -> MixedLMResults:
    """Return lme(follicles ~ s + c, ~ 1 | Mare, corAR1()) or gls with corExp."""
    data = pd.read_csv(folder / "data" / "Ovary.csv")
    data["s"], data["c"] = np.sin(2 * np.pi * data["Time"]), np.cos(2 * np.pi * data["Time"])
    if structure == "AR1":
        return mixedlm("follicles ~ s + c + (1 | Mare)", data, residual=AR1())
    return mixedlm("follicles ~ s + c", data, residual=Exponential("Time", group="Mare"))


def test_autocorrelations_of_nlme(shared: Path) -> None:
    results = ovary(shared, "AR1")
    found = autocorrelation(results)
    figures = [-0.11450874213, 0.04513150490, -0.03828224902, 0.08666534118, -0.01471263753]
    assert_allclose(found["autocorrelation"][1:6], figures, rtol=2e-5)
    assert found["n_pairs"][1:6].tolist() == [297, 286, 275, 264, 253]
    assert found["lag"].max() == 14
    assert_allclose(found["limit"][1], 1.959963985 / np.sqrt(297))
    pearson = autocorrelation(results, kind="pearson")
    figures = [0.52955149, 0.36469522, 0.23144880, 0.21076914, 0.13444714, 0.13662854, 0.08265598]
    assert_allclose(pearson["autocorrelation"][1:8], figures, rtol=1e-6)
    phi = results.residual_parameters["phi"]
    assert_allclose(pearson["fitted"], phi ** np.arange(15.0))


def test_semivariogram_of_nlme(shared: Path) -> None:
    found = semivariogram(ovary(shared, "Exponential")).iloc[1:6]
    figures = [0.3071626677, 0.3958925766, 0.3947159760, 0.4409136948, 0.4368040987]
    assert_allclose(found["semivariance"], figures, rtol=1e-5)
    distances = [0.0833334, 0.1, 0.1363641, 0.1818182, 0.2272727]
    assert_allclose(found["distance"], distances, rtol=1e-4)
    assert found["n_pairs"].tolist() == [203, 225, 189, 229, 194]


def test_normalised_and_pearson_residuals_of_nlme(shared: Path) -> None:
    data = pd.read_csv(shared / "data" / "Orthodont.csv")
    us = mixedlm("distance ~ age * Sex", data, residual=Unstructured("age", group="Subject"))
    figures = [1.5212385001, -0.5222518415, 0.5943159003, 1.5276726694, -0.4107448787]
    assert_allclose(residuals(us, kind="normalised")[:5], figures, rtol=2e-5)
    figures = [1.5212385001, 0.4346059927, 1.2930612307, 1.6043373669, -0.4107448787]
    assert_allclose(residuals(us, kind="pearson")[:5], figures, rtol=2e-5)
    unequal = mixedlm(
        "distance ~ age * Sex + (1 | Subject)", data, residual=Heterogeneous(by="Sex")
    )
    figures = [0.6436437945, -0.8946929110, 0.5612997373, 0.8195606441, 0.1244777599]
    assert_allclose(residuals(unequal, kind="pearson")[:5], figures, rtol=1e-6)


def unit_matrices(results: MixedLMResults, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the correlations of the errors and the covariance of residuals of unit variance."""
    full = written_out(results)
    own = full.R @ full.projection @ full.R
    if kind == "pearson":
        s = np.sqrt(full.R.diagonal())
        return full.R / np.outer(s, s), own / np.outer(s, s)
    order = np.lexsort((results.data["visit"], results.data["person"]))
    T = np.zeros_like(full.R)
    T[np.ix_(order, order)] = np.linalg.inv(np.linalg.cholesky(full.R[np.ix_(order, order)]))
    return np.eye(len(T)), T @ own @ T.T


@pytest.mark.parametrize("kind", ["pearson", "normalised"])
@pytest.mark.parametrize("name", PAIRED)
def test_pairs_written_out(name: str, kind: str) -> None:
    results = residual_model(name)
    data, r = results.data, residuals(results, kind=kind).to_numpy()
    correlations, expected = unit_matrices(results, kind)
    same = np.equal.outer(data["person"].to_numpy(), data["person"].to_numpy())
    apart = np.subtract.outer(data["visit"].to_numpy(), data["visit"].to_numpy())
    found = autocorrelation(results, kind=kind, factor="person", time="visit", max_lag=3)
    half = semivariogram(results, kind=kind, factor="person", time="visit")
    for lag in (1, 2, 3):
        i, j = np.nonzero(same & (apart == lag))
        row = found.iloc[lag]
        assert row["n_pairs"] == len(i)
        assert_allclose(row["autocorrelation"], np.mean(r[i] * r[j]) / np.mean(r**2))
        mean = np.mean(expected[i, j]) / np.mean(expected.diagonal())
        assert_allclose(row["expected"], mean, atol=1e-10)
        assert_allclose(row["fitted"], np.mean(correlations[i, j]), atol=1e-12)
        row = half.iloc[lag - 1]
        assert row["distance"] == lag
        assert_allclose(row["semivariance"], 0.5 * np.mean((r[i] - r[j]) ** 2))
        squares = 0.5 * (expected.diagonal()[i] + expected.diagonal()[j])
        assert_allclose(row["expected"], np.mean(squares - expected[i, j]), atol=1e-10)


def test_times_are_those_of_the_residual_structure() -> None:
    results = residual_model("ar1_heterogeneous")
    named = autocorrelation(results, factor="person", time="visit")
    pd.testing.assert_frame_equal(autocorrelation(results), named)
    again = autocorrelation(results, time=results.data["visit"] + 7)
    pd.testing.assert_frame_equal(again, named)


def test_of_times_between_integers_the_order_counts() -> None:
    data = visits().sort_values(["person", "age"])
    car1 = mixedlm("y ~ x + (1 | site)", data, residual=CAR1(time="age", group="person"))
    order = data.groupby("person").cumcount().to_numpy()
    found = autocorrelation(car1, kind="pearson")
    pd.testing.assert_frame_equal(found, autocorrelation(car1, kind="pearson", time=order))
    assert (np.diff(found["fitted"]) < 0.0).all()


def test_without_a_residual_structure_the_rows_follow_each_other() -> None:
    data = visits().sort_values(["person", "visit"])
    results = mixedlm("y ~ x + (1 | person)", data)
    found = autocorrelation(results)
    assert found["fitted"].tolist() == [1.0, *[0.0] * (len(found) - 1)]
    pd.testing.assert_frame_equal(found, autocorrelation(results, kind="pearson"))
    assert found["n_pairs"][1] == (data["person"].duplicated()).sum()
    shuffled = data.sort_values("visit")
    again = mixedlm("y ~ x + (1 | person)", shuffled)
    pd.testing.assert_frame_equal(autocorrelation(again), found, rtol=1e-6)
    pd.testing.assert_frame_equal(semivariogram(again), semivariogram(results), rtol=1e-6)
    assert semivariogram(again)["distance"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_groups_count_as_often_as_they_weigh() -> None:
    results = residual_model("ar1_weights")
    person = results.data["person"].to_numpy()
    times = 1 + person % 3
    r = residuals(results, kind="pearson").to_numpy()
    found = autocorrelation(results, kind="pearson", max_lag=1)
    visit = results.data["visit"].to_numpy()
    i, j = np.nonzero(np.equal.outer(person, person) & (np.subtract.outer(visit, visit) == 1))
    top = np.average(r[i] * r[j], weights=times[i])
    assert_allclose(found["autocorrelation"][1], top / np.average(r**2, weights=times))
    assert found["n_pairs"][1] == times[i].sum()


def test_an_estimator_and_its_rows_give_the_same() -> None:
    data = visits()
    X, y = data[["x", "visit", "person"]], data["y"]
    estimator = MixedLM(groups="person", residual=AR1(time="visit")).fit(X, y)
    results = mixedlm("y ~ x + visit + (1 | person)", data, residual=AR1(time="visit"))
    for function in (autocorrelation, semivariogram):
        ours, theirs = function(estimator, X, y), function(results)
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-5, atol=1e-7)
    ours = residual_spread(estimator, X, y, by="visit")
    pd.testing.assert_frame_equal(ours, residual_spread(results, by="visit"), rtol=1e-5)


def test_what_cannot_be_told() -> None:
    results = residual_model("ar1_heterogeneous")
    with pytest.raises(ValueError, match="kind must be one of"):
        autocorrelation(results, kind="marginal")
    with pytest.raises(ValueError, match="same time"):
        autocorrelation(results, factor="site", time="visit")
    with pytest.raises(ValueError, match="'day' is not a column"):
        semivariogram(results, time="day")
    with pytest.raises(ValueError, match="one value for each of the 96 rows"):
        semivariogram(results, time=[1, 2])
    with pytest.raises(ValueError, match="numbers or dates"):
        semivariogram(results, time="late")
    with pytest.raises(ValueError, match="no pair"):
        semivariogram(results, max_distance=0.5)
    with pytest.raises(ValueError, match="written out"):
        autocorrelation(residual_model("strata_frequency"))
    with pytest.raises(ValueError, match="2 grouping factors"):
        autocorrelation(residual_model("strata_crossed"))


def test_too_many_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    results = residual_model("us")
    monkeypatch.setattr(variogram, "PAIRS", 90)
    with pytest.raises(ValueError, match="max_distance"):
        semivariogram(results)
    assert len(semivariogram(results, max_distance=1)) == 1


def test_dates_are_distances_in_days() -> None:
    data = visits()
    dates = pd.Timestamp("2020-01-01") + pd.to_timedelta(10 * data["visit"], unit="D")
    found = semivariogram(residual_model("us"), time=dates)
    assert found["distance"].tolist() == [10.0, 20.0, 30.0, 40.0]


def spread_by_hand(results: MixedLMResults, labels: Any) -> pd.Series:
    """Return the observed standard deviations by the definition."""
    full = written_out(results)
    e = full.R @ np.linalg.solve(full.V, full.residuals)
    kept = (full.R @ full.projection @ full.R).diagonal() / full.R.diagonal()
    parts = pd.DataFrame({"squares": e**2 / full.R.diagonal(), "kept": kept}, index=full.rows)
    variances = full.R.diagonal() * full.weights * results.sigma**2
    sums = parts.assign(variance=variances).groupby(np.asarray(labels)[full.rows]).sum()
    size = pd.Series(np.asarray(labels)[full.rows]).value_counts()
    squared = sums["squares"] / sums["kept"] / results.sigma**2
    return np.sqrt(squared * sums["variance"] / size[sums.index])


@pytest.mark.parametrize("name", ["ar1_heterogeneous", "ar1_weights", "strata_frequency"])
def test_spread_by_stratum(name: str) -> None:
    results = residual_model(name)
    found = residual_spread(results)
    assert found.index.tolist() == ["no", "yes"]
    ratio = results.residual_parameters["ratio yes"]
    assert_allclose(found["fitted"], results.sigma * np.array([1.0, ratio]))
    by_hand = spread_by_hand(results, results.data["late"])
    assert_allclose(found["observed"], by_hand, rtol=1e-9)
    assert (found["lower"] < found["observed"]).all()
    assert (found["observed"] < found["upper"]).all()


def test_spread_by_covariate() -> None:
    results = residual_model("power_weights")
    found = residual_spread(results)
    assert found.index.name == "age"
    assert len(found) == 8
    power = results.residual_parameters["power"]
    least, most = results.data["age"].min(), results.data["age"].max()
    assert (np.diff(found["fitted"]) > 0.0).all()
    assert results.sigma * least**power < found["fitted"].iloc[0]
    assert found["fitted"].iloc[-1] < results.sigma * most**power
    assert found["n_rows"].sum() == len(results.data)


def test_spread_needs_strata() -> None:
    data = visits()
    results = mixedlm("y ~ x + (1 | person)", data)
    with pytest.raises(ValueError, match="no strata"):
        residual_spread(results)
    found = residual_spread(results, by="late")
    assert_allclose(found["fitted"], results.sigma)
    assert residual_spread(results, by=data["x"])["observed"].notna().all()
    middles = [float(label.split(" to ")[0]) for label in residual_spread(results, by="x").index]
    assert middles == sorted(middles)
    assert found["observed"]["yes"] > 1.5 * found["observed"]["no"]
    several = mixedlm("y ~ x + (1 | person)", data, residual=Heterogeneous(by=["late", "rater"]))
    assert len(residual_spread(several)) == 8
    assert residual_spread(several).index.name == "late:rater"
    assert VariancePower(of="age").columns == ("age",)
