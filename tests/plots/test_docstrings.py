"""Texts that docstrings of displays share stand in each of them, where it has docstrings."""

from __future__ import annotations

import inspect
import re

import pytest

from skmixed import plots
from skmixed.plots.docstrings import fill_docstrings


@pytest.mark.parametrize("name", plots.__all__)
def test_no_name_of_a_text_is_left(name):
    display = getattr(plots, name)
    for one in (display, *(getattr(display, name) for name in vars(display))):
        assert not re.search(r"(?m)^ *\{\w+\}$", inspect.getdoc(one) or ""), one


def test_text_stands_where_its_name_stood():
    found = inspect.getdoc(plots.RootogramDisplay.plot).splitlines()
    assert found[1:5] == ["", "Parameters", "----------", "ax : matplotlib Axes, optional"]
    assert found[-2:] == ["ValueError", "    If ax holds several Axes."]


def test_class_without_docstrings():
    # Python leaves them out if it is asked to (-OO).
    class Display:
        def plot(self):
            pass

    assert fill_docstrings(Display).plot.__doc__ is None
