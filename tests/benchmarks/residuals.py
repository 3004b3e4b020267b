"""Compare residual structures with nlme, glmmTMB and interlace-lme, and see how they grow.

Run on demand: ``python tests/benchmarks/residuals.py [CASE ...]``; ``--list`` names the cases.
Every library fits the same data in the same run. Times are medians of warm fits, measured within
the process that fits; R needs ``Rscript`` with nlme and glmmTMB. ``--before CHECKOUT`` compares
models without a residual structure with an earlier version of skmixed. The first three cases and
the trials need the shared data (SKMIXED_SHARED).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy, make_crossed_regression

SHARED = Path(os.environ.get("SKMIXED_SHARED", Path(__file__).parents[3] / "shared"))
# Formula, residual structure and data of what other libraries fit too.
COMPARED = {
    "ar1": ("gpa ~ occasion + (1 | student)", "ar1(occasion | student)", "gpa"),
    "ar1 x heterogeneous": (
        "gpa ~ occasion + (1 | student)",
        "ar1h(occasion | student)",
        "gpa",
    ),
    "unstructured": ("distance ~ ageC * Sex", "us(age | Subject)", "Orthodont"),
}
TRIALS = {
    "trial of 200 x 4": ("FEV1 ~ RACE + SEX + ARMCD * AVISIT", "fev"),
    "trial of 1,000 x 10": ("BCVA_CHG ~ BCVA_BL + RACE + ARMCD * AVISIT", "bcva"),
}
# Rows and series of an autoregression.
SERIES = {
    "ar1, 1e5 rows": (100_000, 1_000),
    "ar1, 1e6 rows": (1_000_000, 10_000),
    "one series of 1e5 rows": (100_000, 1),
}
PLAIN = "models without a residual structure"
NAMES = (*COMPARED, *TRIALS, *SERIES, PLAIN)


def main() -> None:
    """Run the cases that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CASE", default=NAMES)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--seconds", type=float, default=2.0, help="room for the fits of a case")
    parser.add_argument("--repeats", type=int, default=5, help="fits by R")
    parser.add_argument("--before", type=Path, help="checkout of an earlier version")
    parser.add_argument("--only-plain", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only_plain:
        print(json.dumps(plain_models(options.seconds)))
        return
    for name in options.names if not options.list else NAMES:
        if options.list:
            print(name)
        elif name in COMPARED:
            show(name, compared(name, options))
        elif name in TRIALS:
            show(name, trial(name, options.seconds))
        elif name in SERIES:
            show(name, series(name, options.seconds))
        else:
            show(name, before_and_after(options))


def show(title: str, rows: dict[str, Any]) -> None:
    """Print what was measured."""
    table = pd.DataFrame.from_dict(rows, orient="index")
    print(f"{title}\n{table.to_string(float_format='{:.6g}'.format)}\n", flush=True)


def warm(fit: Callable[[], Any], seconds: float) -> tuple[float, Any]:
    """Return the median time of as many fits as some seconds have room for, at least three."""
    fitted = fit()
    times: list[float] = []
    while len(times) < 3 or (sum(times) < seconds and len(times) < 200):
        start = time.perf_counter()
        fitted = fit()
        times.append(time.perf_counter() - start)
    return statistics.median(times), fitted


def compared(name: str, options: argparse.Namespace) -> dict[str, Any]:
    """Fit a model with every library that has it."""
    formula, residual, data_name = COMPARED[name]
    data = pd.read_csv(SHARED / "data" / f"{data_name}.csv")
    seconds, results = warm(lambda: mixedlm(formula, data, residual=residual), options.seconds)
    rows = {"skmixed": {"seconds": seconds, "llf": results.llf}}
    rows |= by_r(name, data, options.repeats)
    if name == "ar1":
        rows |= by_interlace(data, options.seconds)
    for row in rows.values():
        row["ratio"] = seconds / row["seconds"]
        row["llf - ours"] = row["llf"] - results.llf
    return rows


def by_r(name: str, data: pd.DataFrame, repeats: int) -> dict[str, Any]:
    """Fit a case by nlme and glmmTMB."""
    if shutil.which("Rscript") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.csv"
        data.to_csv(path, index=False)
        script = Path(__file__).with_name("residuals.R")
        command = ["Rscript", str(script), name, str(path), str(repeats)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {key: value for key, value in json.loads(done.stdout).items() if value is not None}


def by_interlace(data: pd.DataFrame, seconds: float) -> dict[str, Any]:
    """Fit AR1 beside a random intercept by interlace-lme."""
    if importlib.util.find_spec("interlace") is None:
        return {}
    interlace = importlib.import_module("interlace")

    def fit() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return interlace.fit(
                "gpa ~ occasion",
                data,
                groups="student",
                correlation=interlace.AR1(time="occasion"),
            )

    taken, fitted = warm(fit, seconds)
    return {"interlace-lme": {"seconds": taken, "llf": float(fitted.llf)}}


def trial(name: str, seconds: float) -> dict[str, Any]:
    """Fit a trial with an unstructured covariance, and test its coefficients."""
    formula, data_name = TRIALS[name]
    data = pd.read_csv(SHARED / "data" / f"{data_name}.csv")
    data = data.dropna(subset=formula.split(" ~ ")[0])

    def fit() -> Any:
        return mixedlm(formula, data, residual="us(AVISIT | USUBJID)")

    def tested() -> Any:
        return fit().with_df_method("kenward-roger").tidy()

    alone, results = warm(fit, seconds)
    together, _ = warm(tested, seconds)
    return {
        "fit": {"seconds": alone, "llf": results.llf},
        "fit and Kenward-Roger": {"seconds": together, "llf": results.llf},
    }


def series(name: str, seconds: float) -> dict[str, Any]:
    """Fit an autoregression of many rows."""
    n_rows, n_series = SERIES[name]
    data = autoregression(n_rows, n_series)
    taken, results = warm(lambda: mixedlm("y ~ x", data, residual="ar1(time | g)"), seconds)
    phi = results.residual_parameters["phi"]
    return {
        "skmixed": {"seconds": taken, "phi": phi, "evaluations": results.fit.convergence.n_iter}
    }


def autoregression(n_rows: int, n_series: int) -> pd.DataFrame:
    """Simulate series with phi = 0.6."""
    rng = np.random.default_rng(0)
    length = n_rows // n_series
    shocks = rng.normal(size=(length, n_series))
    e = np.empty_like(shocks)
    e[0] = shocks[0] / 0.8
    for t in range(1, length):
        e[t] = 0.6 * e[t - 1] + shocks[t]
    x = rng.normal(size=n_rows)
    return pd.DataFrame(
        {
            "y": 1.0 + x + e.T.ravel(),
            "x": x,
            "time": np.tile(np.arange(length), n_series),
            "g": np.repeat(np.arange(n_series), length),
        }
    )


def before_and_after(options: argparse.Namespace) -> dict[str, Any]:
    """Fit models without a residual structure by this version, and by an earlier one in turns."""
    checkouts = {"after": Path(__file__).parents[2]}
    if options.before is not None:
        checkouts["before"] = options.before.resolve()
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(3):
        for name, checkout in checkouts.items():
            command = [sys.executable, __file__, "--only-plain", "--seconds", str(options.seconds)]
            environment = {**os.environ, "PYTHONPATH": str(checkout)}
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment
            )
            rounds[name].append(json.loads(done.stdout))
    return {
        model: {name: min(one[model] for one in found) for name, found in rounds.items()}
        for model in rounds["after"][0]
    }


def plain_models(seconds: float) -> dict[str, float]:
    """Time fits with independent residuals of one variance."""
    sleep = load_sleepstudy()
    X, y, groups = make_crossed_regression(n_samples=20_000, n_levels=(500, 50), random_state=0)
    crossed = pd.DataFrame({"y": y, "x": X[:, 0], "a": groups[:, 0], "b": groups[:, 1]})
    fits = {
        "sleepstudy": lambda: mixedlm("Reaction ~ Days + (Days | Subject)", sleep),
        "sleepstudy, Satterthwaite": lambda: mixedlm(
            "Reaction ~ Days + (Days | Subject)", sleep
        ).tidy(),
        "crossed": lambda: mixedlm("y ~ x + (1 | a) + (1 | b)", crossed),
    }
    return {name: warm(fit, seconds)[0] for name, fit in fits.items()}


if __name__ == "__main__":
    main()
