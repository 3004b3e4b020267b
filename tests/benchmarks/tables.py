"""Print what was measured: times, ratios, peak memory, and how far the answers agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cases import Case, Contender

__all__ = [
    "Measured",
    "agreement",
    "aligned",
    "duration",
    "evaluation_table",
    "fit_table",
    "growth_table",
    "import_table",
]


@dataclass
class Measured:
    """Collect the reports of one contender, one for each round, or why there are none."""

    contender: Contender
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    trouble: str = ""

    def best(self, name: str) -> float:
        """Return the least of one quantity over the rounds."""
        return min(report[name] for report in self.reports.values())

    @property
    def answer(self) -> dict[str, Any]:
        """Return the estimates of the first round."""
        return next(iter(self.reports.values()))["answer"]


def agreement(first: Measured, other: Measured) -> tuple[float, float]:
    """Return the relative differences of log-likelihoods and, the largest, of the estimates.

    Standard deviations are compared in units of sigma.
    """
    a, b = (m.answer for m in (first, other))
    beta, other_beta = (np.array(answer["beta"]) for answer in (a, b))
    sd, other_sd = (np.array([answer["sigma"], *sorted(answer["random_sd"])]) for answer in (a, b))
    log_likelihood = abs(a["log_likelihood"] - b["log_likelihood"]) / abs(a["log_likelihood"])
    of_beta = np.abs(beta - other_beta) / np.abs(beta)
    return log_likelihood, float(max(of_beta.max(), np.abs(sd - other_sd).max() / a["sigma"]))


def fit_table(case: Case, measured: list[Measured], scale: float) -> str:
    """Return the table of one case."""
    first = next((m for m in measured if m.reports), None)
    header = ["", "time"]
    for reference in case.references:
        header += [f"/ {reference}", "goal"]
    header += ["peak", "increase", "llf", "estimates"]
    rows = [_fit_row(m, measured, case.references, first) for m in measured]
    notes = [note for m in measured if m.reports for note in _notes(m)]
    return "\n".join([aligned(case.heading(scale), [header, *rows]), *notes])


def _fit_row(
    m: Measured, measured: list[Measured], references: tuple[str, ...], first: Measured | None
) -> list[str]:
    """Return one line: best time, ratios and goals, memory in MB, relative differences."""
    if not m.reports:
        return [m.contender.name, m.trouble]
    row = [m.contender.name, duration(m.best("seconds"))]
    for library in references:
        found = next((r for r in measured if r.contender.library == library and r.reports), None)
        row.append(f"{m.best('seconds') / found.best('seconds'):.3g}" if found else "")
        row.append(f"{goal:.2g}" if (goal := m.contender.goals.get(library)) else "")
    row += [f"{m.best(name):.0f} MB" for name in ("peak", "increase")]
    differences = [f"{d:.0e}" for d in agreement(first or m, m)] if m is not first else ["", ""]
    return row + differences


def _notes(m: Measured) -> list[str]:
    """Return what a stochastic solver says of its estimates."""
    errors = m.answer.get("monte_carlo_error")
    return [f"Monte-Carlo errors of {m.contender.name}: {errors}\n"] if any(errors or []) else []


def growth_table(case: Case, measured: dict[int, list[Measured]]) -> str:
    """Return the table of a case measured with ever more rows: time and memory for each row."""
    rows = [["rows", "", "time", "for a row", "increase", "for a row"]]
    for n_rows, contenders in measured.items():
        for m in contenders:
            row = [f"{n_rows:,}", m.contender.name]
            if m.reports:
                seconds, megabytes = m.best("seconds"), m.best("increase")
                row += [duration(seconds), f"{1e6 * seconds / n_rows:.2f} us"]
                row += [f"{megabytes:.0f} MB", f"{1e6 * megabytes / n_rows:.0f} B"]
            else:
                row.append(m.trouble)
            rows.append(row)
    return aligned(case.title, rows)


def evaluation_table(times: dict[str, list[float]], n_groups: int) -> str:
    """Return the table of evaluation times by number of rows."""
    reference = times["seconds"][0]
    rows = [["rows", "time", "ratio"]]
    for n_rows, seconds in zip(times["rows"], times["seconds"], strict=True):
        rows.append([f"{n_rows:,}", duration(seconds), f"{seconds / reference:.2f}"])
    title = f"{n_groups:,} groups, random slope: one objective, gradient and Hessian"
    return aligned(title, rows)


def import_table(times: dict[str, float]) -> str:
    """Return the table of import times; the first one is the reference."""
    reference = next(iter(times.values()))
    rows = [["", "time", "ratio"]]
    rows += [
        [name, duration(seconds), f"{seconds / reference:.2f}"] for name, seconds in times.items()
    ]
    return aligned("Imports in fresh processes (goal: at most 1.3)", rows)


def duration(seconds: float) -> str:
    """Return a time with three digits."""
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def aligned(title: str, rows: list[list[str]]) -> str:
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
