"""What tables of the guide say of warnings, errors and numbers of parameters."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

import skmixed
from skmixed import (
    MixedLM,
    MixedLogisticRegression,
    RandomInterceptRegressor,
    mixedglm,
    mixedlm,
)
from skmixed.datasets import load_sleepstudy, make_mixed_regression
from skmixed.design.response import response_of_values
from skmixed.inference import conditional_aic
from skmixed.residual import AR1, CompoundSymmetry

from .tables import code, tables

WARNINGS, ERRORS = tables("guide/warnings.md")
STRUCTURES = tables("guide/first-fit.md")[0]
FRAME = make_mixed_regression(
    15, 8, beta=[1.0, 2.0, 0.5], re_cov=4.0, as_frame=True, random_state=0
)
ARRAYS = (FRAME[["x1", "x2"]].to_numpy(), FRAME["y"].to_numpy())
LABELS = FRAME["group"].to_numpy()
YES = (FRAME["y"] > FRAME["y"].median()).to_numpy(dtype=int)


def fitted() -> RandomInterceptRegressor:
    """Return a model that was fitted with labels as an array."""
    return RandomInterceptRegressor().fit(*ARRAYS, groups=LABELS)


def load_from_another_version() -> None:
    """Load a model that says that another version has saved it."""
    state = fitted().__getstate__()
    RandomInterceptRegressor().__setstate__({**state, "_skmixed_version": "0.0"})


def with_column(column: np.ndarray, **options: object) -> MixedLM:
    """Fit with one more column."""
    X = pd.DataFrame({"x1": FRAME["x1"], "extra": column, "group": LABELS})
    return MixedLM("group", **options).fit(X, FRAME["y"])


# One partition of the rows under two names.
TWO_NAMES = pd.DataFrame({"y": ARRAYS[1], "g": LABELS, "h": -LABELS})

GIVE_WARNING: dict[str, Callable[[], object]] = {
    "NoGroupsWarning": lambda: RandomInterceptRegressor().fit(*ARRAYS),
    "GroupsNotPassedWarning": lambda: fitted().predict(ARRAYS[0]),
    "GroupDtypeWarning": lambda: fitted().predict(ARRAYS[0], groups=LABELS.astype(str)),
    "SingularFitWarning": lambda: RandomInterceptRegressor().fit(
        *ARRAYS, groups=np.arange(len(LABELS))
    ),
    "FractionalResponseWarning": lambda: response_of_values(np.array([0.5]), outcome="counts"),
    "InconsistentVersionWarning": load_from_another_version,
    "cannot tell apart": lambda: mixedlm("y ~ 1 + (1 | g) + (1 | h)", TWO_NAMES),
    "explain y exactly": lambda: RandomInterceptRegressor().fit(
        ARRAYS[0], np.cos(LABELS), groups=LABELS
    ),
    "ConvergenceWarning": lambda: MixedLM(random_slopes=[0, 1], max_iter=1).fit(
        *ARRAYS, groups=LABELS
    ),
    "rank deficient": lambda: with_column(2 * FRAME["x1"].to_numpy()),
    "do not vary within any group": lambda: with_column(
        np.cos(LABELS).astype(float), random_slopes="extra"
    ),
    "already has the covariances": lambda: mixedlm(
        "y ~ 1 + (1 | g)", TWO_NAMES, residual=CompoundSymmetry()
    ),
    "do not determine these parameters": lambda: mixedlm(
        "y ~ 1", TWO_NAMES.assign(row=range(len(TWO_NAMES))), residual=AR1(group="row")
    ),
    "run off towards infinity": lambda: MixedLogisticRegression("group").fit(
        FRAME[["x1", "group"]].assign(known=YES), YES
    ),
    "the same within every group": lambda: mixedglm(
        "y ~ 1 + (1 | g)", TWO_NAMES.assign(y=LABELS % 2)
    ),
    "runs off to": lambda: mixedglm(
        "y ~ 1 + (1 | g)", TWO_NAMES.assign(y=YES + 2), family="negative_binomial"
    ),
    "All variances are 0": lambda: RandomInterceptRegressor().fit(
        ARRAYS[0], np.ones(len(LABELS)), groups=LABELS
    ),
}


# Factors that hardly meet make the iterative kernel warn; no small data do that.
TRIED = [row for row in WARNINGS[1:] if "Monte-Carlo" not in row[0]]


@pytest.mark.parametrize("row", TRIED, ids=lambda row: row[0])
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_warning_of_the_table(row):
    """The case that the row describes gives the warning that it names."""
    quoted = re.search(r'"(.+)"', row[0])
    name, key = code(row[0])[0], quoted[1] if quoted else code(row[0])[0]
    category = {"UserWarning": UserWarning, "ConvergenceWarning": ConvergenceWarning}.get(name)
    with pytest.warns(category or getattr(skmixed, name), match=quoted and quoted[1]):
        GIVE_WARNING[key]()


def nan_in_x() -> None:
    """Fit with a missing value."""
    X = ARRAYS[0].copy()
    X[0, 0] = np.nan
    RandomInterceptRegressor().fit(X, ARRAYS[1], groups=LABELS)


def nan_in_groups() -> None:
    """Fit with a missing label."""
    RandomInterceptRegressor().fit(*ARRAYS, groups=np.r_[np.nan, LABELS[1:]])


def labels_twice() -> None:
    """Name a column, and pass labels."""
    RandomInterceptRegressor("group").fit(FRAME[["x1", "group"]], FRAME["y"], groups=LABELS)


def unknown_group() -> None:
    """Predict for a group that was not fitted, where that is an error."""
    model = RandomInterceptRegressor(unseen_groups="error").fit(*ARRAYS, groups=LABELS)
    model.predict(ARRAYS[0], groups=LABELS + 1)


GIVE_ERROR: dict[str, Callable[[], object]] = {
    "Input X contains NaN.": nan_in_x,
    "groups contains NaN": nan_in_groups,
    "Labels were given twice": labels_twice,
    "rows that are correlated in time need distinct times": lambda: mixedlm(
        "y ~ 1 + (1 | g)", TWO_NAMES.assign(time=1), residual=AR1("time")
    ),
    "Found unknown groups": unknown_group,
    "Did you mean (Days | Subject)": lambda: mixedlm(
        "Reaction ~ Days + (Subject | Days)", load_sleepstudy()
    ),
    "Choose another unit": lambda: RandomInterceptRegressor().fit(
        ARRAYS[0], 1e160 * ARRAYS[1], groups=LABELS
    ),
    "must be positive": lambda: mixedglm("y ~ 1 + (1 | g)", TWO_NAMES, family="gamma"),
    "expected 0 and 1, or proportions of successes": lambda: mixedglm(
        "y ~ 1 + (1 | g)", TWO_NAMES.assign(y=YES + 1)
    ),
    "has 3 labels": lambda: mixedglm("y ~ 1 + (1 | g)", TWO_NAMES.assign(y=list("abc") * 40)),
    "needs the log link": lambda: mixedglm(
        "y ~ 1 + (1 | g)", TWO_NAMES.assign(y=YES), exposure=np.ones(len(YES))
    ),
    "needs a single grouping factor": lambda: mixedglm(
        "y ~ 1 + (1 | g) + (1 | k)",
        TWO_NAMES.assign(y=YES, k=np.arange(len(YES)) % 7),
        n_quadrature=5,
    ),
    "needs a linear mixed model": lambda: conditional_aic(
        mixedglm("y ~ 1 + (1 | g)", TWO_NAMES.assign(y=YES))
    ),
    "hold text": lambda: with_column(np.array(["a", "b"])[LABELS % 2]),
}


@pytest.mark.parametrize("row", ERRORS[1:], ids=lambda row: row[0])
def test_error_of_the_table(row):
    message = re.search(r'"(.+)"', row[0])[1].replace("\\|", "|")
    with pytest.raises(ValueError, match=re.escape(message)):
        GIVE_ERROR[message]()


@pytest.mark.parametrize("row", STRUCTURES[1:], ids=lambda row: row[0])
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_parameters_of_a_structure(row):
    """As many parameters as the table says, for three effects of a group."""
    expected = {"$k (k + 1) / 2$": 6, "$k$": 3, "1": 1, "$k + 1$": 4, "2": 2}[row[2]]
    for name in code(row[0]):
        ordered = name == '"ar1"'
        slopes = [0, 1, 2] if ordered else [0, 1]
        X = np.random.default_rng(0).normal(size=(120, 3))
        model = MixedLM(
            random_slopes=slopes, random_intercept=not ordered, covariance=name.strip('"')
        )
        assert len(model.fit(X, X.sum(axis=1) + ARRAYS[1], groups=LABELS).theta_) == expected
