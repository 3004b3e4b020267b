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
    command = [sys.executable, str(Path(__file__).with_name("run.py"))]
    command += ["--scale", "0.002", "--rounds", "1", "--seconds", "0.05", "--json", str(report)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found = json.loads(report.read_text())
    for ways in [found[name] for name in found if name not in ("evaluation", "imports")]:
        ours = [ways[name] for name in ways if name.startswith("skmixed")]
        answers = [way["0"]["answer"] for way in ours]
        assert answers
        for answer in answers:
            assert answer == pytest.approx(answers[0], rel=1e-6)
        assert not [way for way in ways.values() if "failed" in way]
