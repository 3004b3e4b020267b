"""Rows 64 to 66 of the promised features: predictions, and their limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.reference import Case, fit_case, shared_case
from scipy import stats
from sklearn.metrics import PredictionErrorDisplay

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.prediction.fitted_model import FittedModel

# Of 10,000 draws: standard errors of a median and of a 2.5 % quantile, in standard deviations.
MEDIAN, TAIL = 0.01253, 0.0267


def test_row_64_predictions_with_and_without_random_effects(shared: Path) -> None:
    """R's predict(), with re.form = NA, and with a level that was not fitted."""
    case = shared_case(shared, "pigs_rs")
    results = fit_case(case).results
    figures, new = case.figures, case.figures["predict_new"]
    first = case.data.head(10)
    assert_allclose(results.predict(first), figures["fitted10"], rtol=1e-6)
    assert_allclose(
        results.predict(first, include_random_effects=False), figures["predict_fixed10"], rtol=1e-6
    )
    rows = pd.DataFrame(new["newdata"])
    assert_allclose(results.predict(rows), new["with_random"], rtol=1e-6)
    assert_allclose(
        results.predict(rows, include_random_effects=False), new["fixed_only"], rtol=1e-6
    )
    # The estimator: labels as an array, a column, or none.
    pigs = case.data.astype({"id": str})
    by_array = MixedLM(random_slopes=["week"]).fit(
        pigs[["week"]], pigs["weight"], groups=pigs["id"]
    )
    found = by_array.predict(rows[["week"]], groups=rows["id"])
    assert_allclose(found, new["with_random"], rtol=1e-6)
    found = by_array.predict(rows[["week"]], include_random_effects=False)
    assert_allclose(found, new["fixed_only"], rtol=1e-6)


def test_row_65_least_squares_against_a_mixed_model() -> None:
    """Both lines have the same mean; the mixed model's fitted values are nearer to the data."""
    data = load_sleepstudy()
    y = data["Reaction"].to_numpy()
    mixed = mixedlm("Reaction ~ Days + (Days | Subject)", data)
    slope, intercept = np.polyfit(data["Days"], y, 1)
    pooled = intercept + slope * data["Days"].to_numpy()
    # The study is balanced: generalised least squares give the pooled line.
    assert_allclose(mixed.predict(data, include_random_effects=False), pooled, rtol=1e-9)
    predicted = mixed.predict(data)
    assert np.std(y - predicted) < 0.6 * np.std(y - pooled)
    display = PredictionErrorDisplay.from_predictions(pooled, predicted, kind="actual_vs_predicted")
    assert_allclose(display.y_pred, predicted)
    offsets = np.asarray(display.scatter_.get_offsets())
    assert_allclose(offsets, np.column_stack([predicted, pooled]))


class TestIntervals:
    """Row 66, against merTools::predictInterval, a simulation of 10,000 draws.

    It draws beta, and the effects of each factor, as if they were independent. Their errors are
    correlated, the more so in nested factors, so that its limits are too wide.
    """

    @pytest.fixture(params=["sleep_rs", "pigs_rs", "gpa_ri", "pupils", "nurses_slash"])
    def case(self, request, shared: Path) -> Case:
        return shared_case(shared, request.param)

    def test_row_66_prediction_intervals(self, case: Case) -> None:
        results = fit_case(case).results
        rows, simulated = case.data.head(10), case.figures["predictInterval"]
        mean, std = results.predict(rows, return_std=True)
        independent = std_as_if_independent(results.fitted_model, rows)
        assert_allclose(simulated["fit"], mean, rtol=0, atol=4 * MEDIAN * independent.max())
        for side, limit in ((-1, "lwr"), (1, "upr")):
            expected = mean + side * stats.norm.isf(0.025) * independent
            away = (np.array(simulated[limit]) - expected) / independent
            assert np.abs(away).max() < 4 * TAIL
        # Ours count the correlations, and use Student's t.
        assert (std < independent).all()
        limits = results.predict_interval(rows)
        df = results.fit.n_rows - len(results.params)
        expected = mean[:, None] + np.outer(std, stats.t.ppf([0.025, 0.975], df))
        assert_allclose(limits, expected, rtol=1e-8)

    def test_row_66_limits_of_a_new_group(self, shared: Path) -> None:
        """MerTools leaves the variance of the groups out for a group that was not fitted."""
        case = shared_case(shared, "pigs_rs")
        model = fit_case(case).results.fitted_model
        new = pd.DataFrame({"week": [5.0], "id": ["new"]})
        _, std = model.predict(new, return_std=True)
        (covariance,) = (effects["cov"] for effects in case.figures["varcorr"])
        z = np.array([1.0, 5.0])
        residual = case.figures["sigma"] ** 2
        expected = z @ np.array(covariance) @ z + z @ np.array(case.figures["vcov"]) @ z + residual
        assert_allclose(std**2, expected, rtol=1e-4)


def std_as_if_independent(model: FittedModel, rows: pd.DataFrame) -> np.ndarray:
    """Return standard deviations of new observations without the covariances of the estimates."""
    new, _ = model.read(rows)
    fit = model.fit
    X = np.column_stack([np.ones(len(rows)), new.fixed])
    variance = fit.sigma**2 + np.einsum("ni,ij,nj->n", X, fit.fixed.covariance, X)
    for effects, block in zip(fit.random, new.blocks, strict=True):
        own = effects.conditional_covariance[block.codes]
        variance += np.einsum("nk,nkl,nl->n", block.columns, own, block.columns)
    return np.sqrt(variance)
