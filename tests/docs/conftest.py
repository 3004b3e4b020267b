"""Figures of pages, which are many, are closed with the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="pages draw pictures")
    with pyplot.rc_context({"figure.max_open_warning": 0}):
        yield
    pyplot.close("all")
