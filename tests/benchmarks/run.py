"""Compare skmixed with other libraries: time, memory and answers, on the same data.

Run on demand, ``python tests/benchmarks/run.py [CASE ...]``; ``--list`` names the cases. Every
library fits in a process of its own, the libraries take turns, and a library that is not
installed is reported as such. ``--python mixedlm=/path/to/python`` says where one is installed if
not beside skmixed (for lme4 it is the path of Rscript).

Times and memory are the best over the rounds, of the median of warm fits or of a first fit.
``peak`` is the largest resident memory during the fits, ``increase`` what it exceeds the loaded
data by. ``llf`` and ``estimates`` are the relative differences from the first line's
log-likelihood, and from its fixed effects and standard deviations (the largest).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from cases import CASES, Case
from imports import import_seconds
from processes import Processes, interpreter
from tables import Measured, evaluation_table, fit_table, growth_table, import_table

EVALUATION_GROUPS = 1_000
EVALUATION_ROWS = (10_000, 100_000, 1_000_000)
LIBRARIES = ("skmixed", "mixedlm", "statsmodels", "gpboost", "lme4")
NAMES = (*(case.name for case in CASES), "evaluation", "imports")


def main() -> None:
    """Run the cases that were asked for."""
    options = _options()
    if options.list:
        print("\n".join(NAMES))
        return
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {_load()}\n", flush=True)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(
            Path(folder),
            options.scale,
            options.seconds,
            options.limit,
            dict(options.python or ()),
        )
        for case in CASES:
            if case.name in options.names:
                found[case.name] = run_case(case, processes, options)
        if "evaluation" in options.names:
            sizes = [max(int(n * options.scale), 4_000) for n in EVALUATION_ROWS]
            found["evaluation"] = processes.evaluations(EVALUATION_GROUPS, sizes)
            print(evaluation_table(found["evaluation"], EVALUATION_GROUPS), flush=True)
        if "imports" in options.names:
            rounds = 2 * options.rounds
            found["imports"] = import_seconds(sys.executable, processes.environment, rounds=rounds)
            print(import_table(found["imports"]), flush=True)
    print(f"load {_load()}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


def run_case(case: Case, processes: Processes, options: argparse.Namespace) -> dict[str, Any]:
    """Measure a case, print its table, and return every measurement."""
    if not case.parts:
        measured = measure(case, processes, options)
        print(fit_table(case, measured, options.scale), flush=True)
        return _everything(measured)
    by_rows = {}
    for part in case.parts:
        smaller = replace(processes, scale=part * options.scale)
        by_rows[case.scaled(smaller.scale)[0]] = measure(case, smaller, options)
    print(growth_table(case, by_rows), flush=True)
    return {str(n_rows): _everything(measured) for n_rows, measured in by_rows.items()}


def _everything(measured: list[Measured]) -> dict[str, Any]:
    """Return the reports of each contender, or why there are none."""
    return {m.contender.name: m.reports or m.trouble for m in measured}


def measure(case: Case, processes: Processes, options: argparse.Namespace) -> list[Measured]:
    """Let the contenders of a case take turns."""
    wanted = [c for c in case.contenders if c.library in options.library]
    measured = [Measured(c) for c in wanted if options.slow or not c.on_request]
    if not measured:
        return [Measured(c, trouble="only with --slow") for c in wanted]
    try:
        path = processes.write(case, csv=any(m.contender.library == "lme4" for m in measured))
    except LookupError as absent:
        return [replace(m, trouble=str(absent)) for m in measured]
    for i in range(options.rounds):
        for m in measured:
            if m.trouble or i >= (m.contender.rounds or options.rounds):
                continue
            report = processes.measure(case, m.contender, path)
            if isinstance(report, str):
                m.trouble = report
            else:
                m.reports[i] = report
    return measured


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="CASE", help="all of them by default")
    parser.add_argument("--list", action="store_true", help="name the cases")
    parser.add_argument(
        "--python",
        action="append",
        type=interpreter,
        metavar="LIBRARY=PATH",
        help="interpreter of a library; may be repeated",
    )
    parser.add_argument(
        "--library", action="append", choices=LIBRARIES, help="of these alone; may be repeated"
    )
    parser.add_argument("--rounds", type=int, default=5, help="processes for each library")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="time for the repetitions of a warm fit"
    )
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one process")
    parser.add_argument(
        "--slow", action="store_true", help="what takes minutes or much memory as well"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="factor on rows and levels")
    parser.add_argument("--json", type=Path, help="file for every measurement")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no such case: {sorted(unknown)}; there are {', '.join(NAMES)}")
    options.names = options.names or NAMES
    options.library = options.library or LIBRARIES
    return options


def _load() -> str:
    """Return the load of the machine over the last minute."""
    return f"{os.getloadavg()[0]:.2f}"


if __name__ == "__main__":
    main()
