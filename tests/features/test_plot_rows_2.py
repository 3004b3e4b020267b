"""Rows 30, 63, 73 and 77 of the promised features: residuals, random effects, covariances drawn."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from parity.reference import bundled_case, fit_case, fit_estimator, shared_case
from scipy import stats

from skmixed import mixedlm
from skmixed.plots import MarginalCovarianceDisplay, RandomEffectsDisplay, ResidualsDisplay
from skmixed.plots.random_effects import ACCENT, NEUTRAL

SLOPES = "sleep_slopes"


@pytest.fixture(scope="module")
def slopes():
    return bundled_case(SLOPES)


@pytest.fixture(scope="module")
def results(slopes):
    return fit_case(slopes).results


def covariance_in_r(case, n):
    """Return the covariance of y in the first rows of the sleep study, by R's estimates."""
    data = case.data[:n]
    Z = np.column_stack([np.ones(n), data["Days"]])
    Psi = np.array(case.figures["varcorr"][0]["cov"])
    subject = data["Subject"].to_numpy()
    within = np.where(np.equal.outer(subject, subject), Z @ Psi @ Z.T, 0.0)
    return within + case.figures["sigma"] ** 2 * np.eye(n)


class TestCovariance:
    """Rows 30 and 77."""

    def test_row_30_plot_of_the_implied_covariance(self, slopes, results):
        display = MarginalCovarianceDisplay.from_results(results, rows=slice(30))
        expected = covariance_in_r(slopes, 30)
        assert_allclose(display.image_.get_array(), expected, rtol=1e-5, atol=1e-4)
        # Three subjects of ten rows: the blocks are marked.
        ends = np.array(display.boundaries_.get_segments())[:2, 0, 1]
        assert_allclose(ends, [9.5, 19.5])

    def test_row_30_plot_of_the_first_student(self, shared):
        case = shared_case(shared, "gpa_rs")
        display = MarginalCovarianceDisplay.from_results(mixedlm(case.formula, case.data))
        expected = np.array(case.figures["marginal_cov_student1"])
        n = len(expected)
        assert_allclose(display.covariance[:n, :n], expected, rtol=1e-5)
        assert display.factor == "student"

    def test_row_77_covariance_heat_map(self, slopes):
        estimator = fit_estimator(slopes)
        data = slopes.data
        display = MarginalCovarianceDisplay.from_estimator(
            estimator, data, data["Reaction"], correlation=True
        )
        V = covariance_in_r(slopes, 30)
        expected = V / np.sqrt(np.outer(V.diagonal(), V.diagonal()))
        assert_allclose(display.image_.get_array(), expected, atol=1e-5)
        names = [text.get_text() for text in display.ax_.get_yticklabels()]
        assert names == ["308", "309", "310"]
        assert display.colorbar_.ax.get_ylabel() == "Correlation"


class TestDiagnostics:
    """Row 63."""

    def test_row_63_diagnostics(self, slopes, results):
        display = ResidualsDisplay.from_results(results, residual_kind="pearson")
        assert list(display.artists_) == ["fitted", "scale_location", "qq", "qq_random"]
        quantiles = slopes.figures["scaled_resid_quantiles"]
        drawn = np.array(display.artists_["qq"]["points"][0].get_offsets()[:, 1])
        assert_allclose(np.quantile(drawn, [0.0, 0.25, 0.5, 0.75, 1.0]), quantiles, atol=1e-5)

    def test_row_63_quantiles_of_random_effects(self, slopes, results):
        """In a balanced design all subjects shrink alike: what is drawn are multiples of modes."""
        display = ResidualsDisplay.from_results(results, kind="qq_random")
        table = slopes.figures["ranef"]["Subject"]
        standardised = display.random_effects["Subject"]
        ratio = standardised.loc[table["levels"]] / np.array(table["values"])
        assert_allclose(ratio, np.tile(ratio.iloc[0], (len(ratio), 1)), rtol=1e-3)
        for effect in ("Intercept", "Days"):
            (points,) = display.artists_[f"Subject: {effect}"]["points"]
            assert_allclose(points.get_offsets()[:, 1], np.sort(standardised[effect]))

    @pytest.mark.parametrize("kind", ["fitted", "scale_location", "qq", "groups"])
    def test_row_63_each_on_its_own(self, results, kind):
        display = ResidualsDisplay.from_results(results, kind=kind)
        assert list(display.artists_) == [kind]
        assert isinstance(display.ax_, plt.Axes)


class TestRandomEffects:
    """Row 73."""

    def test_row_73_caterpillar_by_factor(self):
        case = bundled_case("penicillin")
        display = RandomEffectsDisplay.from_results(
            fit_case(case).results, level=0.9, beta_known=True
        )
        assert set(display.modes) == {"plate", "sample"}
        for i, (factor, modes) in enumerate(display.modes.items()):
            table = case.figures["ranef"][factor]
            values = np.array(table["values"]).ravel()
            reach = stats.norm.ppf(0.95) * np.array(table["condsd"]).ravel()
            order = np.argsort(modes[:, 0])
            # R's figures are of the first levels.
            row = [list(display.levels[factor][order]).index(one) for one in table["levels"]]
            drawn = display.intervals_[i]
            ends = np.array([segment[:, 0] for segment in drawn.get_segments()])[row]
            lower, upper = values - reach, values + reach
            assert_allclose(ends, np.column_stack([lower, upper]), rtol=1e-3, atol=1e-4)
            colours = np.array([to_hex(colour).upper() for colour in drawn.get_colors()])[row]
            excludes = (lower > 0.0) | (upper < 0.0)
            assert list(colours) == [ACCENT if one else NEUTRAL for one in excludes]

    def test_row_73_caterpillar_by_effect(self, results):
        display = RandomEffectsDisplay.from_results(results)
        assert [panel.get_title(loc="left") for panel in display.ax_] == ["Intercept", "Days"]
