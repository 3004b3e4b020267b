"""A summary as plain text."""

from __future__ import annotations

import textwrap

from skmixed.results.report import Report, Table

__all__ = ["render_text"]

WIDTH = 100
_LONGEST_LABEL = 34
_GAP = "  "


def render_text(report: Report) -> str:
    """Return the report as lines of at most 100 characters, names of unusual length excepted."""
    parts = [f"{report.title}\n{_facts(report.facts)}"]
    parts += [f"{table.title}\n{_table(table)}" for table in report.tables]
    if report.notes:
        parts.append("\n".join(_note(note) for note in report.notes))
    return "\n\n".join(parts)


def _facts(facts: tuple[tuple[str, str], ...]) -> str:
    """Return names and values in two columns."""
    width = max(len(name) for name, _ in facts) + 3
    return "\n".join(
        textwrap.fill(
            f"{name + ':':<{width}}{value}",
            WIDTH,
            initial_indent=_GAP,
            subsequent_indent=" " * (width + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, value in facts
    )


def _note(note: str) -> str:
    """Return one note, wrapped."""
    return textwrap.fill(
        note, WIDTH, initial_indent="Note: ", subsequent_indent=" " * 6, break_long_words=False
    )


def _table(table: Table) -> str:
    """Return a table, in several blocks of columns if it is too wide."""
    widths = _column_widths(table)
    blocks = _blocks(widths, table.n_labels)
    return "\n\n".join(_block(table, widths, block) for block in blocks)


def _column_widths(table: Table) -> list[int]:
    """Return the width of each column; a long first label has a line of its own and counts not."""
    widths = []
    for j, title in enumerate(table.header):
        lengths = [len(row[j]) for row in table.rows]
        if j == 0 and table.n_labels:
            lengths = [length for length in lengths if length <= _LONGEST_LABEL]
        widths.append(max([len(title), *lengths]))
    return widths


def _blocks(widths: list[int], n_labels: int) -> list[list[int]]:
    """Share the columns out to blocks that are narrow enough; each repeats the labels."""
    labels = list(range(n_labels))
    start = len(_GAP) * (n_labels + 1) + sum(widths[:n_labels])
    blocks, used = [list(labels)], start
    for j in range(n_labels, len(widths)):
        needed = widths[j] + len(_GAP)
        if used + needed > WIDTH + len(_GAP) and len(blocks[-1]) > n_labels:
            blocks.append(list(labels))
            used = start
        blocks[-1].append(j)
        used += needed
    return blocks


def _block(table: Table, widths: list[int], columns: list[int]) -> str:
    """Return some columns of a table."""
    lines = [_line(table.header, widths, columns, table.n_labels)]
    for row in table.rows:
        cells = row
        if table.n_labels and len(row[0]) > widths[0]:
            lines.append(_GAP + row[0])
            cells = ("", *row[1:])
        lines.append(_line(cells, widths, columns, table.n_labels))
    return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int], columns: list[int], n_labels: int) -> str:
    """Return one row, names to the left and numbers to the right."""
    padded = [
        cells[j].ljust(widths[j]) if j < n_labels else cells[j].rjust(widths[j]) for j in columns
    ]
    return (_GAP + _GAP.join(padded)).rstrip()
