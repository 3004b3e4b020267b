"""Compare generalised models with glmm, gpboost, lme4 and glmmTMB: time, memory and answers.

Run on demand: ``python tests/benchmarks/generalised.py [CASE ...]``; ``--list`` names the cases.
Every library fits the same rows in a process of its own, and the libraries take turns. A time is
that of a warm fit, median of as many as ``--seconds`` has room for, the best over ``--rounds``.
``ratio`` is our time over theirs, ``goal`` the largest that is aimed at. ``llf`` and ``beta`` are
what a library's log-likelihood exceeds that of the first line by, and the largest difference of a
coefficient in units of the coefficient. ``increase`` is the memory that a fit needs beside the
rows. The first four cases need the shared data (SKMIXED_SHARED).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from generalised_data import contraception, grouseticks, logistic, speed_dating, verbagg
from processes import ROOT
from tables import aligned, duration

LIBRARIES = ("skmixed", "glmm", "glmm without tests", "gpboost", "mixedlm", "lme4", "glmmTMB")
IN_R = ("lme4", "glmmTMB")
HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """Describe a model, its rows and what is aimed at.

    Attributes
    ----------
    formula, family : str
        As lme4 reads them; all effects of groups are intercepts.
    rows : callable
        ``rows(scale)`` gives the rows.
    goals : mapping of str to float
        The largest ratios of our time to that of other libraries.
    most_seconds : float or None
        The most that a fit of ours may take.
    slow : tuple of str
        Libraries that need minutes, which run with ``--slow`` only.
    """

    formula: str
    family: str
    rows: Callable[[float], pd.DataFrame]
    goals: dict[str, float] = field(default_factory=dict)
    most_seconds: float | None = None
    slow: tuple[str, ...] = ()


GROUPED = "y ~ x0 + x1 + (1 | a)"
CROSSED = "y ~ x0 + x1 + (1 | a) + (1 | b)"
CASES = {
    "contraception": Case(
        "use ~ age + I(age^2) + urban + livch + (1 | district)",
        "binomial",
        contraception,
        {"glmm": 1.0, "mixedlm": 0.03},
    ),
    "verbagg": Case(
        "r2 ~ Anger + Gender + btype + situ + mode + (1 | id) + (1 | item)",
        "binomial",
        verbagg,
        {"glmm": 0.5},
    ),
    "grouseticks": Case(
        "TICKS ~ YEAR + cHEIGHT + (1 | BROOD) + (1 | INDEX) + (1 | LOCATION)",
        "poisson",
        grouseticks,
        {"glmm": 0.5},
    ),
    "speed dating": Case(
        "decision ~ sex + samerace + attractive_sc + sincere_sc + intelligent_sc + (1 | iid)",
        "binomial",
        speed_dating,
        {"glmm": 1.0},
    ),
    "logistic, 3e5 rows, 6,000 groups": Case(
        GROUPED,
        "binomial",
        partial(logistic, 300_000, 6_000),
        {"glmm": 0.5},
        slow=("mixedlm", *IN_R),
    ),
    "logistic, 3e5 rows, 6,000 x 3,000": Case(
        CROSSED,
        "binomial",
        partial(logistic, 300_000, 6_000, 3_000),
        {"gpboost": 0.2},
        slow=("glmm", "glmm without tests", "mixedlm", *IN_R),
    ),
    "logistic, 1e6 rows, 1e5 groups": Case(
        GROUPED,
        "binomial",
        partial(logistic, 1_000_000, 100_000),
        most_seconds=10.0,
        slow=LIBRARIES[1:],
    ),
    "logistic, 1e6 rows, 6,000 x 3,000": Case(
        CROSSED,
        "binomial",
        partial(logistic, 1_000_000, 6_000, 3_000),
        most_seconds=20.0,
        slow=LIBRARIES[1:],
    ),
}


def main() -> None:
    """Run the cases that were asked for."""
    options = _options()
    if options.list:
        print("\n".join(CASES))
        return
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names:
            found = run_case(name, Path(folder), options)
            report[name] = found
            print(table(name, found), flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1))


def run_case(name: str, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return what each library reports, or why there is nothing."""
    case = CASES[name]
    try:
        rows = case.rows(options.scale)
    except FileNotFoundError as error:
        return dict.fromkeys(options.library, f"{error.filename} is absent: set SKMIXED_SHARED")
    rows.to_pickle(folder / "rows.pickle")
    if set(IN_R) & set(options.library):
        rows.to_csv(folder / "rows.csv", index=False)
    found: dict[str, Any] = {}
    for turn in range(options.rounds):
        for library in options.library:
            if isinstance(found.get(library), str):
                continue
            if library in case.slow and not options.slow:
                found[library] = "only with --slow"
                continue
            one = measured(library, case, folder, options)
            if turn == 0 or isinstance(one, str) or one["seconds"] < found[library]["seconds"]:
                found[library] = one
    return found


def measured(
    library: str, case: Case, folder: Path, options: argparse.Namespace
) -> dict[str, Any] | str:
    """Return the report of a process of its own, or why there is none."""
    words = [library, case.formula, case.family, str(options.seconds)]
    if library in IN_R:
        if shutil.which("Rscript") is None:
            return "not installed"
        command = ["Rscript", str(HERE / "generalised.R"), str(folder / "rows.csv"), *words]
    else:
        if importlib.util.find_spec(library.split(maxsplit=1)[0]) is None:
            return "not installed"
        script = HERE / "generalised_fits.py"
        command = [sys.executable, str(script), str(folder / "rows.pickle"), *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=options.limit,
        )
    except subprocess.TimeoutExpired:
        return f"over {options.limit:.0f} s"
    except subprocess.CalledProcessError as error:
        return "failed: " + (error.stderr.strip().splitlines() or ["no message"])[-1]
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(name: str, found: dict[str, Any]) -> str:
    """Return one case as text: times, ratios and goals, and how far the answers agree."""
    case = CASES[name]
    reports = {library: one for library, one in found.items() if not isinstance(one, str)}
    first = next(iter(reports.values()), None)
    rows = [["", "time", "ratio", "goal", "increase", "llf", "beta"]]
    for library, one in reports.items():
        ratio, goal = "", case.goals.get(library, "")
        if library == "skmixed":
            goal = f"{case.most_seconds:.0f} s" if case.most_seconds else ""
        elif "skmixed" in reports:
            ratio = f"{reports['skmixed']['seconds'] / one['seconds']:.3g}"
        row = [library, duration(one["seconds"]), ratio, str(goal), f"{one['increase']:.0f} MB"]
        rows.append(row + (agreement(first, one) if one is not first else []))
    troubles = [f"{library}: {one}\n" for library, one in found.items() if isinstance(one, str)]
    return aligned(f"{name}: {case.formula}, {case.family}", rows) + "".join(troubles)


def agreement(first: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Return the differences of log-likelihood and of the coefficients."""
    beta, theirs = np.array(first["beta"]), np.array(other["beta"])
    distance = np.max(np.abs(theirs - beta) / np.abs(beta))
    return [f"{other['llf'] - first['llf']:+.1e}", f"{distance:.0e}"]


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="CASE", default=[*CASES])
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument("--library", action="append", choices=LIBRARIES)
    parser.add_argument("--rounds", type=int, default=3, help="processes for each library")
    parser.add_argument("--seconds", type=float, default=2.0, help="room for repeated fits")
    parser.add_argument("--limit", type=float, default=150.0, help="seconds for one process")
    parser.add_argument("--slow", action="store_true", help="what takes minutes as well")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on simulated rows")
    parser.add_argument("--json", type=Path, help="file for every measurement")
    options = parser.parse_args()
    if unknown := set(options.names) - set(CASES):
        parser.error(f"no such case: {sorted(unknown)}; there are {', '.join(CASES)}")
    options.library = options.library or LIBRARIES
    return options


if __name__ == "__main__":
    main()
