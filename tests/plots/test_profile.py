"""What ProfileDisplay stores and draws."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, optimize, stats
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skmixed import MixedLM, SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff, load_dyestuff2, load_sleepstudy
from skmixed.inference import profile
from skmixed.plots import ProfileDisplay

from .drawn import assert_texts_apart

REFERENCE = Path(__file__).parents[1] / "inference" / "intervals" / "fixtures" / "intervals.json"


@pytest.fixture(scope="module")
def profiled(sleep):
    return profile(sleep)


@pytest.fixture(scope="module")
def display(profiled):
    return ProfileDisplay.from_profile(profiled)


def normal_profile(**changes):
    values = np.linspace(7.0, 13.0, 61)
    arguments = {
        "values": {"mean": values},
        "zeta": {"mean": (values - 10.0) / 1.5},
        "estimates": {"mean": 10.0},
        "limits": {"mean": (10.0 - 1.5 * 1.959963984540054, 10.0 + 1.5 * 1.959963984540054)},
    }
    return ProfileDisplay(**(arguments | changes))


class TestStoredArrays:
    """The lines are the profiles."""

    def test_zeta_of_the_mean_of_a_balanced_design(self):
        """Against the likelihood written out, minimised over both variances by scipy."""
        data = load_dyestuff()
        y = data["Yield"].to_numpy().reshape(6, 5)

        def deviance(mean, logs):
            of_rows, of_batches = np.exp(2.0 * np.asarray(logs))
            of_means = of_rows + 5.0 * of_batches
            within = ((y - y.mean(axis=1, keepdims=True)) ** 2).sum()
            between = 5.0 * ((y.mean(axis=1) - mean) ** 2).sum()
            return (
                24.0 * np.log(of_rows)
                + 6.0 * np.log(of_means)
                + within / of_rows
                + between / of_means
            )

        def best(mean):
            start = np.log([50.0, 40.0])
            options = {"xatol": 1e-10, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
            return optimize.minimize(
                lambda logs: deviance(mean, logs), start, method="Nelder-Mead", options=options
            ).fun

        results = mixedlm("Yield ~ 1 + (1 | Batch)", data)
        display = ProfileDisplay.from_results(results, which="Intercept")
        one = display.profiles["Intercept"]
        assert one.estimate == pytest.approx(y.mean())
        chosen = np.arange(0, len(one.values), 25)
        away = [best(mean) - best(y.mean()) for mean in one.values[chosen]]
        expected = np.sign(one.values[chosen] - y.mean()) * np.sqrt(np.maximum(away, 0.0))
        assert_allclose(one.zeta[chosen], expected, atol=1e-3)

    def test_limits_of_lme4(self, display):
        reference = json.loads(REFERENCE.read_text())["profile"]
        for name, limits in reference["Reaction ~ Days + (Days | Subject)"].items():
            one = display.profiles[name.replace("(Intercept)", "Intercept")]
            assert_allclose(one.limits, limits, rtol=1e-4)
            assert_allclose(np.interp(limits, one.values, one.zeta), [-1.96, 1.96], atol=2e-3)

    def test_density_of_a_straight_line_is_normal(self):
        one = normal_profile().profiles["mean"]
        assert_allclose(one.density, stats.norm.pdf(one.values, 10.0, 1.5))

    def test_area_under_the_densities(self, display):
        for one in display.profiles.values():
            area = integrate.trapezoid(one.density, one.values)
            assert area == pytest.approx(np.diff(stats.norm.cdf(one.zeta[[0, -1]]))[0], rel=1e-3)

    def test_from_estimator(self, display):
        data = load_sleepstudy()
        model = MixedLM(groups="Subject", random_slopes=["Days"])
        with pytest.raises(NotFittedError):
            ProfileDisplay.from_estimator(model)
        model.fit(data[["Days", "Subject"]], data["Reaction"])
        found = ProfileDisplay.from_estimator(model, which=["sigma"])
        assert list(found.profiles) == ["sigma"]
        assert_allclose(found.profiles["sigma"].limits, display.profiles["sigma"].limits, rtol=1e-5)


class TestArtists:
    """What is drawn."""

    def test_zeta(self, display):
        display.plot()
        assert len(display.ax_) == len(display.profiles) == 6
        for name, one in display.profiles.items():
            assert_allclose(display.curves_[name].get_xdata(), one.values)
            assert_allclose(display.curves_[name].get_ydata(), one.zeta)
            points = display.limits_[name].get_offsets()
            assert_allclose(points[:, 0], one.limits)
            assert_allclose(points[:, 1], [-1.96, 1.96], atol=2e-3)

    def test_density(self, profiled):
        display = ProfileDisplay.from_profile(profiled, kind="density")
        for name, one in display.profiles.items():
            assert_allclose(display.curves_[name].get_ydata(), one.density)
            shaded = display.limits_[name].get_paths()[0].vertices[:, 0]
            assert_allclose([shaded.min(), shaded.max()], one.limits)

    @pytest.mark.parametrize("kind", ["zeta", "density"])
    def test_variance_on_the_boundary(self, kind):
        with pytest.warns(SingularFitWarning):
            results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
        display = ProfileDisplay.from_results(results, which="random", kind=kind)
        assert display.profiles["sd_Intercept|Batch"].limits[0] == 0.0
        assert_texts_apart(display.figure_)

    def test_a_parameter_of_which_the_data_say_nothing(self):
        display = normal_profile(
            values={"a": [], "mean": [0.0, 1.0, 2.0]},
            zeta={"a": [], "mean": [-1.0, 0.0, 1.0]},
            estimates={"a": np.nan, "mean": 1.0},
            limits={"a": (-1.0, 1.0), "mean": (-np.inf, np.inf)},
        ).plot()
        display.figure_.draw_without_rendering()
        assert [text.get_text() for text in display.ax_[0].texts] == ["The data say nothing of it"]
        assert list(display.curves_) == ["mean"]
        assert len(display.limits_["mean"].get_offsets()) == 0


class TestLegibility:
    """Own figures and given axes."""

    @pytest.mark.parametrize("kind", ["zeta", "density"])
    @pytest.mark.parametrize("name", ["few_groups", "sleep", "penicillin", "many_groups"])
    @pytest.mark.exhaustive(3)
    def test_texts_do_not_overlap(self, name, kind, request):
        display = ProfileDisplay.from_results(request.getfixturevalue(name), kind=kind)
        assert_texts_apart(display.figure_)

    def test_given_axes(self, display):
        _, axes = plt.subplots(3, 2)
        assert list(display.plot(axes).ax_) == list(axes.ravel())
        with pytest.raises(ValueError, match=r"6 panels.*holds 2 Axes"):
            display.plot(plt.subplots(2)[1])
        _, ax = plt.subplots()
        assert normal_profile().plot(ax).ax_ is ax


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": {}}, "no parameter to show"),
        ({"zeta": {"mean": [1.0]}}, r"'mean' must be.*of one length.*\(61,\) and \(1,\)"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_arguments_are_checked(changes, message):
    with pytest.raises(ValueError, match=message):
        normal_profile(**changes)


def test_unknown_names(sleep):
    with pytest.raises(ValueError, match=r"kind must be one of.*got 'pairs'"):
        ProfileDisplay.from_results(sleep, kind="pairs")
    with pytest.raises(ValueError, match="no parameter 'x'"):
        ProfileDisplay.from_results(sleep, which="x")


def test_pipeline():
    data = load_sleepstudy()
    model = MixedLM(groups="Subject", random_slopes=["Days"])
    steps = make_pipeline(FunctionTransformer(), model)
    with pytest.raises(NotFittedError):
        ProfileDisplay.from_estimator(steps, which="sigma")
    steps.fit(data[["Days", "Subject"]], data["Reaction"])
    found = ProfileDisplay.from_estimator(steps, which="sigma")
    limits = found.profiles["sigma"].limits
    reference = json.loads(REFERENCE.read_text())["profile"]
    expected = reference["Reaction ~ Days + (Days | Subject)"]["sigma"]
    assert_allclose(limits, expected, rtol=1e-4)
