"""A fitted model reads new data, predicts, and gives the rows that it keeps."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import MixedLM, RandomInterceptRegressor, mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.prediction.fitted_model import FittedModel

FORMULA = "Reaction ~ Days + (Days | Subject)"
DATA = load_sleepstudy().astype({"Days": float})
SWITCHES = {"kind": "mean", "variance_uncertainty": "delta", "return_std": True}


@pytest.fixture(scope="module")
def results():
    return mixedlm(FORMULA, DATA)


class TestRows:
    def test_mixedlm_keeps_them(self, results):
        rows = results.fitted_model.rows
        assert rows.data is DATA
        assert rows.n_dropped == 0
        assert_array_equal(rows.model.design.response, DATA["Reaction"])

    def test_estimators_do_not(self):
        model = MixedLM("Subject").fit(DATA[["Days", "Subject"]], DATA["Reaction"])
        assert model.fitted_model.rows is None
        assert model.results_.model is None
        longer = pd.concat([DATA] * 20)
        other = MixedLM("Subject").fit(longer[["Days", "Subject"]], longer["Reaction"])
        sizes = [len(pickle.dumps(one.fitted_model)) for one in (model, other)]
        assert sizes[1] < sizes[0] + 100

    def test_dropped_rows_are_given_back(self):
        data = DATA.copy()
        data.loc[[2, 7], "Days"] = np.nan
        rows = mixedlm(FORMULA, data, missing="drop").fitted_model.rows
        assert rows.n_dropped == 2
        assert rows.given is data
        assert len(rows.data) == rows.model.design.n_rows == 178

    def test_there_may_be_none(self, results):
        with pytest.raises(AttributeError, match="keep no rows"):
            FittedModel(results.fit).response()
        with pytest.raises(ValueError, match="hold no predictor"):
            FittedModel(results.fit).predict(DATA)


class TestPredictions:
    def test_results_hold_no_estimator(self, results):
        saved = pickle.dumps(results.fitted_model)
        assert b"MixedLM" not in saved.replace(b"MixedLMResults", b"")
        assert_array_equal(pickle.loads(saved).predict(DATA), results.predict(DATA))

    def test_they_are_those_of_estimators(self, results):
        model = MixedLM(formula=FORMULA).fit(DATA)
        for found, expected in zip(
            results.fitted_model.predict(DATA, **SWITCHES),
            model.predict(DATA, **SWITCHES),
            strict=True,
        ):
            assert_allclose(found, expected, rtol=1e-10)

    def test_parameters_set_after_fit_count(self):
        model = RandomInterceptRegressor("Subject").fit(DATA[["Days", "Subject"]], DATA["Reaction"])
        model.set_params(include_random_effects=False, unseen_groups="error")
        population = model.results_.predict(DATA[["Days", "Subject"]])
        assert_allclose(population, model.intercept_ + model.coef_[0] * DATA["Days"])
        new = DATA[["Days", "Subject"]].head(1).assign(Subject="new")
        with pytest.raises(ValueError, match="new"):
            model.results_.predict(new, include_random_effects=True)

    def test_columns_are_checked_by_results_too(self):
        model = MixedLM("Subject").fit(DATA[["Days", "Subject"]], DATA["Reaction"])
        renamed = DATA[["Days", "Subject"]].rename(columns={"Days": "day"})
        with pytest.raises(ValueError, match="feature names should match"):
            model.results_.predict(renamed)

    def test_labels_are_not_given_twice(self, results):
        with pytest.raises(ValueError, match=r"given twice.*predict got"):
            results.predict(DATA, groups=DATA["Subject"])

    def test_rows_that_miss_a_predictor_are_nan(self, results):
        model = replace(results.fitted_model, skip_missing=True)
        new = DATA.head(4).copy()
        new.loc[1, "Days"] = np.nan
        kept = np.array([0, 2, 3])
        mean, covariance = model.predict(new, return_cov=True)
        expected = model.predict(new.iloc[kept], return_cov=True)
        assert_array_equal(mean[kept], expected[0])
        assert_array_equal(covariance[np.ix_(kept, kept)], expected[1])
        assert np.isnan(mean[1])
        assert np.isnan(covariance[1]).all()
        assert np.isnan(covariance[:, 1]).all()
        with pytest.raises(ValueError, match="contains NaN"):
            results.predict(new)

    def test_columns_that_are_read(self, results):
        assert results.fitted_model.variables == ["Days", "Subject"]
        arrays = MixedLM("Subject").fit(DATA[["Days", "Subject"]], DATA["Reaction"])
        assert arrays.fitted_model.variables is None


def test_another_fit_of_other_groups_reads_its_own_labels(results):
    part = mixedlm(FORMULA, DATA.iloc[60:])
    moved = results.fitted_model.refitted(part.fit, part.model)
    assert_array_equal(moved.predict(DATA), part.predict(DATA))
    assert moved.rows.data is None
