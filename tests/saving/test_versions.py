"""What another version of skmixed does with a saved model."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import joblib
import numpy as np
import pytest
import sklearn.exceptions
from sklearn.base import clone

from skmixed import (
    GroupConformalRegressor,
    InconsistentVersionWarning,
    MixedLM,
    RandomInterceptRegressor,
    mixedlm,
)
from skmixed.datasets import load_sleepstudy
from skmixed.saving import versions

DATA = load_sleepstudy()
X, Y = DATA[["Days", "Subject"]], DATA["Reaction"]
SAVED = [
    MixedLM("Subject"),
    MixedLM("Subject").fit(X, Y),
    RandomInterceptRegressor("Subject").fit(X, Y),
    GroupConformalRegressor(MixedLM("Subject")),
    mixedlm("Reaction ~ Days + (1 | Subject)", DATA),
]


@pytest.mark.parametrize("model", SAVED, ids=lambda model: type(model).__name__)
def test_the_version_is_saved_and_its_own_version_says_nothing(model):
    state = model.__getstate__()
    assert state["_skmixed_version"] == versions.__version__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        other = pickle.loads(pickle.dumps(model))
        copy.deepcopy(model)
    assert not [name for name in vars(other) if name.startswith("_skmixed")]


@pytest.mark.parametrize("model", SAVED, ids=lambda model: type(model).__name__)
def test_another_version_warns(model, monkeypatch):
    saved = pickle.dumps(model)
    monkeypatch.setattr(versions, "__version__", "9.1")
    with pytest.warns(InconsistentVersionWarning, match=r"saved by .* loaded by version 9\.1"):
        pickle.loads(saved)
    assert issubclass(InconsistentVersionWarning, sklearn.exceptions.InconsistentVersionWarning)


def through_joblib(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return lambda: joblib.load(buffer)


def through_skops(model):
    skops = pytest.importorskip("skops.io")
    saved = skops.dumps(model)
    types = skops.get_untrusted_types(data=saved)
    return lambda: skops.loads(saved, trusted=types)


@pytest.mark.parametrize("saved", [through_joblib, through_skops])
def test_the_warning_points_to_the_line_that_loads(saved, monkeypatch):
    load = saved(SAVED[1])
    monkeypatch.setattr(versions, "__version__", "9.1")
    with pytest.warns(InconsistentVersionWarning) as found:
        load()
    assert {warning.filename for warning in found} == {__file__}


@pytest.mark.filterwarnings("ignore::skmixed.InconsistentVersionWarning")
def test_a_model_of_another_version_predicts(monkeypatch):
    model = SAVED[1]
    saved = pickle.dumps(model)
    monkeypatch.setattr(versions, "__version__", "9.1")
    assert np.array_equal(pickle.loads(saved).predict(X), model.predict(X))


@pytest.mark.parametrize("model", SAVED, ids=lambda model: type(model).__name__)
def test_another_layout_is_refused(model, monkeypatch):
    saved = pickle.dumps(model)
    layout = versions.LAYOUT
    monkeypatch.setattr(versions, "LAYOUT", layout + 1)
    message = f"cannot read it: its layout is number {layout}, expected {layout + 1}"
    with pytest.raises(ValueError, match=message):
        pickle.loads(saved)


def test_a_model_without_a_version_is_refused():
    state = {
        name: value for name, value in SAVED[1].__getstate__().items() if "skmixed" not in name
    }
    with pytest.raises(ValueError, match="saved by version unknown of skmixed"):
        clone(SAVED[0]).__setstate__(state)
