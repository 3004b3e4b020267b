"""Every example in the README and in the pages of the documentation gives what it shows."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from skmixed import plots

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
# Their examples draw thousands of samples, or fit many models.
LONG = {
    DOCS / name
    for name in (
        "bootstrap.md",
        "is-the-variance-zero.md",
        "guide/cross-validation.md",
        "guide/fixed-or-random.md",
        "guide/reml-or-ml.md",
        "guide/scikit-learn.md",
    )
}


@pytest.mark.parametrize(
    "page",
    [pytest.param(page, marks=[pytest.mark.slow] if page in LONG else []) for page in PAGES],
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_examples_of_a_page(page: Path) -> None:
    # The fence after the last line of an example would be read as output that is expected.
    text = re.sub(r"^ *```.*$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    results = runner.run(examples, out=report.append)
    assert results.failed == 0, "".join(report)


def test_every_page_is_reached_from_the_first() -> None:
    """Each page stands in a table of contents, of the first page or of one that it lists.

    The gallery is listed as well, and made when the documentation is built.
    """
    reached, waiting = set(), [DOCS.resolve() / "index.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        contents = re.findall(r"```{toctree}\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
        names = [line for block in contents for line in block.split() if not line.startswith(":")]
        listed = [(page.parent / f"{name}.md").resolve() for name in names]
        waiting += [page for page in listed if page.exists()]
    assert reached == set(DOCS.resolve().rglob("*.md"))


@pytest.mark.parametrize("display", plots.__all__)
def test_every_display_has_a_picture_in_the_guide(display: str) -> None:
    drawn = (DOCS / "guide" / "plots.md").read_text("utf-8")
    assert f"   >>> display = plots.{display}.from_" in drawn
