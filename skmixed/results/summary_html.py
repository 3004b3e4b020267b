"""A summary as HTML that a notebook can show, in light and in dark."""

from __future__ import annotations

from html import escape

from skmixed.results.report import Report, Table

__all__ = ["render_html"]

# Spaces as wide as a digit and as a decimal point keep the numbers aligned.
_FIGURE_SPACE = "&#8199;"
_POINT_SPACE = "&#8200;"

_STYLE = """<style>
.skmixed-summary {font-size: 0.95em; line-height: 1.4; max-width: 60em; overflow-x: auto;}
.skmixed-summary .skmixed-title {font-weight: 600; font-size: 1.15em; margin: 0 0 0.4em;}
.skmixed-summary table {border-collapse: collapse; margin: 0 0 1em; border: none;}
.skmixed-summary caption {text-align: left; font-weight: 600; padding: 0.2em 0; color: inherit; \
caption-side: top; white-space: nowrap;}
.skmixed-summary th, .skmixed-summary td {padding: 0.1em 0.9em 0.1em 0; border: none; \
background: none; text-align: right; vertical-align: baseline; \
font-variant-numeric: tabular-nums; white-space: nowrap;}
.skmixed-summary thead th {border-bottom: 1px solid currentColor; font-weight: normal; \
opacity: 0.75;}
.skmixed-summary th.skmixed-label, .skmixed-summary td.skmixed-text {text-align: left;}
.skmixed-summary tbody th {font-weight: normal;}
.skmixed-summary td.skmixed-text {white-space: normal;}
.skmixed-summary .skmixed-note {margin: 0.2em 0; padding-left: 0.6em; \
border-left: 3px solid #d55e00;}
</style>"""


def render_html(report: Report) -> str:
    """Return the report as one ``div``; every text is escaped."""
    parts = [_STYLE, '<div class="skmixed-summary">']
    parts.append(f'<p class="skmixed-title">{escape(report.title)}</p>')
    parts.append(_facts(report.facts))
    parts += [_table(table) for table in report.tables]
    parts += [f'<p class="skmixed-note">{escape(note)}</p>' for note in report.notes]
    parts.append("</div>")
    return "\n".join(parts)


def _facts(facts: tuple[tuple[str, str], ...]) -> str:
    """Return names and values as a table of two columns."""
    rows = "\n".join(
        f'<tr><th scope="row" class="skmixed-label">{escape(name)}</th>'
        f'<td class="skmixed-text">{escape(value)}</td></tr>'
        for name, value in facts
    )
    return f"<table>\n<tbody>\n{rows}\n</tbody>\n</table>"


def _table(table: Table) -> str:
    """Return one table with its caption."""
    header = "".join(
        f'<th scope="col"{_label_class(j, table)}>{escape(title)}</th>'
        for j, title in enumerate(table.header)
    )
    rows = "\n".join(f"<tr>{_cells(row, table)}</tr>" for row in table.rows)
    return (
        f"<table>\n<caption>{escape(table.title)}</caption>\n"
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )


def _cells(row: tuple[str, ...], table: Table) -> str:
    """Return the cells of one row."""
    return "".join(
        f'<th scope="row" class="skmixed-label">{escape(cell)}</th>'
        if j < table.n_labels
        else f"<td>{_number(cell)}</td>"
        for j, cell in enumerate(row)
    )


def _label_class(j: int, table: Table) -> str:
    """Return the class of a column's header."""
    return ' class="skmixed-label"' if j < table.n_labels else ""


def _number(text: str) -> str:
    """Replace the spaces that align a number by spaces as wide as what they stand for."""
    stripped = text.rstrip(" ")
    behind = len(text) - len(stripped)
    point = _POINT_SPACE if behind and "." not in stripped else ""
    return escape(stripped.lstrip(" ")) + point + _FIGURE_SPACE * (behind - bool(point))
