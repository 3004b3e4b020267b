"""Marginal means and slopes: what does not need emmeans to be known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference.marginal.means import contrasts, marginal_means, pairwise
from skmixed.inference.marginal.slopes import marginal_slopes

from .emmeans_cases import sleep

NUMBERS = ["estimate", "se", "df", "lower", "upper"]


@pytest.fixture(scope="module")
def by_part():
    return mixedlm("Reaction ~ part * team + (1 | Subject)", sleep("uneven"))


def assert_equal_numbers(left: pd.DataFrame, right: pd.DataFrame, rtol: float = 1e-7) -> None:
    np.testing.assert_allclose(left[NUMBERS], right[NUMBERS], rtol=rtol)


def test_means_of_cells_are_predictions_of_the_population(by_part) -> None:
    table = marginal_means(by_part, ["part", "team"]).tidy()
    expected = by_part.predict(
        table[["part", "team"]].assign(Subject=308), include_random_effects=False
    )
    np.testing.assert_allclose(table["estimate"], expected, rtol=1e-12)
    assert list(table.columns[:3]) == ["part", "team", "estimate"]
    assert list(table["part"][:3]) == ["early", "early", "middle"]


def test_offset_is_part_of_the_means_as_of_predictions() -> None:
    results = mixedlm("Reaction ~ Days + offset(10 * Days) + (1 | Subject)", load_sleepstudy())
    plain = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    at = {"Days": [0, 5]}
    with_offset, without = (marginal_means(one, "Days", at=at) for one in (results, plain))
    assert_equal_numbers(with_offset.tidy(), without.tidy())
    assert_equal_numbers(with_offset.contrasts(), without.contrasts())
    assert_equal_numbers(
        marginal_slopes(results, "Days").tidy(), marginal_slopes(plain, "Days").tidy()
    )


def test_overall_mean_needs_no_variable() -> None:
    results = mixedlm("Reaction ~ 1 + (Days | Subject)", load_sleepstudy())
    table = marginal_means(results).tidy()
    assert table.shape == (1, 7)
    assert table["estimate"][0] == pytest.approx(results.params["Intercept"], rel=1e-12)


def test_rows_of_frequency_two_count_twice_and_those_of_zero_not_at_all() -> None:
    data = sleep()
    count = (data["Days"].to_numpy() + data["Subject"].astype(int).to_numpy()) % 3
    repeated = data.loc[data.index.repeat(count)]
    formula = "Reaction ~ team + Days + (1 | Subject)"
    weighted = mixedlm(formula, data, weights=count, weight_type="frequency")
    for weights in ("equal", "proportional"):
        assert_equal_numbers(
            marginal_means(weighted, weights=weights).tidy(),
            marginal_means(mixedlm(formula, repeated), weights=weights).tidy(),
            rtol=1e-5,
        )


def test_rows_with_missing_values_count_for_nothing() -> None:
    data = sleep()
    data.loc[data["Days"] == 9, "Reaction"] = np.nan
    weights = np.where(data["Days"] == 0, 2.0, 1.0)
    formula = "Reaction ~ team + Days + (1 | Subject)"
    dropped = mixedlm(formula, data, missing="drop", weights=weights)
    kept = (data["Days"] < 9).to_numpy()
    complete = mixedlm(formula, data[kept], weights=weights[kept])
    assert_equal_numbers(
        marginal_means(dropped, "team").tidy(), marginal_means(complete, "team").tidy()
    )


def test_weights_that_cannot_be_aligned_are_refused() -> None:
    data = sleep()
    data.loc[data["Days"] == 9, "Reaction"] = np.nan
    weights = np.where(data["Days"] == 0, 0.0, 1.0)
    results = mixedlm("Reaction ~ team + (1 | Subject)", data, missing="drop", weights=weights)
    with pytest.raises(ValueError, match="cannot be told apart"):
        marginal_means(results, "team")


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_slopes_do_not_depend_on_the_origin_of_the_covariate(shift: float) -> None:
    data = sleep()
    data["Days"] = data["Days"] + shift
    results = mixedlm("Reaction ~ Days * team + (1 | Subject)", data)
    slopes = marginal_slopes(results, "Days", "team").tidy()
    beta = results.params
    expected = [beta["Days"], beta["Days"] + beta["Days:team[T.odd]"]]
    np.testing.assert_allclose(slopes["estimate"], expected, rtol=1e-8)
    assert slopes["se"][0] == pytest.approx(results.bse["Days"], rel=1e-8)


@pytest.mark.parametrize("day", [0, 4.3, 9])
def test_slope_of_a_curve_is_its_derivative(day: float) -> None:
    results = mixedlm("Reaction ~ log(Days + 0.1) + Days + (1 | Subject)", load_sleepstudy())
    slope = marginal_slopes(results, "Days", "Days", at={"Days": day}).tidy()
    weights = np.array([0.0, 1.0 / (day + 0.1), 1.0])
    variance = weights @ results.cov_params().to_numpy() @ weights
    assert slope["estimate"][0] == pytest.approx(weights @ results.params, rel=1e-5)
    assert slope["se"][0] == pytest.approx(np.sqrt(variance), rel=1e-4)


def test_slopes_of_splines_exist_at_the_ends() -> None:
    results = mixedlm("Reaction ~ bs(Days, df=4) + (1 | Subject)", load_sleepstudy())
    slopes = marginal_slopes(results, "Days", "Days", at={"Days": [0, 9]}).tidy()
    eps = 1e-6
    rows = pd.DataFrame({"Days": [0.0, eps, 9 - eps, 9.0], "Subject": "308"})
    mean = results.predict(rows, include_random_effects=False)
    expected = [(mean[1] - mean[0]) / eps, (mean[3] - mean[2]) / eps]
    np.testing.assert_allclose(slopes["estimate"], expected, rtol=1e-4)


def test_what_an_aliased_column_does_not_decide_is_estimated() -> None:
    data = sleep("uneven")
    with pytest.warns(UserWarning, match="rank deficient"):
        aliased = mixedlm("Reaction ~ Days + twice + team + (1 | Subject)", data)
    plain = mixedlm("Reaction ~ Days + team + (1 | Subject)", data)
    assert_equal_numbers(
        marginal_means(aliased, "team").tidy(), marginal_means(plain, "team").tidy()
    )
    # A slope in one of two columns that only ever move together is anybody's guess.
    assert marginal_slopes(aliased, "Days").tidy()[NUMBERS].isna().all(axis=None)
    off_the_line = marginal_means(aliased, "team", at={"Days": 0}).tidy()
    assert off_the_line[NUMBERS].isna().all(axis=None)
    on_the_line = marginal_means(aliased, "team", at={"Days": 2, "twice": 4}).tidy()
    assert_equal_numbers(on_the_line, marginal_means(plain, "team", at={"Days": 2}).tidy())


def test_boolean_and_text_columns_are_factors() -> None:
    data = sleep()
    data["late"] = data["Days"] > 5
    table = marginal_means(mixedlm("Reaction ~ late + team + (1 | Subject)", data), "late").tidy()
    assert table["late"].tolist() == [False, True]


def test_one_value_need_not_be_in_a_list(by_part) -> None:
    one = marginal_means(by_part, "team", at={"part": "late"}).tidy()
    assert_equal_numbers(one, marginal_means(by_part, "team", at={"part": ["late"]}).tidy())


def test_written_contrasts(by_part) -> None:
    means = marginal_means(by_part, "part")
    written = contrasts(means, {"late less rest": [-0.5, -0.5, 1.0]})
    a, b, c = means.tidy()["estimate"]
    assert written["estimate"][0] == pytest.approx(c - (a + b) / 2)
    same = contrasts(means, {"x": [-1, 1, 0]}, adjust="none")
    assert_equal_numbers(same, contrasts(means, "consec", adjust="none").head(1))


def test_control_may_be_any_level(by_part) -> None:
    table = marginal_means(by_part, "part").contrasts("trt.vs.ctrl", reference=-1, adjust="none")
    assert table["contrast"].tolist() == ["early - late", "middle - late"]


def test_labels_that_look_like_a_calculation_stand_in_brackets() -> None:
    data = sleep()
    data["team"] = data["team"].map({"odd": "a-b", "even": "c"})
    table = pairwise(mixedlm("Reaction ~ team + (1 | Subject)", data), "team")
    assert table["contrast"].tolist() == ["(a-b) - c"]


def test_limits_follow_the_level(by_part) -> None:
    means = marginal_means(by_part, "part", level=0.9)
    narrow, wide = means.contrasts(), means.contrasts(level=0.99)
    assert (wide["upper"] > narrow["upper"]).all()
    significant = narrow["p_value"] < 0.1
    excluded = (narrow["lower"] > 0) | (narrow["upper"] < 0)
    assert (significant == excluded).all()


def test_printed_it_is_its_table(by_part) -> None:
    means = marginal_means(by_part, "part", by="team")
    assert repr(means).split()[:3] == ["team", "part", "estimate"]
    assert means._repr_html_().startswith("<table")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"specs": "Subject"}, "no variable of the fixed effects"),
        ({"specs": "part", "by": "part"}, "named twice"),
        ({"specs": "part", "at": {"team": "blue"}}, "levels are"),
        ({"specs": "part", "at": {"team": []}}, "distinct values"),
        ({"specs": "part", "weights": "mine"}, "weights must be"),
        ({"specs": "part", "df_method": "mine"}, "df_method must be"),
        ({"specs": "part", "level": 95}, "between 0 and 1"),
    ],
)
def test_errors_say_what_was_expected(by_part, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        marginal_means(by_part, **options).tidy()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "mine"}, "method must be"),
        ({"method": {}}, "empty dict"),
        ({"method": {"a": [1, -1]}}, "3 finite weights"),
        ({"adjust": "mine"}, "adjust must be"),
        ({"method": "eff", "adjust": "tukey"}, "pairwise differences"),
        ({"method": "trt.vs.ctrl", "reference": 3}, "no position"),
        ({"level": 2.0}, "between 0 and 1"),
    ],
)
def test_errors_of_contrasts(by_part, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        marginal_means(by_part, "part").contrasts(**options)


def test_one_mean_has_nothing_to_be_compared_with(by_part) -> None:
    with pytest.raises(ValueError, match="one mean only"):
        marginal_means(by_part, by="part").contrasts()


def test_slopes_need_a_covariate(by_part) -> None:
    with pytest.raises(ValueError, match="is a factor"):
        marginal_slopes(by_part, "part")
    with pytest.raises(ValueError, match="no variable"):
        marginal_slopes(by_part, "Days")


def test_numbers_of_a_covariate_must_be_numbers() -> None:
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    with pytest.raises(ValueError, match="needs numbers"):
        marginal_means(results, at={"Days": ["many"]})


def test_estimators_keep_no_rows() -> None:
    data = load_sleepstudy()
    model = MixedLM(formula="Reaction ~ Days + (1 | Subject)").fit(data)
    with pytest.raises(TypeError, match="Fit with mixedlm"):
        marginal_means(model.results_)
