"""What MarginalCovarianceDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from skmixed import MixedLM, NoGroupsWarning, mixedlm
from skmixed.datasets import load_penicillin, load_sleepstudy
from skmixed.plots import MarginalCovarianceDisplay

from .drawn import assert_texts_apart


def written_out(results, data):
    """Return Z Psi Z' + sigma^2 I of the sleep study from the table of variance components."""
    components = results.variance_components["vcov"]
    Psi = np.array([[components[0], components[2]], [components[2], components[1]]])
    Z = np.column_stack([np.ones(len(data)), data["Days"]])
    same = np.equal.outer(data["Subject"].to_numpy(), data["Subject"].to_numpy())
    return np.where(same, Z @ Psi @ Z.T, 0.0) + results.scale * np.eye(len(data))


class TestStoredArrays:
    """The covariance is that of the rows which were chosen."""

    @pytest.mark.parametrize(
        "rows", [slice(30), slice(5, 60, 3), [3, 100, 7], np.arange(180) % 7 == 0]
    )
    def test_covariance(self, sleep, rows):
        display = MarginalCovarianceDisplay.from_results(sleep, rows=rows)
        kept = load_sleepstudy().iloc[rows]
        assert_allclose(display.covariance, written_out(sleep, kept), rtol=1e-9, atol=1e-9)
        assert_array_equal(display.groups, kept["Subject"])

    def test_correlations(self, sleep):
        display = MarginalCovarianceDisplay.from_results(sleep, correlation=True)
        V = written_out(sleep, load_sleepstudy()[:30])
        expected = V / np.sqrt(np.outer(V.diagonal(), V.diagonal()))
        assert_allclose(display.correlations, expected, atol=1e-9)
        assert_allclose(display.image_.get_array(), expected, atol=1e-9)
        assert display.image_.get_clim() == (0.0, 1.0)

    def test_weights(self):
        data = load_sleepstudy()
        weights = np.linspace(0.5, 2.0, len(data))
        results = mixedlm("Reaction ~ Days + (Days | Subject)", data, weights=weights)
        display = MarginalCovarianceDisplay.from_results(results)
        expected = written_out(results, data[:30])
        expected[np.diag_indices(30)] += results.scale * (1.0 / weights[:30] - 1.0)
        assert_allclose(display.covariance, expected, rtol=1e-9, atol=1e-9)

    def test_from_estimator(self, sleep):
        data = load_sleepstudy()
        X, y, groups = data[["Days"]], data["Reaction"], data["Subject"]
        model = MixedLM(random_slopes=["Days"])
        with pytest.raises(NotFittedError):
            MarginalCovarianceDisplay.from_estimator(model, X, y)
        model.fit(X, y, groups=groups)
        display = MarginalCovarianceDisplay.from_estimator(model, X, y, groups=groups)
        assert_allclose(display.covariance, written_out(sleep, data[:30]), rtol=1e-5, atol=1e-4)
        new = MarginalCovarianceDisplay(
            covariance=model.marginal_covariance(X[:30], groups=groups[:30])
        )
        assert_allclose(new.covariance, display.covariance)

    def test_the_steadiest_factor_is_marked(self, penicillin):
        display = MarginalCovarianceDisplay.from_results(penicillin)
        assert display.factor == "plate"
        display = MarginalCovarianceDisplay.from_results(penicillin, factor="sample")
        assert_array_equal(display.groups, load_penicillin()["sample"][:30])


class TestArtists:
    """What is drawn."""

    def test_boundaries_are_where_the_group_changes(self, sleep):
        display = MarginalCovarianceDisplay.from_results(sleep, rows=slice(25))
        segments = np.array(display.boundaries_.get_segments())
        across, down = np.split(segments, 2)
        assert_array_equal(across[:, :, 1], [[9.5, 9.5], [19.5, 19.5]])
        assert_array_equal(down[:, :, 0], [[9.5, 9.5], [19.5, 19.5]])
        assert_array_equal(display.ax_.get_yticks(), [4.5, 14.5, 22.0])
        names = [text.get_text() for text in display.ax_.get_yticklabels()]
        assert names == ["308", "309", "310"]

    def test_groups_that_change_at_each_row_are_not_marked(self, penicillin):
        display = MarginalCovarianceDisplay.from_results(
            penicillin, factor="sample", rows=slice(90)
        )
        assert display.boundaries_ is None
        assert display.ax_.get_ylabel() == "Row"

    def test_colours_without_negative_entries_begin_at_0(self, sleep):
        display = MarginalCovarianceDisplay.from_results(sleep)
        assert display.image_.get_clim() == (0.0, display.covariance.max())
        assert min(display.image_.cmap(0.0)[:3]) > 0.9

    def test_colours_with_negative_entries_are_centred(self):
        display = MarginalCovarianceDisplay(covariance=[[2.0, -1.0], [-1.0, 1.0]]).plot()
        assert display.image_.get_clim() == (-2.0, 2.0)
        middle = display.image_.cmap(0.5)
        assert min(middle[:3]) > 0.9
        low, high = (np.array(to_rgb(display.image_.cmap(end))) for end in (0.0, 1.0))
        # Blue and orange ends, which nobody confuses.
        assert low[2] > low[0]
        assert high[0] > high[2]

    def test_rounding_is_no_negative_covariance(self):
        display = MarginalCovarianceDisplay(covariance=[[2.0, -1e-16], [-1e-16, 1.0]]).plot()
        assert display.image_.get_clim() == (0.0, 2.0)

    def test_without_groups(self):
        with pytest.warns(NoGroupsWarning):
            results = mixedlm("Reaction ~ Days", load_sleepstudy())
        display = MarginalCovarianceDisplay.from_results(results)
        assert_allclose(display.covariance, results.scale * np.eye(30))
        assert display.groups is None
        assert display.ax_.get_ylabel() == "Row"


class TestLegibility:
    """Few and many groups, own figures and given axes."""

    @pytest.mark.parametrize(
        "rows",
        [slice(30), slice(1), slice(400), pytest.param(slice(3000), marks=pytest.mark.slow)],
    )
    @pytest.mark.parametrize("name", ["few_groups", "sleep", "penicillin", "many_groups"])
    @pytest.mark.exhaustive(3)
    def test_texts_do_not_overlap(self, name, rows, request):
        results = request.getfixturevalue(name)
        display = MarginalCovarianceDisplay.from_results(results, rows=rows)
        assert_texts_apart(display.figure_)

    def test_small_axes(self, few_groups):
        figure, axes = plt.subplots(1, 2, figsize=(6.0, 2.5), layout="constrained")
        display = MarginalCovarianceDisplay.from_results(few_groups, rows=slice(60), ax=axes[1])
        assert display.ax_ is axes[1]
        assert_texts_apart(figure)
        with pytest.raises(ValueError, match="1 panel"):
            display.plot(axes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"covariance": np.ones((2, 3))}, r"square matrix.*got shape \(2, 3\)"),
        ({"covariance": np.empty((0, 0))}, "at least one row"),
        ({"groups": ["a"]}, r"groups must have the shape \(2,\) of the rows, got \(1,\)"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        MarginalCovarianceDisplay(**({"covariance": np.eye(2)} | changes))


def test_unknown_rows_and_factors(sleep):
    with pytest.raises(ValueError, match=r"rows=slice\(500, 600.*none of the 180 rows"):
        MarginalCovarianceDisplay.from_results(sleep, rows=slice(500, 600))
    with pytest.raises(ValueError, match="no grouping factor 'school'"):
        MarginalCovarianceDisplay.from_results(sleep, factor="school")


def test_interactions_are_named_by_both_labels():
    data = pd.concat([load_sleepstudy()[:40].assign(half=half) for half in "ab"])
    data["Reaction"] += np.random.default_rng(0).normal(scale=20.0, size=len(data))
    results = mixedlm("Reaction ~ Days + (1 | half:Subject)", data)
    display = MarginalCovarianceDisplay.from_results(results)
    names = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert names == ["a:308", "a:309", "a:310"]


def test_pipeline(in_weeks):
    steps, model, rows = in_weeks
    found = MarginalCovarianceDisplay.from_estimator(steps, *rows)
    plain = MarginalCovarianceDisplay.from_estimator(model, *rows)
    assert_allclose(found.covariance, plain.covariance, rtol=1e-5, atol=1e-4)
