"""The benchmarks run, on a few rows, and the ways to call skmixed agree; times are not tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.benchmark


def run(folder: Path, *cases: str, **environment: str) -> dict[str, Any]:
    """Run cases with skmixed alone; return what was measured."""
    report = folder / "report.json"
    options = ["--library", "skmixed", "--scale", "0.01", "--rounds", "1", "--seconds", "0.05"]
    finished = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("run.py")), *cases),
            *(*options, "--json", str(report)),
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return json.loads(report.read_text())


def test_benchmarks_run(tmp_path: Path) -> None:
    found = run(tmp_path, "sleepstudy", "many_groups", "evaluation")
    assert len(found["evaluation"]["seconds"]) == 3
    assert list(found["many_groups"]) == ["skmixed formula"]
    reports = {name: rounds["0"] for name, rounds in found["sleepstudy"].items()}
    assert list(reports) == ["skmixed arrays", "skmixed formula", "skmixed estimator"]
    expected = reports["skmixed arrays"]["answer"]
    for ways in reports.values():
        assert ways["answer"]["beta"] == pytest.approx(expected["beta"], rel=1e-6)
        assert ways["answer"]["random_sd"] == pytest.approx(expected["random_sd"], rel=1e-6)
        assert ways["answer"]["log_likelihood"] == pytest.approx(expected["log_likelihood"])
        assert 0 <= ways["increase"] <= ways["peak"]


def test_several_factors(tmp_path: Path) -> None:
    """The estimates are near what the rows were simulated with."""
    found = run(tmp_path, "ratings_1e6", "nested")
    answer = found["ratings_1e6"]["skmixed formula"]["0"]["answer"]
    assert answer["beta"][1] == pytest.approx(0.2, abs=0.05)
    assert answer["random_sd"] == pytest.approx([0.4, 0.5], abs=0.3)
    assert answer["sigma"] == pytest.approx(0.9, abs=0.05)
    assert list(found["nested"]) == ["200", "1000", "3000", "10000"]
    answer = found["nested"]["10000"]["skmixed estimator"]["0"]["answer"]
    assert answer["random_sd"] == pytest.approx([0.8, 0.6], abs=0.2)


def test_what_is_not_measured_says_why(tmp_path: Path) -> None:
    found = run(tmp_path, "insteval", "ratings_2e7", SKMIXED_SHARED=str(tmp_path))
    assert "InstEval.csv is absent" in found["insteval"]["skmixed formula"]
    assert found["ratings_2e7"] == {"skmixed estimator": "only with --slow"}


def test_inference_runs(tmp_path: Path) -> None:
    """Without InstEval and other libraries it measures the rest."""
    report = tmp_path / "report.json"
    options = ["--library", "skmixed", "--rounds", "1", "--seconds", "0.05", "--groups", "200"]
    finished = subprocess.run(
        [
            *(sys.executable, str(Path(__file__).with_name("inference.py"))),
            *(*options, "--json", str(report)),
        ],
        env={**os.environ, "SKMIXED_SHARED": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    found = json.loads(report.read_text())
    assert "InstEval.csv is absent" in found.pop("satterthwaite skmixed")
    assert set(found) == {f"{job} skmixed" for job in ("bootstrap", "profile", "diagnostics")}
    assert all(seconds > 0.0 for times in found.values() for seconds in times.values())
