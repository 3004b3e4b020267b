"""scikit-learn's own checks, without one expected failure."""

from __future__ import annotations

import warnings

import pytest
import sklearn
from sklearn.base import is_classifier
from sklearn.utils import estimator_checks

from skmixed import MixedGLM, MixedLM, MixedLogisticRegression, RandomInterceptRegressor

ESTIMATORS = [
    RandomInterceptRegressor(),
    RandomInterceptRegressor(0),
    RandomInterceptRegressor(-1),
    RandomInterceptRegressor(-1, method="ml", fit_intercept=False),
    RandomInterceptRegressor(weight_type="frequency"),
    RandomInterceptRegressor(0, weight_type="frequency"),
    MixedLM(),
    MixedLM(0),
    MixedLM(-1, method="ml"),
    MixedLM(covariance="diagonal", weight_type="frequency"),
    MixedLM(random_slopes=0, covariance="identity"),
    MixedLogisticRegression(),
    MixedLogisticRegression(0),
    MixedLogisticRegression(-1, class_weight="balanced"),
    MixedGLM(),
    MixedGLM(0, family="poisson"),
]

# Of three classes scikit-learn 1.6 makes two, not the same of weighted and of repeated rows.
WRONG_CHECKS = (
    ("check_sample_weight_equivalence_on_dense_data",) if sklearn.__version__ < "1.7" else ()
)

# The checks fit data without groups, with aliased columns, and with one row per label.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize("routing", [False, True], ids=["no routing", "routing"])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.exhaustive(5)
def test_every_check_passes(estimator, routing):
    with sklearn.config_context(enable_metadata_routing=routing), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = estimator_checks.check_estimator(estimator, on_fail=None, on_skip=None)
    wrong = WRONG_CHECKS if is_classifier(estimator) else ()
    results = [r for r in results if r["check_name"] not in wrong]
    failed = {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"}
    assert not failed
    assert {r["status"] for r in results} <= {"passed", "skipped"}
    assert sum(r["status"] == "passed" for r in results) > 45


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_the_check_that_check_estimator_leaves_out(estimator):
    estimator_checks.check_dataframe_column_names_consistency(type(estimator).__name__, estimator)
