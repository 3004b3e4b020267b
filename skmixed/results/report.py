"""What a summary says, before it is text or HTML."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Report", "Table"]


@dataclass(frozen=True, slots=True)
class Table:
    """Hold a table of text whose columns are already aligned.

    Attributes
    ----------
    n_labels : int
        The first columns, which hold names and are aligned to the left.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_labels: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """Hold the parts of a summary, in the order in which they are read.

    Attributes
    ----------
    facts : tuple of (str, str)
        Name and value.
    notes : tuple of str
        What the reader should be warned of.
    """

    title: str
    facts: tuple[tuple[str, str], ...]
    tables: tuple[Table, ...]
    notes: tuple[str, ...]
