"""What users of scikit-learn do with any estimator: clone, set, pickle, print, ask for names."""

from __future__ import annotations

import copy
import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmixed import (
    GroupScorer,
    MixedGLM,
    MixedLM,
    MixedLogisticRegression,
    RandomInterceptRegressor,
)
from skmixed.covariance import Diagonal

UNFITTED = [
    RandomInterceptRegressor("subject", method="ml", tol=1e-8),
    MixedLM("subject", random_slopes=["x1"], covariance=Diagonal()),
    MixedLM("subject", random_slopes="x1", covariance="identity", include_random_effects=False),
    MixedLM(formula="~ x1 + x2 + (x1 || subject)"),
]


@pytest.fixture(params=UNFITTED, ids=repr)
def estimator(request):
    return clone(request.param)


def test_init_only_stores_its_arguments():
    for cls in (RandomInterceptRegressor, MixedLM, MixedGLM, MixedLogisticRegression, GroupScorer):
        names = [n for n in inspect.signature(cls).parameters if n != "self"]
        values = {name: object() for name in names}
        model = cls(**values)
        assert vars(model) == values
        assert model.get_params(deep=False) == values


def test_only_groups_is_positional():
    for cls in (RandomInterceptRegressor, MixedLM, MixedGLM, MixedLogisticRegression):
        kinds = [p.kind.name for p in inspect.signature(cls).parameters.values()]
        assert kinds[0] == "POSITIONAL_OR_KEYWORD"
        assert set(kinds[1:]) == {"KEYWORD_ONLY"}


def test_clone_has_the_parameters_and_nothing_fitted(estimator, study):
    estimator.fit(study.labelled, study.y)
    other = clone(estimator)
    assert other.get_params().keys() == estimator.get_params().keys()
    assert repr(other) == repr(estimator)
    with pytest.raises(NotFittedError):
        other.predict(study.labelled)
    with pytest.raises(NotFittedError):
        other.summary()


def test_set_params_and_refit_equals_a_new_estimator(estimator, study):
    estimator.fit(study.labelled, study.y)
    estimator.set_params(method="ml", include_random_effects=False).fit(study.labelled, study.y)
    new = clone(estimator).fit(study.labelled, study.y)
    assert new.log_likelihood_ == estimator.log_likelihood_
    assert np.array_equal(new.predict(study.labelled), estimator.predict(study.labelled))


def test_unknown_parameters_are_refused(estimator):
    with pytest.raises(ValueError, match="Invalid parameter 'slopes'"):
        estimator.set_params(slopes=1)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle(estimator, study, protocol):
    estimator.fit(study.labelled, study.y)
    again = pickle.loads(pickle.dumps(estimator, protocol=protocol))
    _assert_same(again, estimator, study)


def test_deepcopy_and_joblib(estimator, study, tmp_path):
    estimator.fit(study.labelled, study.y)
    _assert_same(copy.deepcopy(estimator), estimator, study)
    joblib.dump(estimator, tmp_path / "model.joblib")
    _assert_same(joblib.load(tmp_path / "model.joblib"), estimator, study)


def _assert_same(one, other, study):
    assert np.array_equal(one.predict(study.labelled), other.predict(study.labelled))
    assert one.log_likelihood_ == other.log_likelihood_
    pd.testing.assert_frame_equal(one.random_effects_["subject"], other.random_effects_["subject"])
    assert str(one.summary()) == str(other.summary())


def test_fitting_twice_forgets_the_first_fit(estimator, study):
    half = study.labelled.iloc[:80]
    estimator.fit(study.labelled, 2.0 * study.y)
    estimator.fit(half, study.y[:80])
    fresh = clone(estimator).fit(half, study.y[:80])
    assert np.array_equal(estimator.predict(half), fresh.predict(half))
    assert list(estimator.feature_names_in_) == list(half.columns)


def test_features_are_those_of_x_and_coefficients_those_of_the_fixed_columns(estimator, study):
    estimator.fit(study.labelled, study.y)
    assert estimator.n_features_in_ == 3
    assert list(estimator.feature_names_in_) == ["x1", "x2", "subject"]
    assert estimator.coef_.shape == (2,)
    assert isinstance(estimator.intercept_, float)


def test_columns_in_another_order_or_missing_are_refused(study):
    model = RandomInterceptRegressor("subject").fit(study.labelled, study.y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(study.labelled[["x2", "x1", "subject"]])
    with pytest.raises(ValueError, match="feature names"):
        model.predict(study.labelled.drop(columns="x2"))


def test_it_is_a_regressor(estimator):
    assert is_regressor(estimator)


def test_html_repr_before_and_after_fit(estimator, study):
    assert type(estimator).__name__ in estimator._repr_html_()
    estimator.fit(study.labelled, study.y)
    assert "fitted" in estimator._repr_html_().lower()
    pipe = make_pipeline(StandardScaler(), RandomInterceptRegressor(0))
    assert "RandomInterceptRegressor" in pipe._repr_html_()


def test_repr_shows_what_differs_from_the_default():
    assert repr(RandomInterceptRegressor()) == "RandomInterceptRegressor()"
    text = repr(MixedLM("subject", random_slopes="x1", covariance=Diagonal()))
    for part in ("groups='subject'", "random_slopes='x1'", "covariance=Diagonal()"):
        assert part in text


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"method": "mle"}, r"'method' parameter .* one of \('reml', 'ml'\), got 'mle'"),
        ({"unseen_groups": None}, "'unseen_groups' parameter"),
        ({"weight_type": "counts"}, "'weight_type' parameter"),
        ({"max_iter": 0}, "max_iter must be at least 1, got 0"),
        ({"tol": 0.0}, "tol must be positive, got 0.0"),
    ],
)
def test_parameters_are_checked_in_fit(study, parameters, message):
    for cls in (RandomInterceptRegressor, MixedLM):
        with pytest.raises(ValueError, match=message):
            cls("subject", **parameters).fit(study.labelled, study.y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"groups": "y ~ x1 + (1 | subject)"}, r"looks like a formula.*formula="),
        ({"formula": "~ x1 + (1|subject)", "groups": "subject"}, "together with groups="),
        ({"groups": "subject", "random_intercept": False}, "Name the columns"),
        ({"groups": "subject", "random_slopes": "subject"}, "holds the group labels"),
        (
            {"groups": "subject", "random_slopes": "x3"},
            r"no column of X.*\['x1', 'x2', 'subject'\]",
        ),
        ({"groups": "subject", "random_slopes": "x1", "covariance": "toeplitz"}, "'toeplitz'"),
    ],
)
def test_contradicting_parameters_of_mixed_lm(study, parameters, message):
    with pytest.raises(ValueError, match=message):
        MixedLM(**parameters).fit(study.labelled, study.y)
