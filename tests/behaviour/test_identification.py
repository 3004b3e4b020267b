"""Variances that the design cannot tell apart, and y that leaves no residual."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from skmixed import MixedLM, SingularFitWarning, mixedlm
from skmixed.inference import confint

# ergoStool of nlme (Pinheiro and Bates 2000): 9 subjects on 4 types of stool, one row a cell.
EFFORT = [12, 15, 12, 10, 10, 14, 13, 12, 7, 14, 13, 9, 7, 11, 10, 9, 8, 11, 8, 7, 9, 11, 11, 10]
EFFORT += [8, 12, 12, 11, 7, 11, 8, 7, 9, 13, 10, 8]
STOOLS = pd.DataFrame(
    {
        "effort": np.array(EFFORT, dtype=float),
        "Type": ["T1", "T2", "T3", "T4"] * 9,
        "Subject": np.repeat(np.arange(9), 4),
    }
)
WEEKS = pd.DataFrame(
    {
        "weight": [3.1, 4.0, 2.2, 3.9, 4.1, 4.4, 2.9, 4.8, 3.7, 5.1, 1.9, 2.6, 3.3, 3.0, 2.6, 4.4],
        "week": [0.0, 1.0] * 8,
        "id": np.repeat(np.arange(8), 2),
    }
).assign(twin=lambda d: [f"t{(5 * i) % 8}" for i in d.id])


def fitted(formula, data, **options):
    """Return results and the warnings of the fit."""
    with warnings.catch_warnings(record=True) as record:
        warnings.simplefilter("always")
        results = mixedlm(formula, data, **options)
    return results, [str(one.message) for one in record]


def unknown(results, method):
    """Return the names of the parameters without limits."""
    table = confint(results, method, "all").set_index("parameter")
    assert (table["lower"].isna() == table["upper"].isna()).all()
    return set(table.index[table["lower"].isna()])


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_as_many_effects_as_rows(method):
    results, messages = fitted("weight ~ week + (week | id)", WEEKS)
    assert len(messages) == 1
    assert "cannot tell apart the variances of ['Intercept', 'week'] of 'id' and the" in messages[0]
    assert "no more rows than random effects" in messages[0]
    own = {"sd_Intercept|id", "sd_week|id", "cor_week.Intercept|id", "sigma"}
    assert unknown(results, method) == own
    assert results.converged
    # lme4 1.1-31, with check.nobs.vs.nRE = "ignore".
    assert_allclose(results.params, [2.975, 1.05], rtol=1e-10)
    assert_allclose(results.llf, -17.63974319, rtol=1e-9)


@pytest.mark.parametrize("formula", ["(Type | Subject)", "(0 + Type | Subject)"])
def test_ergostool_has_the_likelihood_of_gls(formula):
    results, messages = fitted(f"effort ~ Type + {formula}", STOOLS)
    assert len(messages) == 1
    assert "cannot tell apart" in messages[0]
    # nlme's gls with corSymm and varIdent, which has the same V; lme4 finds -52.49599864.
    assert_allclose(results.llf, -52.49599853, rtol=1e-9)
    assert_allclose(results.params, [77 / 9, 35 / 9, 20 / 9, 6 / 9], rtol=1e-9)
    assert_allclose(results.bse, [0.555554, 0.454743, 0.662022, 0.577351], rtol=3e-5)
    assert {"sigma", "sd_Type[T.T2]|Subject"} <= unknown(results, "wald") or "0 +" in formula


def test_profile_of_fixed_effects_stands_on_a_ridge():
    """Balanced, the deviance of the mean is n_groups log(1 + t^2 / (n_groups - 1))."""
    results, _ = fitted("weight ~ week + (week | id)", WEEKS)
    table = confint(results, "profile", ["week"])
    changes = WEEKS.weight.to_numpy().reshape(8, 2) @ [-1.0, 1.0]
    t = np.sqrt(7 * np.expm1(1.959963984540054**2 / 8))
    reach = t * changes.std(ddof=1) / np.sqrt(8)
    assert_allclose(table[["lower", "upper"]], [[1.05 - reach, 1.05 + reach]], rtol=1e-6)


@pytest.mark.parametrize("term", ["(week || id)", "cs(0 + C(week) | id)", "(1 | id)"])
def test_a_structure_may_identify_what_unstructured_covariances_do_not(term):
    """Three parameters for three moments."""
    results, messages = fitted(f"weight ~ week + {term}", WEEKS)
    identified = term != "cs(0 + C(week) | id)"
    assert any("cannot tell apart" in one for one in messages) != identified
    assert bool(unknown(results, "profile")) != identified


@pytest.mark.parametrize("method", ["wald", "profile"])
def test_two_names_of_one_partition(method):
    results, messages = fitted("weight ~ week + (1 | id) + (1 | twin)", WEEKS)
    assert len(messages) == 1
    assert "'id' and 'twin' are the same groups" in messages[0]
    assert unknown(results, method) == {"sd_Intercept|id", "sd_Intercept|twin"}
    # lme4 1.1-31.
    assert_allclose(results.llf, -17.74460084, rtol=1e-9)
    assert_allclose(results.fit.sigma, 0.5580576763, rtol=1e-6)


def test_a_chain_with_one_level_in_each():
    data = WEEKS.assign(part=WEEKS.id % 3)
    results, messages = fitted("weight ~ week + (1 | id / part)", data)
    assert len(messages) == 1
    assert "are the same groups" in messages[0]
    assert "'id'" in messages[0]
    assert "'id:part'" in messages[0]
    assert results.fit.unidentified.factors == [0, 1]


def test_one_row_in_each_cell_of_a_chain():
    """The variance of the cells is 0, and that of the groups and sigma are known."""
    results, messages = fitted("weight ~ week + (1 | id) + (1 | id:week)", WEEKS)
    assert len(messages) == 1
    assert "every group has one row only" in messages[0]
    assert unknown(results, "profile") == {"sd_Intercept|id:week"}


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_fixed_effects_that_explain_all_that_groups_differ_by(method):
    data = WEEKS.assign(arm=(WEEKS.id > 3).astype(float))
    results, messages = fitted("weight ~ arm + week + (1 | arm)", data, method=method)
    assert len(messages) == 1
    assert "'arm' is set to 0" in messages[0]
    assert "the fixed effects explain all that its groups could differ by" in messages[0]
    assert results.converged
    assert unknown(results, "wald") == {"sd_Intercept|arm"}


def test_a_slope_that_the_fixed_effects_hide():
    """With a line for each of two groups there are intercepts and slopes left to none."""
    data = WEEKS.assign(arm=(WEEKS.id > 3).astype(float))
    results, messages = fitted("weight ~ arm + week + (0 + week | arm) + (1 | id)", data)
    assert unknown(results, "wald") == set()
    results, messages = fitted("weight ~ arm * week + (week | arm) + (1 | id)", data)
    assert len(messages) == 1
    assert "'arm' is set to 0" in messages[0]
    assert "sigma" not in unknown(results, "wald")


def test_estimators_warn_once():
    model = MixedLM("id", random_slopes="week")
    with pytest.warns(SingularFitWarning, match="cannot tell apart") as record:
        model.fit(WEEKS[["week", "id"]], WEEKS["weight"])
    assert len(record) == 1
    assert np.isfinite(model.predict(WEEKS[["week", "id"]])).all()
    assert "do not determine the variances of id and the residuals" in model.results_.describe()
    assert "cannot tell apart" in str(model.summary())


def interpolated():
    """Return y that groups, items and a column make up without a residual."""
    rng = np.random.default_rng(1)
    g, h = np.divmod(np.arange(32), 4)
    return pd.DataFrame(
        {"g": g, "h": h, "x": h * 1.0, "a": rng.normal(size=8)[g], "b": rng.normal(size=4)[h]}
    )


@pytest.mark.parametrize(
    ("formula", "response"),
    [
        ("y ~ 1 + (1 | g)", lambda d: d.a),
        ("y ~ 1 + (1 | g)", lambda d: d.g**2.0),
        ("y ~ x + (1 | g)", lambda d: 1e6 + d.a + 0.3 * d.x),
        ("y ~ x + (x | g)", lambda d: d.a + d.a**2 * d.x),
        ("y ~ 1 + (1 | g) + (1 | h)", lambda d: d.a + d.b),
    ],
)
def test_random_effects_that_explain_y_exactly(formula, response):
    data = interpolated().assign(y=response)
    with pytest.warns(ConvergenceWarning, match="explain y exactly") as record:
        results = mixedlm(formula, data)
    assert len(record) == 1
    assert not results.converged
    assert results.llf == np.inf
    assert results.fit.sigma <= 1e-4 * data["y"].std()
    assert_allclose(results.predict(data), data["y"], rtol=1e-6, atol=1e-6)
    assert_allclose(results.icc, 1.0, rtol=1e-6)
    assert "sigma" in unknown(results, "wald")
    assert unknown(results, "profile") == {"sigma"}
    assert "explain y exactly" in str(results.summary())


def test_groups_that_explain_y_exactly_are_a_sample_of_their_own():
    """The rest of the estimates are the limit, in which the groups' means are known."""
    data = interpolated().assign(y=lambda d: d.a)
    results, _ = fitted("y ~ 1 + (1 | g)", data)
    means = data.groupby("g")["y"].first()
    assert_allclose(results.variance_components["sdcor"][0], means.std(), rtol=1e-6)
    row = results.tidy().iloc[0]
    assert_allclose(row["estimate"], means.mean(), rtol=1e-5)
    assert_allclose(row["se"], means.std() / np.sqrt(8), rtol=1e-5)
    assert_allclose(row["df"], 7, rtol=1e-5)


def test_a_small_residual_is_a_residual():
    rng = np.random.default_rng(2)
    data = interpolated().assign(y=lambda d: d.a + 1e-9 * rng.normal(size=32))
    results, messages = fitted("y ~ x + (1 | g)", data)
    assert not messages
    assert results.converged
    assert 5e-10 < results.fit.sigma < 2e-9


@pytest.mark.parametrize("seed", range(3))
def test_profile_of_a_sigma_that_may_be_zero(seed):
    """As in x in {0, 1} with independent slopes: the likelihood has a limit at sigma = 0."""
    rng = np.random.default_rng(seed)
    data = WEEKS.assign(weight=rng.normal(size=8)[WEEKS.id] * (1 + WEEKS.week) + WEEKS.week)
    data["weight"] += 0.5 * rng.normal(size=16)
    results, _ = fitted("weight ~ week + (week || id)", data)
    table = confint(results, "profile", "all").set_index("parameter")
    assert table.loc["sigma", "lower"] == 0.0
    assert table[["lower", "upper"]].notna().all(axis=None)


@pytest.mark.parametrize(
    ("scale_y", "scale_x"),
    [(1e120, 1.0), (1e-120, 1.0), (1.0, 1e120), (1.0, 1e-120), (1e-70, 1e60)],
)
def test_units_as_far_as_variances_are_numbers(scale_y, scale_x):
    plain, _ = fitted("weight ~ week + (1 | id)", WEEKS)
    data = WEEKS.assign(weight=WEEKS.weight * scale_y, week=WEEKS.week * scale_x)
    scaled, messages = fitted("weight ~ week + (1 | id)", data)
    assert not messages
    assert_allclose(scaled.params, plain.params * [scale_y, scale_y / scale_x], rtol=1e-9)
    columns = ["statistic", "df", "p_value"]
    assert_allclose(scaled.tidy()[columns], plain.tidy()[columns], rtol=1e-6)
    assert_allclose(scaled.icc, plain.icc, rtol=1e-7)


@pytest.mark.parametrize(
    ("scale_y", "scale_x", "name"),
    [
        (1e160, 1.0, "'y' has values"),
        (1e-160, 1.0, "'y' has values"),
        (1.0, 1e160, "'week' has values"),
        (1.0, 1e-160, "'week' has values"),
        (1e100, 1e-100, "'week' has coefficients"),
    ],
)
def test_units_in_which_variances_are_no_numbers(scale_y, scale_x, name):
    data = WEEKS.assign(weight=WEEKS.weight * scale_y, week=WEEKS.week * scale_x)
    with pytest.raises(ValueError, match=rf"{name} of about .* Choose another unit"):
        mixedlm("weight ~ week + (1 | id)", data)


def test_few_groups_are_said_where_a_reader_looks():
    """In the summary and the description, and in no warning: folds have few groups often."""
    data = WEEKS.assign(lab=np.arange(16) % 3)
    data["weight"] += 2.0 * data["lab"]
    results, messages = fitted("weight ~ week + (1 | lab) + (1 | id)", data)
    assert not messages
    note = "lab has only 3 groups, so the variance between them is poorly known (degrees"
    for text in (str(results.summary()), results.describe()):
        words = " ".join(text.split())
        assert note in words
        assert "confint(..., 'profile')" in words
        assert "id has only" not in words


def test_a_reversed_slope_is_asked_about():
    data = STOOLS.assign(day=np.tile(np.arange(4.0), 9), name=[f"s{s}" for s in STOOLS.Subject])
    for formula in ("effort ~ day + (name | day)", "effort ~ 1 + (0 + name | day)"):
        with pytest.raises(ValueError, match=r"Did you mean \(day \| name\)"):
            mixedlm(formula, data)


@pytest.mark.parametrize(
    "formula", ["effort ~ Type + (Type | Subject)", "effort ~ 1 + (Type | Subject)"]
)
def test_categories_with_numbered_groups_are_not_reversed(formula):
    more = pd.concat([STOOLS, STOOLS.assign(effort=STOOLS.effort + np.tile([0.5, -1, 0, 1], 9))])
    results, _ = fitted(formula, more)
    assert results.converged
    fitted(formula, STOOLS)
