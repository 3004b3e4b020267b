"""The description says what the numbers say, and no more."""

from __future__ import annotations

import re

import numpy as np
import pytest

from skmixed import MixedLM, NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff2, load_penicillin, load_sleepstudy
from skmixed.results import describe


def sleep():
    data = load_sleepstudy()
    data["half"] = np.where(data["Days"] < 5, "a", "b")
    data["z"] = np.random.default_rng(0).normal(size=len(data))
    return data


@pytest.fixture(scope="module")
def text() -> str:
    return describe(mixedlm("Reaction ~ Days + (Days | Subject)", sleep()))


def test_what_was_fitted(text):
    assert "180 observations in 18 groups of Subject" in text
    assert "restricted maximum likelihood (REML)" in text


def test_fixed_effects_with_their_intervals(text):
    """lmerTest: 251.405 (237.0, 265.8) and 10.467 (7.21, 13.73)."""
    assert "Where Days is 0, Reaction is 251.4 (95% interval 237.0 to 265.8) on average." in text
    assert "Per unit of Days, Reaction changes by 10.5 (95% interval 7.2 to 13.7)." in text


def test_population_interval_of_the_slopes(text):
    """10.467 -+ 1.96 * 5.922."""
    assert "standard deviation of 5.92" in text
    assert "the central 95% of group slopes lies between -1.1 and 22.1, which includes 0" in text
    assert "the central 95% of group means lies between 203 and 300" in text


def test_level_moves_both_intervals():
    results = mixedlm("Reaction ~ Days + (Days | Subject)", sleep())
    text = describe(results, level=0.5)
    assert "the central 50% of group slopes lies between 6.5 and 14.5." in text
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        describe(results, level=95)


def test_shares_of_several_factors():
    text = describe(mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin()))
    assert "24 groups of plate and 6 groups of sample" in text
    assert "15% lies between groups of plate and 79% between groups of sample" in text
    assert "Over the population, diameter is 22.97" in text


def test_categories_are_compared_with_their_reference():
    results = mixedlm("Reaction ~ half + (half | Subject)", sleep())
    text = describe(results)
    assert "Where half is a, Reaction is" in text
    assert "For half b, compared with a, Reaction differs by" in text
    assert "The difference of Reaction for half b varies between groups" in text


def test_main_effects_beside_interactions_hold_at_zero():
    results = mixedlm("Reaction ~ Days * half + Days:z + z + (1 | Subject)", sleep())
    text = describe(results)
    days = next(s for s in text.split(". ") if s.startswith("Per unit of Days"))
    assert days.endswith("where half is a and z is 0")
    assert "compared with a, the change of Reaction per unit of Days differs by" in text
    assert "With each unit of z, the change of Reaction per unit of Days changes by" in text


def test_a_square_is_no_change_per_unit():
    text = describe(mixedlm("Reaction ~ Days + I(Days**2) + (1 | Subject)", sleep()))
    assert "Per unit of Days" not in text
    assert "The coefficient of Days is" in text
    assert "Days is in several terms, whose coefficients are no changes per unit" in text


def test_other_codings_are_no_indicators():
    text = describe(mixedlm("Reaction ~ C(half, Sum) + (1 | Subject)", sleep()))
    assert "The coefficient of C(half, Sum)[S.a] is" in text
    assert "compared with" not in text


def test_group_differences_of_a_category():
    text = describe(mixedlm("Reaction ~ half + (half | Subject)", sleep()))
    assert "the central 95% of group differences lies between" in text


def test_boundary_is_said_plainly():
    with pytest.warns(SingularFitWarning):
        results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    text = describe(results)
    assert "is estimated not to vary between groups of Batch" in text
    assert "The variance between groups of Batch is estimated as 0" in text
    assert "not a proof" in text


def test_no_boundary_is_mentioned_where_there_is_none(text):
    assert "boundary" not in text


def test_aliased_column():
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm(
            "Reaction ~ Days + twice + (1 | Subject)", sleep().assign(twice=lambda d: 2 * d["Days"])
        )
    assert "The coefficient of twice cannot be told from those before it" in describe(results)


def test_many_effects_are_summed_up():
    data = sleep().assign(pair=lambda d: (d["Days"] // 2).astype(str))
    text = describe(mixedlm("Reaction ~ Days + cs(0 + pair | Subject)", data))
    assert "5 effects, pair[0] to pair[4], vary" in text
    assert re.search(r"The correlation of every two of them is 0\.\d\d\.", text)


def test_without_groups():
    with pytest.warns(NoGroupsWarning):
        model = MixedLM().fit(sleep()[["Days"]], sleep()["Reaction"])
    text = describe(model.results_)
    assert "without random effects" in text
    assert "least squares" in text
    assert "between groups" not in text


def test_dropped_rows_are_counted():
    data = sleep()
    data.loc[[3, 5], "Days"] = np.nan
    text = describe(mixedlm("Reaction ~ Days + (1 | Subject)", data, missing="drop"))
    assert "178 observations" in text
    assert "2 rows with missing values left out" in text


def test_inverse_probabilities_are_named():
    data = sleep().assign(w=np.random.default_rng(0).uniform(1, 3, 180))
    results = mixedlm(
        "Reaction ~ Days + (1 | Subject)", data, weights="w", weight_type="sampling", method="ml"
    )
    assert "weighted by inverse probabilities of selection" in describe(results)


def test_quoted_columns_have_their_own_names():
    data = sleep().rename(columns={"Days": "days awake", "Reaction": "reaction time"})
    results = mixedlm("`reaction time` ~ `days awake` + (`days awake` | Subject)", data)
    text = describe(results)
    assert "Per unit of days awake, reaction time changes by 10.5" in text
    latex = [results.equation(form).latex for form in ("conditional", "marginal", "hierarchical")]
    for one in (text, *latex):
        assert "Q(" not in one
