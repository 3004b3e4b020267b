"""The benchmarks run, on a few rows, and the ways to call skmixed agree; times are not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.benchmark
def test_benchmarks_run(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    cases = ["sleepstudy", "many_groups", "evaluation"]
    options = ["--library", "skmixed", "--scale", "0.01", "--rounds", "1", "--seconds", "0.05"]
    run = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("run.py")), *cases),
            *(*options, "--json", str(report)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(report.read_text())
    assert len(found["evaluation"]["seconds"]) == 3
    assert list(found["many_groups"]) == ["skmixed formula"]
    reports = {name: rounds["0"] for name, rounds in found["sleepstudy"].items()}
    assert list(reports) == ["skmixed arrays", "skmixed formula", "skmixed estimator"]
    expected = reports["skmixed arrays"]["answer"]
    for ways in reports.values():
        assert ways["answer"]["beta"] == pytest.approx(expected["beta"], rel=1e-6)
        assert ways["answer"]["log_likelihood"] == pytest.approx(expected["log_likelihood"])
        assert 0 <= ways["increase"] <= ways["peak"]
