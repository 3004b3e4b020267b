"""What a summary says, before it is text or HTML."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Report", "Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Hold a table of text whose columns are already aligned.

    The first ``n_labels`` columns hold names, which are aligned to the left.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_labels: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Hold the parts of a summary as they are read: facts are names and values."""

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
