"""Measure one library on one problem, in a process of its own; print one line of JSON.

Run as ``python measure.py JOB`` with a job in JSON: library, way, path, model, warm, seconds.
A warm job is the median of many fits after the first ones; a cold one is the first fit of these
rows in this process, after a small fit of the same kind has paid for imports.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import memory
from exit_status import NOT_INSTALLED
from model import Model

__all__ = ["warm"]

MOST_FITS = 500


def main() -> None:
    """Run one job."""
    job = json.loads(sys.argv[1])
    if any(importlib.util.find_spec(name) is None for name in ("numpy", "pandas", job["library"])):
        sys.exit(NOT_INSTALLED)
    problems = importlib.import_module("problem")
    library = importlib.import_module(f"with_{job['library']}")
    problem = problems.load_problem(Path(job["path"]), Model(**job["model"]))
    warnings.simplefilter("ignore")
    small_fit, _ = library.WAYS[job["way"]](problems.small_problem(problem))
    small_fit()
    fit, answer = library.WAYS[job["way"]](problem)
    gc.collect()
    loaded = memory.resident()
    memory.forget_peak()
    seconds, fitted = warm(fit, job["seconds"]) if job["warm"] else once(fit)
    peak = memory.peak()
    report = {
        "seconds": seconds,
        "peak": peak,
        "increase": peak - loaded,
        "answer": asdict(answer(fitted)),
    }
    print(json.dumps(report, default=float))


def once(fit: Callable[[], Any]) -> tuple[float, Any]:
    """Time one fit."""
    start = time.perf_counter()
    fitted = fit()
    return time.perf_counter() - start, fitted


def warm(fit: Callable[[], Any], room: float) -> tuple[float, Any]:
    """Return the median time of as many fits as some seconds have room for, at least five."""
    for _ in range(3):
        first, fitted = once(fit)
    n_fits = int(min(max(5, room / first), MOST_FITS))
    return statistics.median(once(fit)[0] for _ in range(n_fits)), fitted


if __name__ == "__main__":
    main()
