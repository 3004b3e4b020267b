"""Fit a generalised model by one library of Python; print one line of JSON.

Run as ``python generalised_fits.py ROWS LIBRARY FORMULA FAMILY SECONDS``.
"""

from __future__ import annotations

import gc
import importlib
import json
import re
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import memory
import numpy as np
import pandas as pd

__all__ = ["WAYS"]

# A call that fits, and one that reads log-likelihood and coefficients off the fit.
Fit = tuple[Callable[[], Any], Callable[[Any], tuple[float, Any]]]


def _skmixed(rows: pd.DataFrame, formula: str, family: str) -> Fit:
    mixedglm = importlib.import_module("skmixed").mixedglm
    return (
        lambda: mixedglm(formula, rows, family=family),
        lambda fitted: (fitted.llf, _in_order(fitted.params.index, fitted.params)),
    )


def _glmm(rows: pd.DataFrame, formula: str, family: str) -> Fit:
    return _by_glmm(rows, formula, family)


def _glmm_alone(rows: pd.DataFrame, formula: str, family: str) -> Fit:
    """By default a Poisson model is refitted without each of its terms, to test them."""
    return _by_glmm(rows, formula, family, anova_test="Wald")


def _by_glmm(rows: pd.DataFrame, formula: str, family: str, **options: Any) -> Fit:
    glmm = importlib.import_module("glmm")
    return (
        lambda: glmm.fit(rows, formula, family, **options),
        lambda fitted: (fitted.loglik, _in_order(fitted.names, fitted.beta)),
    )


def _mixedlm(rows: pd.DataFrame, formula: str, family: str) -> Fit:
    mixedlm = importlib.import_module("mixedlm")
    law = getattr(mixedlm.families, family.capitalize())()
    return (
        lambda: mixedlm.glmer(formula.replace("^", "**"), rows, law),
        lambda fitted: (
            float(fitted.logLik().value),
            _in_order(fitted.fixef(), fitted.fixef().values()),
        ),
    )


def _gpboost(rows: pd.DataFrame, formula: str, family: str) -> Fit:
    gpboost = importlib.import_module("gpboost")
    patsy = importlib.import_module("patsy")
    fixed = formula.partition(" + (")[0].replace("^", "**")
    likelihood = {"binomial": "bernoulli_logit", "poisson": "poisson"}[family]
    groups = re.findall(r"\| (\w+)\)", formula)

    def fit() -> Any:
        y, X = patsy.dmatrices(fixed, rows, return_type="dataframe")
        model = gpboost.GPModel(group_data=rows[groups].to_numpy(), likelihood=likelihood)
        model.names = X.columns
        return model.fit(y=y.to_numpy().ravel(), X=X.to_numpy())

    def answer(model: Any) -> tuple[float, Any]:
        llf = -float(model.get_current_neg_log_likelihood())
        return llf, _in_order(model.names, np.ravel(model.get_coef()))

    return fit, answer


def _in_order(names: Any, values: Any) -> list[float]:
    """Return coefficients by the alphabet of what libraries agree on in their names."""
    keys = [re.sub(r"\[T\.|[\]\[() ]", "", str(name)).replace("**", "^") for name in names]
    return [float(value) for _, value in sorted(zip(keys, values, strict=True))]


WAYS = {
    "skmixed": _skmixed,
    "glmm": _glmm,
    "glmm without tests": _glmm_alone,
    "gpboost": _gpboost,
    "mixedlm": _mixedlm,
}


def timed(fit: Callable[[], Any], room: float) -> tuple[float, Any]:
    """Return the median time of the fits that there is room for after the first; or its time."""
    times: list[float] = []
    while not times or (times[0] < room and (len(times) < 4 or sum(times) < room)):
        start = time.perf_counter()
        fitted = fit()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:] or times), fitted


def main() -> None:
    """Measure one library."""
    path, library, formula, family, room = sys.argv[1:]
    rows = pd.read_pickle(path)
    warnings.simplefilter("ignore")
    fit, answer = WAYS[library](rows, formula, family)
    gc.collect()
    loaded = memory.resident()
    memory.forget_peak()
    seconds, fitted = timed(fit, float(room))
    increase = memory.peak() - loaded
    llf, beta = answer(fitted)
    report = {"seconds": seconds, "increase": increase, "llf": llf, "beta": beta}
    print(json.dumps(report, default=float))


if __name__ == "__main__":
    main()
