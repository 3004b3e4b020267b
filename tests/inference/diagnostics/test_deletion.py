"""Leaving groups out by downdating equals estimates from the rows that are left."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from numpy.typing import NDArray

from inference.diagnostics.diagnostics_models import (
    SEVERAL,
    SINGLE,
    SLOPES,
    crossed,
    model,
    unbalanced,
)
from inference.diagnostics.residual_models import RESIDUAL
from inference.diagnostics.written_out import WrittenOut, written_out
from skmixed import MixedLM, SingularFitWarning, datasets, mixedlm
from skmixed.inference.diagnostics.deletion import group_influence

MEASURES = ["cooks_distance", "mdffits", "covratio", "covtrace", "sigma"]


def by_refits(full: WrittenOut, sigma: float, codes: NDArray[np.intp]) -> NDArray[np.float64]:
    """Leave out the rows of each code in turn, by the definitions."""
    p = full.X.shape[1]
    C, table = full.unscaled_covariance, []
    for code in np.unique(codes):
        left = full.without(codes == code)
        change, C_left = full.beta - left.beta, left.unscaled_covariance
        ratio = np.linalg.solve(C, C_left)
        table.append(
            [
                change @ np.linalg.solve(C, change) / (p * sigma**2),
                change @ np.linalg.solve(C_left, change) / (p * sigma**2),
                np.linalg.det(C_left) / np.linalg.det(C),
                abs(np.trace(ratio) - p),
                left.sigma,
                *change,
            ]
        )
    return np.array(table)


def assert_same(ours: pd.DataFrame, theirs: NDArray[np.float64]) -> None:
    dfbeta = [name for name in ours if name.startswith("dfbeta_")]
    values = ours[MEASURES + dfbeta].to_numpy()
    assert_allclose(values, theirs, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        *((name, "Subject") for name in SINGLE),
        *(("nested", factor) for factor in ("batch", "batch:cask")),
        *((name, factor) for name in SEVERAL[1:] for factor in ("g", "h")),
        *((name, "person") for name in RESIDUAL),
    ],
)
def test_equals_estimates_from_the_rows_that_are_left(name: str, factor: str) -> None:
    results = model(name)
    full = written_out(results)
    ours = group_influence(results, factor=factor)
    known = {one.levels.name: one.codes for one in results.model.design.factors}
    codes = known[factor] if factor in known else results.data[factor].to_numpy()
    assert_same(ours, by_refits(full, results.sigma, codes[full.rows]))


@pytest.mark.parametrize("name", ["us_weights", "ar1_heterogeneous", "ar1_nested"])
def test_parts_of_groups_whose_errors_are_correlated(name: str) -> None:
    results = model(name)
    ours = group_influence(results, factor="visit")
    codes = results.data["visit"].to_numpy()
    assert_same(ours, by_refits(written_out(results), results.sigma, codes))


def test_without_random_effects_the_groups_are_those_of_the_residual_structure() -> None:
    results = model("us")
    assert group_influence(results).equals(group_influence(results, factor="person"))


def test_refits_with_a_residual_structure() -> None:
    results = model("ar1_heterogeneous")
    ours = group_influence(results, refit=True, factor="person")
    rows = results.data[results.data["person"] != ours.index[3]]
    left = mixedlm(results.formula, rows, residual=results.fit.residual.learned.structure)
    names = [f"dfbeta_{name}" for name in results.params.index]
    change = (results.params - left.params).to_numpy()
    assert_allclose(ours[names].iloc[3], change, rtol=1e-5)
    assert_allclose(ours["sigma"].iloc[3], left.sigma, rtol=1e-6)


def test_any_labels_can_be_left_out() -> None:
    results = model("slopes")
    labels = results.data["Days"].to_numpy() // 3
    ours = group_influence(results, factor=labels)
    assert_same(ours, by_refits(written_out(results), results.sigma, labels))
    by_column = group_influence(mixedlm(SLOPES, results.data.assign(third=labels)), factor="third")
    assert_allclose(by_column[MEASURES], ours[MEASURES], rtol=1e-10)
    assert ours.index.tolist() == [0, 1, 2, 3]
    assert by_column.index.name == "third"


def test_an_estimator_and_its_rows_give_the_same() -> None:
    data = unbalanced()
    estimator = MixedLM(groups="Subject", random_slopes=["Days"]).fit(
        data[["Days", "Subject"]], data["Reaction"]
    )
    ours = group_influence(estimator, data[["Days", "Subject"]], data["Reaction"])
    pd.testing.assert_frame_equal(ours, group_influence(model("slopes")), rtol=1e-7)


def test_labels_beside_the_rows() -> None:
    data = unbalanced()
    estimator = MixedLM(random_slopes=[0]).fit(
        data[["Days"]].to_numpy(), data["Reaction"], groups=data["Subject"]
    )
    ours = group_influence(
        estimator, data[["Days"]].to_numpy(), data["Reaction"], groups=data["Subject"]
    )
    expected = group_influence(model("slopes"))[MEASURES]
    assert_allclose(ours[MEASURES], expected, rtol=1e-7)


def test_refits_are_those_of_the_rows_that_are_left() -> None:
    results = model("slopes")
    ours = group_influence(results, refit=True)
    label = ours.index[4]
    left = mixedlm(SLOPES, results.data[results.data["Subject"] != label])
    assert_allclose(
        ours.loc[label, ["dfbeta_Intercept", "dfbeta_Days"]],
        results.params - left.params,
        rtol=1e-6,
    )
    assert_allclose(ours.loc[label, "sigma"], left.sigma, rtol=1e-8)
    ratio = np.linalg.det(left.cov_params()) / np.linalg.det(results.cov_params())
    assert_allclose(ours.loc[label, "covratio"], ratio, rtol=1e-6)


def test_a_coefficient_that_only_one_group_tells() -> None:
    data = datasets.load_sleepstudy()
    data["one"] = (data["Subject"] == "308").astype(float)
    results = mixedlm("Reaction ~ Days + one + (1 | Subject)", data)
    ours = group_influence(results)
    numbers = ours.drop(columns=["n_rows", "sigma"])
    assert numbers.loc["308"].isna().all()
    assert np.isfinite(numbers.drop(index="308")).all(axis=None)
    refitted = group_influence(results, refit=True).drop(columns=["n_rows", "sigma"])
    assert refitted.loc["308"].isna().all()


def test_an_aliased_coefficient_has_no_change() -> None:
    data = datasets.load_sleepstudy()
    data["twice"] = 2.0 * data["Days"]
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm("Reaction ~ Days + twice + (1 | Subject)", data)
    ours = group_influence(results)
    assert ours["dfbeta_twice"].isna().all()
    plain = group_influence(mixedlm("Reaction ~ Days + (1 | Subject)", data))
    assert_allclose(ours[MEASURES], plain[MEASURES], rtol=1e-8)


def test_a_variance_of_zero() -> None:
    with pytest.warns(SingularFitWarning):
        results = mixedlm("Yield ~ 1 + (1 | Batch)", datasets.load_dyestuff2())
    ours = group_influence(results)
    data = datasets.load_dyestuff2()
    means = data["Yield"].mean() - [
        data["Yield"][data["Batch"] != batch].mean() for batch in ours.index
    ]
    assert_allclose(ours["dfbeta_Intercept"], means, rtol=1e-8)


def test_no_fixed_effects() -> None:
    data = crossed()
    ours = group_influence(mixedlm("y ~ 0 + (1 | g)", data))
    assert (ours["covratio"] == 1.0).all()
    assert np.isfinite(ours["sigma"]).all()


def test_several_factors_need_a_name() -> None:
    with pytest.raises(ValueError, match="Say which one"):
        group_influence(model("crossed"))
    with pytest.raises(ValueError, match="no grouping factor 'school'"):
        group_influence(model("crossed"), factor="school")
    with pytest.raises(ValueError, match="one label for each of the 120 rows"):
        group_influence(model("crossed"), factor=[1, 2])


def test_group_weights_are_of_their_own_groups() -> None:
    with pytest.raises(ValueError, match="stands for several"):
        group_influence(model("group_weight"), factor=model("group_weight").data["Days"])


@pytest.mark.parametrize("spread", [1.0, 1e2, 1e4])
def test_a_variance_much_larger_than_that_of_the_rows(spread: float) -> None:
    rng = np.random.default_rng(6)
    codes = np.repeat(np.arange(30), rng.integers(2, 9, 30))
    data = pd.DataFrame({"g": codes, "x": rng.normal(size=len(codes)) + rng.normal(size=30)[codes]})
    data["y"] = data["x"] + spread * rng.normal(size=30)[codes] + rng.normal(size=len(codes))
    results = mixedlm("y ~ x + (1 | g)", data)
    ours = group_influence(results)
    # V^-1 = I - J / n within a group, plus J / n / (1 + n Psi): a sum of squares in closed form.
    psi = float(results.fit.random[0].relative_factor[0, 0] ** 2)
    A = np.column_stack([np.ones(len(codes)), data["x"], data["y"]])
    products = []
    for code in range(30):
        rows = A[codes == code]
        mean, n = rows.mean(axis=0), len(rows)
        within = rows - mean
        products.append(within.T @ within + n * np.outer(mean, mean) / (1.0 + n * psi))
    total = np.sum(products, axis=0)
    beta = np.linalg.solve(total[:2, :2], total[:2, 2])
    for code, product in enumerate(products):
        left = total - product
        expected = beta - np.linalg.solve(left[:2, :2], left[:2, 2])
        dfbeta = ours.loc[code, ["dfbeta_Intercept", "dfbeta_x"]]
        assert_allclose(dfbeta / results.bse.to_numpy(), expected / results.bse, atol=1e-7)
        determinants = np.linalg.det(total[:2, :2]) / np.linalg.det(left[:2, :2])
        assert_allclose(ours.loc[code, "covratio"], determinants, rtol=1e-7)
