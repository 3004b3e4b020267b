"""Read the tables of a page, and what its examples leave behind."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs"
CELLS = re.compile(r"(?<!\\)\|")
CODE = re.compile(r"`([^`]+)`")


def tables(page: str) -> list[list[list[str]]]:
    """Return each table of a page as rows of cells, the header first and the rule left out."""
    found: list[list[list[str]]] = []
    inside = False
    for line in (DOCS / page).read_text("utf-8").splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in CELLS.split(line)[1:-1]]
            if not inside:
                found.append([])
            if not set("".join(cells)) <= set("-:"):
                found[-1].append(cells)
        inside = line.startswith("|")
    return found


def code(cell: str) -> list[str]:
    """Return what stands between backticks, bars as they are outside of a table."""
    return [text.replace(r"\|", "|") for text in CODE.findall(cell)]


def names(page: str) -> dict[str, Any]:
    """Run the examples of a page, and return the names that they define."""
    text = re.sub(r"^ *```.*$", "", (DOCS / page).read_text("utf-8"), flags=re.MULTILINE)
    scope: dict[str, Any] = {}
    for example in doctest.DocTestParser().get_examples(text):
        if example.exc_msg is None:
            exec(compile(example.source, page, "exec"), scope)
    return scope
