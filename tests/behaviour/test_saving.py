"""Models that skops, pickle, joblib or copy saves and loads predict the same."""

from __future__ import annotations

import copy
import io
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skmixed
from skmixed import (
    GroupConformalRegressor,
    MixedGLM,
    MixedLM,
    MixedLogisticRegression,
    RandomInterceptRegressor,
    mixedlm,
)

COLUMNS = ["x1", "x2", "school", "year"]
SLOPES = ["x1", "x2"]


def by_skops(model: Any) -> Any:
    """Save with skops, trusting what it lists, which has to be of skmixed alone."""
    skops = pytest.importorskip("skops.io")
    saved = skops.dumps(model)
    types = skops.get_untrusted_types(data=saved)
    assert [name for name in types if not name.startswith("skmixed.")] == []
    return skops.loads(saved, trusted=types)


def by_joblib(model: Any) -> Any:
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    return joblib.load(buffer)


def by_oldest_pickle(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model, protocol=0))


def by_pickle(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


COPIES = [by_skops, by_joblib, by_oldest_pickle, copy.deepcopy]


@pytest.fixture
def rows(data: pd.DataFrame) -> pd.DataFrame:
    """Return the data with a second factor, a category and weights."""
    n = np.arange(len(data))
    return data.assign(year=2000 + n % 6, sex=np.where(n % 3, "f", "m"), w=1 + n % 4)


def columns(model: Any) -> Callable[[pd.DataFrame], Any]:
    return lambda rows: model.fit(rows[COLUMNS], rows["y"])


def formula(text: str) -> Callable[[pd.DataFrame], Any]:
    return lambda rows: MixedLM(formula=text).fit(rows)


def structure(name: str, **options: Any) -> Callable[[pd.DataFrame], Any]:
    return columns(MixedLM("school", random_slopes=SLOPES, covariance=name, **options))


FITS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "random intercept": columns(RandomInterceptRegressor("school")),
    "not fitted": lambda _: MixedLM("school", random_slopes="x1"),
    "no groups": lambda rows: RandomInterceptRegressor().fit(rows[SLOPES], rows["y"]),
    "array": lambda rows: MixedLM(random_slopes=0).fit(
        rows[SLOPES].to_numpy(), rows["y"], groups=rows["school"].to_numpy()
    ),
    "one label a row": lambda rows: RandomInterceptRegressor().fit(
        rows[SLOPES].to_numpy(), rows["y"], groups=np.arange(len(rows))
    ),
    "constant response": lambda rows: MixedLM("school").fit(rows[COLUMNS], 0 * rows["y"] + 1),
    "crossed": columns(MixedLM(["school", "year"], random_slopes={"school": "x1"})),
    "nested": columns(MixedLM("school/year")),
    "iterative": columns(MixedLM(["school", "year"], solver="iterative")),
    "unstructured": structure("unstructured"),
    "diagonal": structure("diagonal"),
    "identity": structure("identity"),
    "compound symmetry": structure("compound_symmetry"),
    "ar1": structure("ar1", random_intercept=False),
    "frequencies": lambda rows: MixedLM("school", weight_type="frequency").fit(
        rows[COLUMNS], rows["y"], sample_weight=rows["w"]
    ),
    "sampling": lambda rows: MixedLM("school", weight_type="sampling", method="ml").fit(
        rows[COLUMNS], rows["y"], sample_weight=rows["w"]
    ),
    "adapted": lambda rows: (
        MixedLM("school")
        .fit(rows[COLUMNS].iloc[:80], rows["y"].iloc[:80])
        .adapt(rows[COLUMNS].iloc[80:], rows["y"].iloc[80:])
    ),
    "pipeline": lambda rows: make_pipeline(
        StandardScaler().set_output(transform="pandas"), MixedLM("year")
    ).fit(rows[["x1", "x2", "year"]], rows["y"]),
    "conformal, cross": columns(GroupConformalRegressor(MixedLM("school"), random_state=0)),
    "conformal, split": columns(
        GroupConformalRegressor(
            RandomInterceptRegressor("school"),
            method="split",
            random_state=np.random.RandomState(0),
        )
    ),
    "scale": formula("scale(y) ~ scale(x1) + center(x2) + (scale(x1) | school)"),
    "splines": formula("y ~ bs(x1, df=4) + cr(x2, df=3) + poly(x1, 2) + (1 | school)"),
    "categories": formula("y ~ sex * x1 + C(year) + factor(sex):x2 + (0 + sex | school)"),
    "contrasts": formula("y ~ C(sex, Treatment('m')) + C(year, Sum) + C(w, Poly) + (1 | school)"),
    "functions": formula("y ~ log(x1 + 9) + np.exp(x2) + I(x1**2) + offset(x2) + (1 | school)"),
    "formula, crossed": formula("y ~ x1 + (x1 || school) + (1 | year:sex)"),
    "classifier": lambda rows: MixedLogisticRegression("school", class_weight="balanced").fit(
        rows[COLUMNS], np.where(rows["y"] > 1, "high", "low")
    ),
    "classifier, formula": lambda rows: MixedLogisticRegression(
        formula="high ~ scale(x1) + (1 | school)", link="cloglog", penalty=0.1
    ).fit(rows.assign(high=np.where(rows["y"] > 1, "yes", "no"))),
    "counts": lambda rows: MixedGLM(
        ["school", "year"], family="poisson", zero_inflation="~ x1"
    ).fit(rows[COLUMNS], rows["w"] - 1),
    "dispersion": lambda rows: MixedGLM(
        formula="w ~ x1 + (1 | school)", family="negative_binomial_1", dispersion="~ sex"
    ).fit(rows),
    "tensor": formula("y ~ te(cr(x1, df=3), cc(x2, df=3)) + (1 | school)"),
}


def answers(name: str, model: Any, rows: pd.DataFrame) -> list[np.ndarray]:
    """Return what the model predicts, in all ways that it has."""
    if name == "not fitted":
        return []
    if name == "pipeline":
        return [model.predict(rows[["x1", "x2", "year"]])]
    X: Any = rows if getattr(model, "formula", None) else rows[COLUMNS]
    labels = {}
    if name in {"no groups", "array", "one label a row"}:
        X = rows[SLOPES] if name == "no groups" else rows[SLOPES].to_numpy()
        labels = {} if name == "no groups" else {"groups": rows["school"].to_numpy()}
    if isinstance(model, GroupConformalRegressor):
        return [model.predict(X), model.predict_interval(X, coverage=0.5)]
    if isinstance(model, MixedLogisticRegression):
        return [model.predict(X), model.predict_log_proba(X), model.predict_link(X)]
    return [
        model.predict(X, return_std=True, **labels)[1],
        model.predict(X, include_random_effects=False),
        model.predict_interval(X, **labels),
    ]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FITS)
def test_predictions_are_the_same_to_the_last_digit(name: str, rows: pd.DataFrame) -> None:
    model = FITS[name](rows)
    size = len(pickle.dumps(model))
    copies = [by_skops(model), by_pickle(model)]
    expected = answers(name, model, rows)
    assert len(pickle.dumps(model)) == size
    for other in [*copies, *(copied(model) for copied in COPIES)]:
        for got, wanted in zip(answers(name, other, rows), expected, strict=True):
            assert_array_equal(got, wanted)


LABELS: dict[str, Callable[[np.ndarray], Any]] = {
    "text of NumPy": lambda codes: np.array([f"s{c}" for c in codes]),
    "text as objects": lambda codes: np.array([f"s{c}" for c in codes], dtype=object),
    "text of pandas": lambda codes: pd.Series([f"s{c}" for c in codes]),
    "string": lambda codes: pd.array([f"s{c}" for c in codes], dtype="string"),
    "strange text": lambda codes: np.array([f"\u00b5\0{c}\0" for c in codes], dtype=object),
    "int": lambda codes: codes,
    "uint64": lambda codes: np.uint64(2**64 - 20) + codes.astype(np.uint64),
    "Int64": lambda codes: pd.array(codes, dtype="Int64"),
    "float": lambda codes: codes / 2,
    "bool": lambda codes: codes % 2 == 0,
    "boolean": lambda codes: pd.array(codes % 2 == 0, dtype="boolean"),
    "category": lambda codes: pd.Categorical([f"s{c}" for c in codes]),
    "category of numbers": pd.Categorical,
    "datetime": lambda codes: pd.Timestamp("2020-02-29") + pd.to_timedelta(codes, "D"),
    "zoned datetime": lambda codes: (
        pd.Timestamp("2020-03-29", tz="Europe/Vienna") + pd.to_timedelta(codes, "h")
    ),
    "timedelta": lambda codes: pd.to_timedelta(codes, "D"),
    "date": lambda codes: (pd.Timestamp("2020-02-29") + pd.to_timedelta(codes, "D")).date,
    "period": lambda codes: pd.PeriodIndex.from_ordinals(600 + codes, freq="M"),
    "mixed": lambda codes: np.array([int(c) if c % 2 else f"s{c}" for c in codes], dtype=object),
    "tuple": lambda codes: pd.Series([(int(c), "a") for c in codes]).array,
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("copied", [by_skops, by_pickle])
def test_labels_of_every_type_are_loaded_as_they_were(copied, kind: str, data) -> None:
    X, labels = data[SLOPES], LABELS[kind](data["school"].str[1:].astype(int).to_numpy())
    model = RandomInterceptRegressor().fit(X, data["y"], groups=labels)
    expected = model.predict(X, groups=labels)
    other = copied(model)
    assert_array_equal(other.predict(X, groups=labels), expected)
    assert_frame_equal(other.random_effects_["groups"], model.random_effects_["groups"])


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_adding_rows_goes_on_after_loading(rows: pd.DataFrame) -> None:
    model = MixedLM(formula="y ~ scale(x1) + (1 | school) + (1 | year)").fit(rows.iloc[:60])
    other = by_skops(model).adapt(rows.iloc[60:])
    assert_array_equal(other.predict(rows), model.adapt(rows.iloc[60:]).predict(rows))


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_models_are_loaded_in_a_fresh_process(rows: pd.DataFrame, tmp_path: Path) -> None:
    skops = pytest.importorskip("skops.io")
    text = rows.assign(school=rows["school"].astype("string"))
    models = [
        MixedLM("school").fit(text[["x1", "school"]], text["y"]),
        MixedLM(formula="y ~ bs(x1, df=4) + sex + (x1 | school) + (1 | year)").fit(text),
    ]
    expected = [
        model.predict(text) if model.formula else model.predict(text[["x1", "school"]])
        for model in models
    ]
    rows.to_pickle(tmp_path / "rows")
    (tmp_path / "pickled").write_bytes(pickle.dumps(models))
    for i, model in enumerate(models):
        skops.dump(model, tmp_path / f"{i}.skops")
    np.save(tmp_path / "expected.npy", expected)
    code = """
import pickle, sys
from pathlib import Path
import numpy as np, pandas as pd, skops.io
folder = Path(sys.argv[1])
rows = pd.read_pickle(folder / "rows")
files = [folder / "0.skops", folder / "1.skops"]
models = [skops.io.load(f, trusted=skops.io.get_untrusted_types(file=f)) for f in files]
for one, other in (models, pickle.loads((folder / "pickled").read_bytes())):
    got = [one.predict(rows[["x1", "school"]]), other.predict(rows)]
    assert np.array_equal(got, np.load(folder / "expected.npy"))
"""
    root = Path(skmixed.__file__).parents[1]
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=True)


@pytest.mark.parametrize(
    "results",
    [
        lambda rows: mixedlm("y ~ scale(x1) + np.log(x2 + 9) + (x1 | school)", rows),
        lambda rows: MixedLM("school").fit(rows[COLUMNS], rows["y"]).results_,
    ],
    ids=["mixedlm", "estimator"],
)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_results_are_pickled(results: Callable[[pd.DataFrame], Any], rows: pd.DataFrame) -> None:
    before = results(rows)
    text, predicted = str(before.summary()), before.predict(rows[[*COLUMNS]])
    after = by_pickle(before)
    assert str(after.summary()) == text
    assert_array_equal(after.predict(rows[[*COLUMNS]]), predicted)
    assert len(pickle.dumps(results(rows))) == len(pickle.dumps(before))


def test_a_function_of_the_user_is_listed_for_review(rows: pd.DataFrame) -> None:
    skops = pytest.importorskip("skops.io")
    scope = {"cut": pd.cut, "pd": pd}
    results = mixedlm("y ~ cut(x1, 3) + pd.Series(x2) + (1 | school)", rows, environment=scope)
    saved = skops.dumps(replace(results.fitted_model, rows=None))
    types = skops.get_untrusted_types(data=saved)
    assert {"importlib.import_module", "functools.partial"} < set(types)
    assert any(name.endswith(".cut") for name in types)
    other = skops.loads(saved, trusted=types)
    assert_array_equal(other.predict(rows), results.predict(rows))
