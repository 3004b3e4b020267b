"""Time inference of skmixed: run as ``python inference_with_skmixed.py JOB SECONDS [GROUPS]``.

One line of JSON, median seconds by function, each called on a fit that has computed nothing else
yet. The jobs are bootstrap and profile (sleepstudy), satterthwaite (InstEval), and diagnostics of
so many simulated groups of 1 to 19 rows with a random slope and two covariates.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from data import insteval
from exit_status import ABSENT
from measure import once

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import (
    bootstrap,
    cooks_distance,
    group_influence,
    leverage,
    profile,
    residuals,
    robust_covariance,
)
from skmixed.results.lmm_results import MixedLMResults

SLEEPSTUDY = "Reaction ~ Days + (Days | Subject)"
INSTEVAL = "y ~ service + (1 | s) + (1 | d)"
GROUPS = "y ~ x + z + (x | g)"
MOST = 50

Function = Callable[[MixedLMResults], Any]


def of_fresh_fits(
    results: MixedLMResults, functions: dict[str, Function], room: float
) -> dict[str, float]:
    """Return the median time of the fit, and of each function of it, all in turns.

    Parameters
    ----------
    results : MixedLMResults
    functions : dict of str to callable
    room : float
        Seconds, for at least five repetitions after the first.
    """
    assert results.model is not None
    times: dict[str, list[float]] = {name: [] for name in ("fit", *functions)}
    rounds, spent = 0, 0.0
    while rounds < 6 or (spent < room and rounds < MOST):
        rounds += 1
        for name, function in functions.items():
            seconds, fit = once(results.model.fit)
            fresh = replace(results, fit=fit)
            times["fit"].append(seconds)
            times[name].append(once(lambda f=function, r=fresh: f(r))[0])
            spent += seconds + times[name][-1]
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def simulated(n_groups: int) -> pd.DataFrame:
    """Return rows of so many groups."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_groups), rng.integers(1, 20, n_groups))
    x, z, e = rng.normal(size=(3, len(groups)))
    intercepts, slopes = rng.normal(size=(2, n_groups))
    y = 1.0 + x + 0.2 * z + intercepts[groups] + 0.5 * slopes[groups] * x + e
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": groups})


def rated() -> pd.DataFrame:
    """Return InstEval; without it the process ends."""
    try:
        columns = insteval()
    except FileNotFoundError as error:
        print(f"{error.filename} is absent: set SKMIXED_SHARED", file=sys.stderr)
        sys.exit(ABSENT)
    return pd.DataFrame(columns)


def problem(job: str, n_groups: int) -> tuple[MixedLMResults, dict[str, Function]]:
    """Return the results and the functions of a job."""
    if job in ("bootstrap", "profile"):
        results = mixedlm(SLEEPSTUDY, load_sleepstudy())
        if job == "profile":
            return results, {job: profile}
        return results, {job: lambda r: bootstrap(r, 1000, random_state=0)}
    if job == "satterthwaite":
        return mixedlm(INSTEVAL, rated()), {job: lambda r: r.tidy()}
    return mixedlm(GROUPS, simulated(n_groups)), {
        "group_influence": group_influence,
        "leverage": leverage,
        "cooks_distance": cooks_distance,
        "decorrelated residuals": lambda r: residuals(r, kind="decorrelated"),
        "CR0 with its tests": lambda r: robust_covariance(r, kind="CR0").tidy(),
        "CR2 with its tests": lambda r: robust_covariance(r, kind="CR2").tidy(),
    }


def main() -> None:
    """Print the times."""
    job, room, *sizes = sys.argv[1:]
    results, functions = problem(job, *map(int, sizes or ["0"]))
    print(json.dumps(of_fresh_fits(results, functions, float(room))))


if __name__ == "__main__":
    main()
