"""An estimator changes when fit or adapt succeed, and otherwise not at all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skmixed import GroupConformalRegressor, MixedLM, RandomInterceptRegressor
from skmixed.fitting.model import LMMModel

RNG = np.random.default_rng(4)
DATA = pd.DataFrame({"x": RNG.normal(size=40), "z": RNG.normal(size=40), "g": np.arange(40) // 5})
DATA["y"] = 2.0 * DATA["x"] + RNG.normal(scale=2.0, size=8)[DATA["g"]] + RNG.normal(size=40)
SMALLER = DATA.drop(columns="z").iloc[10:]

ESTIMATORS = {
    "columns": RandomInterceptRegressor("g"),
    "formula": MixedLM(formula="~ x + (1 | g)"),
    "conformal": GroupConformalRegressor(RandomInterceptRegressor("g"), random_state=0),
}


@pytest.fixture(params=ESTIMATORS)
def estimator(request):
    return ESTIMATORS[request.param].__sklearn_clone__()


def fit(estimator, data):
    return estimator.fit(data.drop(columns="y"), data["y"])


def break_fits(monkeypatch, error):
    def broken(_: LMMModel) -> None:
        raise error

    monkeypatch.setattr(LMMModel, "fit", broken)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), np.linalg.LinAlgError(), ValueError()])
def test_after_a_first_fit_that_broke_off_nothing_is_fitted(estimator, monkeypatch, error):
    before = dict(vars(estimator))
    break_fits(monkeypatch, error)
    with pytest.raises(type(error)):
        fit(estimator, DATA)
    assert vars(estimator) == before
    with pytest.raises(NotFittedError):
        estimator.predict(DATA.drop(columns="y"))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), np.linalg.LinAlgError(), ValueError()])
def test_a_refit_that_broke_off_leaves_the_earlier_fit(estimator, monkeypatch, error):
    X = DATA.drop(columns="y")
    fit(estimator, DATA)
    before, predicted = dict(vars(estimator)), estimator.predict(X)
    break_fits(monkeypatch, error)
    with pytest.raises(type(error)):
        fit(estimator, SMALLER)
    assert vars(estimator) == before
    np.testing.assert_array_equal(estimator.predict(X), predicted)


@pytest.mark.filterwarnings("error::skmixed.SingularFitWarning")
def test_a_warning_that_is_an_error_leaves_the_earlier_fit():
    model = RandomInterceptRegressor("g")
    fit(model, DATA)
    fitted = model.lmm_fit_
    with pytest.raises(Warning, match="'g' is estimated as 0"):
        fit(model, SMALLER.assign(y=np.arange(30) % 5 - SMALLER["x"]))
    assert model.lmm_fit_ is fitted
    assert model.n_features_in_ == 3


def test_what_could_not_be_read_leaves_the_earlier_fit(estimator):
    fit(estimator, DATA)
    before = dict(vars(estimator))
    for data in (SMALLER.assign(y=np.nan), SMALLER.iloc[:0]):
        with pytest.raises(ValueError, match=r"NaN|0 sample|0 rows"):
            fit(estimator, data)
        assert vars(estimator) == before


def test_adapt_that_broke_off_leaves_the_fit(monkeypatch):
    model = RandomInterceptRegressor("g")
    fit(model, SMALLER)
    before = dict(vars(model))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RandomInterceptRegressor, "_keep_fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.adapt(DATA[["x", "g"]], DATA["y"])
    assert vars(model) == before


def test_columns_of_an_earlier_fit_are_forgotten():
    """A mapping of columns is not counted and named as a data frame is."""
    model = MixedLM(formula="y ~ x + (1 | g)").fit(DATA)
    model.fit({name: SMALLER[name].to_numpy() for name in SMALLER})
    assert not hasattr(model, "feature_names_in_")
    outer = GroupConformalRegressor(RandomInterceptRegressor("g"), random_state=0)
    fit(outer, DATA)
    outer.set_params(estimator=LinearRegression(), groups=1)
    outer.fit(SMALLER[["x", "g"]].to_numpy(), SMALLER["y"])
    assert outer.n_features_in_ == 2
    assert not hasattr(outer, "feature_names_in_")


def test_what_a_subclass_sets_before_fit_stays():
    class Noting(MixedLM):
        def fit(self, X, y=None, **arguments):
            self.note_ = "seen"
            return super().fit(X, y, **arguments)

    model = Noting("g")
    assert fit(model, DATA) is model
    assert model.note_ == "seen"
