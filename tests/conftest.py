"""What every test may ask for."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
# The workers of pytest-xdist share the processors; NumPy reads this when it is imported.
for library in ("MKL", "OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave one in so many cases of an exhaustive test quick, and mark the others slow."""
    cases: Counter[str] = Counter()
    for item in items:
        mark = item.get_closest_marker("exhaustive")
        if mark is None or item.get_closest_marker("slow") is not None:
            continue
        test = item.nodeid.partition("[")[0]
        if cases[test] % mark.args[0]:
            item.add_marker(pytest.mark.slow)
        cases[test] += 1


@pytest.fixture(autouse=True)
def _close_figures() -> Iterator[None]:
    """Close what a test has drawn, if it has."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of outside references and data; skip where it is not mounted."""
    folder = Path(os.environ.get("SKMIXED_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set SKMIXED_SHARED to the folder of references")
    return folder
