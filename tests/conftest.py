"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of outside references and data; skip where it is not mounted."""
    folder = Path(os.environ.get("SKMIXED_SHARED", Path(__file__).parents[2] / "shared"))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent: set SKMIXED_SHARED to the folder of references")
    return folder
