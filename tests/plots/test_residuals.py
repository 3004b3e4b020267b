"""What ResidualsDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from sklearn.exceptions import NotFittedError

from skmixed import MixedLM, NoGroupsWarning, SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff2, load_sleepstudy
from skmixed.inference import residuals
from skmixed.plots import ResidualsDisplay

from .drawn import assert_texts_apart

KINDS = ["overview", "fitted", "scale_location", "qq", "qq_random", "groups"]


@pytest.fixture(scope="module")
def display(sleep):
    return ResidualsDisplay.from_results(sleep)


def plain(n=40, **changes):
    rng = np.random.default_rng(1)
    arguments = {"fitted": rng.normal(size=n), "residuals": rng.normal(size=n)}
    return ResidualsDisplay(**(arguments | changes))


class TestStoredArrays:
    """What is stored agrees with the fit."""

    def test_standardised_residuals(self, sleep, display):
        assert_allclose(display.fitted, sleep.fittedvalues, rtol=1e-10)
        assert_allclose(display.residuals, residuals(sleep, kind="standardised"), rtol=1e-10)
        assert_array_equal(display.groups, sleep.data["Subject"])
        assert display.factor == "Subject"

    def test_response_residuals_add_up_to_y(self, sleep):
        display = ResidualsDisplay.from_results(sleep, residual_kind="response")
        assert_allclose(display.fitted + display.residuals, sleep.data["Reaction"])

    @pytest.mark.parametrize("kind", ["marginal", "decorrelated"])
    def test_marginal_residuals_are_about_the_mean_of_the_population(self, sleep, kind):
        display = ResidualsDisplay.from_results(sleep, residual_kind=kind)
        line = sleep.params["Intercept"] + sleep.params["Days"] * sleep.data["Days"]
        assert_allclose(display.fitted, line)

    def test_from_estimator(self, display):
        data = load_sleepstudy()
        X, y = data[["Days"]], data["Reaction"]
        model = MixedLM(random_slopes=["Days"])
        with pytest.raises(NotFittedError):
            ResidualsDisplay.from_estimator(model, X, y)
        model.fit(X, y, groups=data["Subject"])
        found = ResidualsDisplay.from_estimator(model, X, y, groups=data["Subject"])
        assert_allclose(found.fitted, display.fitted, rtol=1e-6)
        assert_allclose(found.residuals, display.residuals, atol=1e-6)
        assert_array_equal(found.groups, display.groups)

    def test_formula_names_y(self, display):
        data = load_sleepstudy()
        model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(data)
        found = ResidualsDisplay.from_estimator(model, data, kind="qq")
        assert_allclose(found.residuals, display.residuals, atol=1e-6)

    def test_groups_by_a_column_or_by_labels(self, sleep):
        by_day = ResidualsDisplay.from_results(sleep, kind="groups", factor="Days")
        assert_array_equal(by_day.groups, sleep.data["Days"])
        half = np.arange(180) % 2
        by_label = ResidualsDisplay.from_results(sleep, kind="groups", factor=half)
        assert_array_equal(by_label.groups, half)

    def test_random_effects_of_all_factors(self, penicillin):
        display = ResidualsDisplay.from_results(penicillin)
        assert {name: len(table) for name, table in display.random_effects.items()} == {
            "plate": 24,
            "sample": 6,
        }


class TestQuantiles:
    """Quantile-quantile plots."""

    def test_standardised_residuals_lie_on_the_diagonal(self, display):
        found = display.quantiles()
        n = len(display.residuals)
        ranks = np.arange(1, n + 1)
        medians = (ranks - 0.3175) / (n + 0.365)
        medians[[0, -1]] = 1.0 - 0.5 ** (1.0 / n), 0.5 ** (1.0 / n)
        assert_allclose(found.theoretical, stats.norm.ppf(medians))
        assert_array_equal(found.ordered, np.sort(display.residuals))
        assert (found.intercept, found.slope) == (0.0, 1.0)

    @pytest.mark.parametrize("n", [5, 40, 5000])
    def test_band(self, n):
        """The i-th of n values is below p if at least i of n are: a binomial probability."""
        found = plain(n, level=0.9).quantiles()
        at = np.searchsorted(found.theoretical, found.band_at - 1e-12)
        for limits, p in ((found.band_lower, 0.05), (found.band_upper, 0.95)):
            below = stats.binom.sf(at, n, stats.norm.cdf(limits))
            assert_allclose(below, p, rtol=1e-6)
        assert at[0] == 0
        assert at[-1] == n - 1

    def test_line_through_the_quartiles(self):
        values = np.random.default_rng(2).normal(50.0, 7.0, size=99)
        display = plain(99, residuals=values, residual_kind="response")
        found = display.quantiles()
        at = stats.norm.ppf([0.25, 0.75])
        assert_allclose(found.intercept + found.slope * at, np.quantile(values, [0.25, 0.75]))

    def test_coverage_of_the_band(self):
        inside = []
        for seed in range(300):
            values = np.random.default_rng(seed).normal(size=20)
            found = plain(20, residuals=values, level=0.8).quantiles()
            within = (found.ordered >= found.band_lower) & (found.ordered <= found.band_upper)
            inside.append(within.mean())
        assert np.mean(inside) == pytest.approx(0.8, abs=4.0 * np.std(inside) / np.sqrt(300))

    def test_rows_that_say_nothing_are_left_out(self):
        values = np.array([np.nan, 1.0, -1.0, 0.5])
        display = plain(4, residuals=values, groups=["a", "a", "b", "b"])
        assert_array_equal(display.quantiles().ordered, [-1.0, 0.5, 1.0])
        display.plot(kind="groups")
        assert len(display.artists_["groups"]["points"].get_offsets()) == 3


class TestArtists:
    """What is drawn."""

    def test_overview(self, display):
        display.plot()
        assert list(display.artists_) == ["fitted", "scale_location", "qq", "qq_random"]
        assert display.ax_.shape == (4,)
        points = display.artists_["fitted"]["points"].get_offsets()
        assert_allclose(points, np.column_stack([display.fitted, display.residuals]))
        effects = display.artists_["qq_random"]["points"]
        assert [one.get_label() for one in effects] == ["Intercept", "Days"]

    def test_overview_without_groups_has_three_panels(self):
        with pytest.warns(NoGroupsWarning):
            results = mixedlm("Reaction ~ Days", load_sleepstudy())
        display = ResidualsDisplay.from_results(results)
        assert list(display.artists_) == ["fitted", "scale_location", "qq"]
        with pytest.raises(ValueError, match="needs labels of groups"):
            display.plot(kind="groups")
        with pytest.raises(ValueError, match="needs random effects"):
            display.plot(kind="qq_random")

    def test_scale_location(self, display):
        display.plot(kind="scale_location")
        artists = display.artists_["scale_location"]
        roots = np.sqrt(np.abs(display.residuals))
        assert_allclose(artists["points"].get_offsets()[:, 1], roots)
        # The mean of the root of |z|, integrated numerically.
        mean = stats.norm.expect(lambda z: np.sqrt(np.abs(z)))
        assert_allclose(artists["line"].get_ydata(), mean, rtol=1e-6)

    def test_random_effects_have_a_panel_each(self, sleep):
        display = ResidualsDisplay.from_results(sleep, kind="qq_random")
        assert list(display.artists_) == ["Subject: Intercept", "Subject: Days"]
        values = np.sort(display.random_effects["Subject"]["Days"])
        (points,) = display.artists_["Subject: Days"]["points"]
        assert_allclose(points.get_offsets()[:, 1], values)

    def test_groups_are_sorted_with_quartiles(self, display):
        display.plot(kind="groups")
        table = pd.Series(display.residuals).groupby(display.groups)
        quartiles = table.quantile([0.25, 0.5, 0.75]).unstack().sort_values(0.5)
        artists = display.artists_["groups"]
        assert_allclose(artists["medians"].get_offsets()[:, 0], quartiles[0.5])
        ends = [segment[:, 0] for segment in artists["quartiles"].get_segments()]
        assert_allclose(ends, quartiles[[0.25, 0.75]])
        names = [text.get_text() for text in display.ax_.get_yticklabels()]
        assert names == list(quartiles.index)

    def test_few_fitted_values_have_no_smooth_line(self):
        display = plain(fitted=np.arange(40) % 2).plot(kind="fitted")
        assert display.artists_["fitted"]["smooth"] is None
        assert plain().plot(kind="fitted").artists_["fitted"]["smooth"] is not None

    def test_effects_without_variance_are_said_to_have_none(self):
        with pytest.warns(SingularFitWarning):
            results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
        display = ResidualsDisplay.from_results(results, kind="qq_random")
        display.figure_.draw_without_rendering()
        assert [text.get_text() for text in display.ax_.texts] == ["The estimated variance is 0"]
        assert display.artists_["Batch: Intercept"]["points"] == []


class TestLegibility:
    """Five groups and five thousand, own figures and given axes."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("name", ["few_groups", "sleep", "penicillin", "many_groups"])
    @pytest.mark.exhaustive(3)
    def test_texts_do_not_overlap(self, name, kind, request):
        display = ResidualsDisplay.from_results(request.getfixturevalue(name), kind=kind)
        assert_texts_apart(display.figure_)

    def test_all_of_few_groups_are_named_and_none_of_many(self, few_groups, many_groups):
        few = ResidualsDisplay.from_results(few_groups, kind="groups")
        assert len(few.ax_.get_yticks()) == 5
        many = ResidualsDisplay.from_results(many_groups, kind="groups")
        assert len(many.ax_.get_yticks()) == 0
        assert "5,000 groups" in many.ax_.get_ylabel()

    def test_given_axes(self, display):
        _, ax = plt.subplots()
        assert display.plot(ax, kind="qq").ax_ is ax
        _, axes = plt.subplots(2, 2)
        assert list(display.plot(axes).ax_) == list(axes.ravel())
        with pytest.raises(ValueError, match=r"4 panels.*holds 2 Axes"):
            display.plot(plt.subplots(2)[1])

    def test_the_place_of_one_axes_is_divided(self, display):
        figure, axes = plt.subplots(1, 2, layout="constrained", figsize=(10.0, 4.0))
        display.plot(axes[1])
        assert display.figure_ is figure
        assert len(display.ax_) == 4
        assert_texts_apart(figure)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"residuals": np.zeros(3)},
            r"residuals must have the shape \(40,\) of fitted, got \(3,\)",
        ),
        ({"groups": ["a"]}, r"groups must have the shape \(40,\) of fitted"),
        ({"residual_kind": "raw"}, r"residual_kind must be one of.*got 'raw'"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        plain(**changes)


def test_unknown_names(sleep, display):
    with pytest.raises(ValueError, match=r"kind must be one of.*got 'box'"):
        display.plot(kind="box")
    with pytest.raises(ValueError, match="residual_kind must be one of"):
        ResidualsDisplay.from_results(sleep, residual_kind="raw")
    with pytest.raises(ValueError, match="no grouping factor 'school'"):
        ResidualsDisplay.from_results(sleep, factor="school")


def test_results_without_rows():
    data = load_sleepstudy()
    model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(data)
    with pytest.raises(TypeError, match="needs the rows of the data"):
        ResidualsDisplay.from_results(model.results_)
    with pytest.raises(ValueError, match="not what the model was fitted to"):
        ResidualsDisplay.from_estimator(model, data[:90])


def test_pipeline(in_weeks):
    steps, model, rows = in_weeks
    found = ResidualsDisplay.from_estimator(steps, *rows)
    plain = ResidualsDisplay.from_estimator(model, *rows)
    assert_allclose(found.residuals, plain.residuals, rtol=1e-5, atol=1e-4)
