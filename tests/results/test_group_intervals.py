"""Tables of effects, of group coefficients and of draws are tidy, whatever the factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import MixedLM, NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff2, load_pastes, load_penicillin, load_sleepstudy
from skmixed.results import (
    group_coefficients_table,
    random_effects_table,
    sample_random_effects,
)

COLUMNS = ["value", "se", "lower", "upper", "excludes_zero"]


@pytest.fixture(scope="module")
def nested():
    return mixedlm("strength ~ 1 + (1 | batch / cask)", load_pastes())


@pytest.fixture(scope="module")
def slopes():
    return mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())


def test_one_row_for_each_effect_of_each_group(slopes, nested):
    table = random_effects_table(slopes)
    assert table.columns.tolist() == ["factor", "effect", "group", *COLUMNS]
    wide = table.pivot(index="group", columns="effect", values="value")
    modes = slopes.random_effects["Subject"]
    assert_allclose(wide.loc[modes.index, modes.columns], modes)
    assert random_effects_table(nested)["factor"].value_counts().to_dict() == {
        "batch:cask": 30,
        "batch": 10,
    }


def test_groups_of_an_interaction_are_named_as_in_lme4(nested):
    table = random_effects_table(nested).query("factor == 'batch:cask'")
    expected = [f"{batch}:{cask}" for batch, cask in nested.random_effects["batch:cask"].index]
    assert table["group"].tolist() == expected


def test_coefficients_without_a_random_effect_are_those_of_the_population():
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    table = group_coefficients_table(results)
    assert table.columns.tolist() == ["factor", "term", "group", *COLUMNS]
    days = table[table["term"] == "Days"]
    assert len(days) == 18
    assert (days["value"] == results.params["Days"]).all()
    assert_allclose(days["se"], results.bse["Days"])


def test_level_sets_the_quantile(slopes):
    for make in (random_effects_table, group_coefficients_table):
        table = make(slopes, level=0.8)
        assert_allclose(table["upper"] - table["value"], stats.norm.ppf(0.9) * table["se"])
        for level in (0.0, 1.0, 95):
            with pytest.raises(ValueError, match="level must be between 0 and 1"):
                make(slopes, level=level)


def test_uncertain_variances_add_degrees_of_freedom_and_use_them(slopes):
    for make in (random_effects_table, group_coefficients_table):
        table = make(slopes, 0.8, variance_uncertainty="delta")
        assert table.columns.tolist()[3:] == ["value", "se", "df", *COLUMNS[2:]]
        reach = stats.t.ppf(0.9, table["df"]) * table["se"]
        assert_allclose(table["upper"] - table["value"], reach)
        assert_allclose(table["value"] - table["lower"], reach)
        assert (table["excludes_zero"] == (table["value"].abs() > reach)).all()
        assert_allclose(table["value"], make(slopes)["value"])


def test_labels_keep_their_type():
    data = load_penicillin().assign(plate=lambda d: pd.factorize(d["plate"])[0])
    one = mixedlm("diameter ~ 1 + (1 | plate)", data)
    assert random_effects_table(one)["group"].dtype.kind == "i"
    two = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", data)
    assert set(random_effects_table(two)["group"]) == {*range(24), *"ABCDEF"}


def test_a_model_without_groups_has_empty_tables():
    data = load_sleepstudy()
    with pytest.warns(NoGroupsWarning):
        model = MixedLM().fit(data[["Days"]], data["Reaction"])
    assert random_effects_table(model).empty
    assert group_coefficients_table(model).empty
    draws = sample_random_effects(model, 10, random_state=0)
    assert draws.table().empty
    assert draws.params.shape == (10, 2)


def test_table_of_draws(slopes):
    draws = sample_random_effects(slopes, 400, random_state=0)
    table = draws.table(level=0.5)
    days = draws.draws["Subject"][:, :, 1]
    rows = table[table["effect"] == "Days"].reset_index(drop=True)
    assert rows["group"].tolist() == draws.levels("Subject").tolist()
    assert_allclose(rows["median"], np.median(days, axis=0))
    assert_allclose(rows["sd"], days.std(axis=0, ddof=1))
    assert_allclose(rows["lower"], np.quantile(days, 0.25, axis=0))
    below = (days[:, None, :] < days[:, :, None]).sum(axis=2).mean(axis=0)
    assert_allclose(rows["expected_rank"], 1 + below)
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        draws.table(level=2.0)


def test_equal_groups_share_their_rank():
    with pytest.warns(SingularFitWarning):
        results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    table = sample_random_effects(results, 50, random_state=0, beta_known=True).table()
    assert_allclose(table["sd"], 0.0, atol=1e-12)
    assert_allclose(table["expected_rank"], 3.5)
    assert_allclose(table["percentile"], 50.0)


@pytest.mark.parametrize("n", [0, -3, 2.5, True, "many"])
def test_number_of_draws_is_whole_and_positive(slopes, n):
    with pytest.raises(ValueError, match="n must be a positive whole number"):
        sample_random_effects(slopes, n)


def test_draws_show_their_shape(slopes):
    draws = sample_random_effects(slopes, 5, random_state=0)
    assert len(draws) == 5
    assert repr(draws) == "<RandomEffectsDraws: 5 draws; Subject: 18 levels x 2 effects>"
