"""Print what was measured: times, ratios, peak memory, and how far the answers agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cases import Case, Contender

__all__ = ["Measured", "agreement", "evaluation_table", "fit_table", "import_table"]


@dataclass
class Measured:
    """Collect the reports of one contender, one for each round, or why there are none."""

    contender: Contender
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    trouble: str = ""

    def best(self, name: str) -> float:
        """Return the least of one quantity over the rounds."""
        return min(report[name] for report in self.reports.values())


def agreement(first: Measured, other: Measured) -> tuple[float, float]:
    """Return the relative differences of log-likelihoods and, the largest, of beta and sigma."""
    a, b = (next(iter(m.reports.values()))["answer"] for m in (first, other))
    x, y = (np.array([*answer["beta"], answer["sigma"]]) for answer in (a, b))
    log_likelihood = abs(a["log_likelihood"] - b["log_likelihood"]) / abs(a["log_likelihood"])
    return log_likelihood, float(np.max(np.abs(x - y) / np.abs(x)))


def fit_table(case: Case, measured: list[Measured], scale: float) -> str:
    """Return the table of one case."""
    reference = next(
        (m for m in measured if m.contender.library == case.reference and m.reports), None
    )
    first = next((m for m in measured if m.reports), None)
    header = ["", "time", f"/ {case.reference}", "goal", "peak", "increase", "llf", "estimates"]
    return _aligned(
        case.heading(scale), [header, *(_fit_row(m, reference, first) for m in measured)]
    )


def _fit_row(m: Measured, reference: Measured | None, first: Measured | None) -> list[str]:
    """Return one line: best time, ratio, goal, memory in MB, relative differences."""
    if not m.reports:
        return [m.contender.name, m.trouble]
    ratio = f"{m.best('seconds') / reference.best('seconds'):.3g}" if reference else ""
    goal = f"{m.contender.goal:.2g}" if m.contender.goal else ""
    differences = [f"{d:.0e}" for d in agreement(first or m, m)] if m is not first else ["", ""]
    memory = [f"{m.best(name):.0f} MB" for name in ("peak", "increase")]
    return [m.contender.name, _time(m.best("seconds")), ratio, goal, *memory, *differences]


def evaluation_table(times: dict[str, list[float]], n_groups: int) -> str:
    """Return the table of evaluation times by number of rows."""
    reference = times["seconds"][0]
    rows = [["rows", "time", "ratio"]]
    for n_rows, seconds in zip(times["rows"], times["seconds"], strict=True):
        rows.append([f"{n_rows:,}", _time(seconds), f"{seconds / reference:.2f}"])
    title = f"{n_groups:,} groups, random slope: one objective, gradient and Hessian"
    return _aligned(title, rows)


def import_table(times: dict[str, float]) -> str:
    """Return the table of import times; the first one is the reference."""
    reference = next(iter(times.values()))
    rows = [["", "time", "ratio"]]
    rows += [
        [name, _time(seconds), f"{seconds / reference:.2f}"] for name, seconds in times.items()
    ]
    return _aligned("Imports in fresh processes (goal: at most 1.3)", rows)


def _time(seconds: float) -> str:
    """Return a time with three digits."""
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def _aligned(title: str, rows: list[list[str]]) -> str:
    """Return rows as text, the first column to the left and the others to the right."""
    width = max(map(len, rows))
    rows = [row + [""] * (width - len(row)) for row in rows]
    sizes = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(sizes[0]), *(c.rjust(s) for c, s in zip(row[1:], sizes[1:], strict=True))]
        )
        for row in rows
    ]
    return "\n".join([title, *(line.rstrip() for line in lines), ""])
