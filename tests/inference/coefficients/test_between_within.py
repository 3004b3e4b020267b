"""Between-within degrees of freedom against the rules of nlme and mmrm."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy


def between_within(formula: str, data: pd.DataFrame, **options) -> list[float]:
    results = mixedlm(formula, data, **options).with_df_method("between-within")
    return results.tidy()["df"].to_list()


@pytest.fixture(name="study")
def fixture_of_sleepstudy_with_sexes() -> pd.DataFrame:
    data = load_sleepstudy().iloc[:-3]
    number = data["Subject"].astype(int)
    return data.assign(odd=number % 2, site=number // 10)


def test_columns_within_and_between_groups(study):
    """nlme::lme gives 157 to Intercept, Days and their interaction, and 16 to odd."""
    df = between_within("Reaction ~ Days * odd + (1 | Subject)", study)
    assert df == [157.0, 157.0, 16.0, 157.0]
    assert between_within("Reaction ~ Days * odd + (Days | Subject)", study) == df


def test_nested_factors_go_level_by_level(study):
    """nlme::lme gives 158 to Intercept and Days, 5 to late and 10 to odd."""
    rows = study.assign(late=(study["site"] >= 34) * 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        df = between_within("Reaction ~ late + odd + Days + (1 | site) + (1 | Subject)", rows)
    assert df == [158.0, 5.0, 10.0, 158.0]


def test_no_column_within_groups():
    data = load_pastes()
    df = between_within("strength ~ 1 + (1 | batch) + (1 | sample)", data)
    assert df == [len(data) - data["sample"].nunique()]


def test_contrasts_have_the_fewest_of_their_columns(study):
    results = mixedlm("Reaction ~ Days * odd + (1 | Subject)", study)
    by_rule = results.with_df_method("between-within")
    rows = by_rule.t_test("odd + 9 * Days:odd = 0, Days + Days:odd = 0")
    assert_array_equal(rows["df"], [16.0, 157.0])
    assert by_rule.wald_test("odd = 0, Days:odd = 0")["df_denom"].item() == 16.0


def test_groups_that_count_twice_are_two_groups(study):
    twice = np.full(len(study), 2.0)
    df = between_within("Reaction ~ Days + odd + (1 | Subject)", study, group_weights=twice)
    assert df == [2 * 177 - 36 - 1, 2 * 177 - 36 - 1, 36 - 1 - 1]


def test_too_few_groups_leave_no_test(study):
    two = study[study["Subject"].isin(study["Subject"].unique()[:2])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = mixedlm("Reaction ~ Days + odd + (1 | Subject)", two)
    table = results.with_df_method("between-within").tidy().set_index("term")
    assert table.loc["odd", ["df", "p_value"]].isna().all()
    assert_allclose(table.loc["Days", "df"], len(two) - 2 - 1)


def test_crossed_factors_have_no_order():
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    with pytest.raises(ValueError, match=r"nested.*'sample'.*'plate'.*crossed"):
        results.with_df_method("between-within").tidy()


def test_it_needs_the_rows():
    data = load_sleepstudy()
    model = MixedLM("Subject").fit(data[["Days", "Subject"]], data["Reaction"])
    with pytest.raises(ValueError, match=r"needs the rows.*mixedlm"):
        model.summary(df_method="between-within")
