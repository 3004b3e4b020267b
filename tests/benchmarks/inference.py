"""Compare inference of skmixed with its goals: bootstrap, profile, Satterthwaite, influence.

Run on demand, ``python tests/benchmarks/inference.py``; ``--python mixedlm=/path/to/python`` says
where a library is installed if not beside skmixed (for lme4 it is the path of Rscript). Every
measurement has a process of its own, these take turns, and the best of the rounds counts. lme4
makes 100 replicates, and its time is scaled up to 1,000.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from exit_status import ABSENT, NOT_INSTALLED
from processes import Processes, interpreter
from tables import aligned, duration

from skmixed.datasets import load_sleepstudy

SLEEPSTUDY = "Reaction ~ Days + (Days | Subject)"


@dataclass(frozen=True)
class Comparison:
    """Say what is measured, and against what.

    Attributes
    ----------
    title, job : str
    name : str
        The time of the job that has a goal.
    libraries : tuple of str
        Whose time is to be some multiple of it; without any, the time of the fit is what it is
        compared with.
    goal : str
        For the ratio of the others' time to it, or of it to the fit's.
    """

    title: str
    job: str
    name: str
    libraries: tuple[str, ...]
    goal: str


COMPARISONS = (
    Comparison(
        "1,000 parametric refits, sleepstudy",
        "bootstrap",
        "bootstrap",
        ("lme4", "mixedlm"),
        "at least 50",
    ),
    Comparison(
        "profile of six parameters, sleepstudy", "profile", "profile", ("lme4",), "at least 5"
    ),
    Comparison("Satterthwaite, InstEval", "satterthwaite", "satterthwaite", (), "at most 0.5"),
    Comparison("diagnostics, {groups:,} groups", "diagnostics", "group_influence", (), "about 1"),
)
Times = dict[str, float]
Measured = dict[tuple[str, str], Times | str]


def main() -> None:
    """Measure everything and print the table."""
    options = _options()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.2f}")
    with tempfile.TemporaryDirectory() as folder:
        processes = Processes(
            Path(folder), 1.0, options.seconds, options.limit, dict(options.python or ())
        )
        rounds = [_round(processes, options) for _ in range(options.rounds)]
    best = {key: _best([one[key] for one in rounds]) for key in rounds[0]}
    print(aligned("", [row for one in COMPARISONS for row in _rows(one, best, options.groups)]))
    print(f"load {os.getloadavg()[0]:.2f}")
    if options.json:
        found = {f"{job} {library}": times for (job, library), times in best.items()}
        options.json.write_text(json.dumps(found, indent=1))


def _round(processes: Processes, options: argparse.Namespace) -> Measured:
    """Measure every job in every library once."""
    path = processes.folder / "sleepstudy.csv"
    if not path.exists():
        load_sleepstudy().to_csv(path, index=False)
    found: Measured = {}
    for one in COMPARISONS:
        words = [one.job, str(processes.seconds), str(options.groups)]
        found[one.job, "skmixed"] = _times(processes, "skmixed", words)
        for library in one.libraries:
            if library in options.library:
                words = [one.job, str(path), SLEEPSTUDY]
                found[one.job, library] = _times(processes, library, words)
    return found


def _times(processes: Processes, library: str, words: list[str]) -> Times | str:
    """Return the seconds by name that one process reports, or why there are none."""
    try:
        if library == "lme4":
            report = processes.rscript("inference_with_lme4.R", *words)
        else:
            report = processes.python(library, f"inference_with_{library}.py", *words)
    except FileNotFoundError:
        return "not installed"
    except subprocess.TimeoutExpired:
        return f"over {processes.limit:.0f} s"
    except subprocess.CalledProcessError as error:
        if error.returncode == NOT_INSTALLED:
            return "not installed"
        message = (error.stderr.strip().splitlines() or ["no message"])[-1]
        return message if error.returncode == ABSENT else f"failed: {message}"
    times: Times = json.loads(report)
    return times


def _best(rounds: list[Times | str]) -> Times | str:
    """Return the least of each time over the rounds, or the first trouble."""
    times: list[Times] = []
    for one in rounds:
        if isinstance(one, str):
            return one
        times.append(one)
    return {name: min(one[name] for one in times) for name in times[0]}


def _rows(comparison: Comparison, best: Measured, groups: int) -> list[list[str]]:
    """Return the lines of one comparison."""
    ours = best[comparison.job, "skmixed"]
    lines = [[comparison.title.format(groups=groups), "time", "ratio", "goal"]]
    if isinstance(ours, str):
        return [*lines, ["  skmixed", ours]]
    if not comparison.libraries:
        lines.append(["  fit", duration(ours["fit"])])
        for name in (name for name in ours if name != "fit"):
            goal = comparison.goal if name == comparison.name else ""
            ratio = f"{ours[name] / ours['fit']:.2f} x fit"
            lines.append([f"  {name}", duration(ours[name]), ratio, goal])
        return lines
    own = ours[comparison.name]
    lines.append(["  skmixed", duration(own)])
    for library in comparison.libraries:
        theirs = best.get((comparison.job, library), "not asked for")
        if isinstance(theirs, str):
            lines.append([f"  {library}", theirs])
            continue
        seconds = theirs[comparison.job]
        ratio = f"{seconds / own:.1f} x skmixed"
        lines.append([f"  {library}", duration(seconds), ratio, comparison.goal])
    return lines


def _options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    libraries = ("lme4", "mixedlm")
    parser.add_argument(
        "--python",
        action="append",
        type=interpreter,
        metavar="LIBRARY=PATH",
        help="interpreter of a library; may be repeated",
    )
    parser.add_argument("--library", action="append", choices=(*libraries, "skmixed"))
    parser.add_argument("--rounds", type=int, default=3, help="processes for each measurement")
    parser.add_argument("--seconds", type=float, default=2.0, help="time for repetitions")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds for one process")
    parser.add_argument("--groups", type=int, default=20_000, help="groups of the diagnostics")
    parser.add_argument("--json", type=Path, help="file for every measurement")
    options = parser.parse_args()
    options.library = options.library or libraries
    return options


if __name__ == "__main__":
    main()
