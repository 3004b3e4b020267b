"""Results predict what the estimator predicts, in full length."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy

FORMULA = "Reaction ~ Days + (Days | Subject)"
SWITCHES = {"kind": "mean", "variance_uncertainty": "delta"}


def test_limits_and_quantiles_are_those_of_the_estimator():
    sleep = load_sleepstudy()
    model, results = MixedLM(formula=FORMULA).fit(sleep), mixedlm(FORMULA, sleep)
    for made in (results, model.results_):
        assert_allclose(
            made.predict_interval(sleep, coverage=0.8, **SWITCHES),
            model.predict_interval(sleep, coverage=0.8, **SWITCHES),
            rtol=1e-10,
        )
        assert_allclose(
            made.predict_quantiles(sleep, quantiles=[0.3], include_random_effects=False),
            model.predict_quantiles(sleep, quantiles=[0.3], include_random_effects=False),
            rtol=1e-10,
        )
        assert_allclose(
            made.predict(sleep, return_std=True, **SWITCHES),
            model.predict(sleep, return_std=True, **SWITCHES),
            rtol=1e-10,
        )


def test_rows_that_miss_a_predictor_have_no_limits():
    sleep = load_sleepstudy().astype({"Days": float})
    sleep.loc[4, "Days"] = np.nan
    limits = mixedlm(FORMULA, sleep, missing="drop").predict_interval(sleep)
    assert np.flatnonzero(np.isnan(limits).all(axis=1)).tolist() == [4]
    assert np.isfinite(np.delete(limits, 4, axis=0)).all()


def test_coverage_is_a_probability():
    with pytest.raises(ValueError, match="coverage must be between 0 and 1"):
        mixedlm(FORMULA, load_sleepstudy()).predict_interval(load_sleepstudy(), coverage=95)
