"""Configuration of the documentation, built with sphinx-build."""

from __future__ import annotations

from typing import Any

from matplotlib.sphinxext.plot_directive import PlotDirective

import skmixed
from skmixed.results import Equation

project = "skmixed"
author = "skmixed developers"
copyright = "2026, skmixed developers"
release = skmixed.__version__
version = ".".join(release.split(".")[:2])

extensions = [
    "matplotlib.sphinxext.figmpl_directive",
    "matplotlib.sphinxext.plot_directive",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["amsmath", "deflist", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_class_members_toctree = False
numpydoc_show_class_members = False
# A method is called by its name in the contents of the page of its class.
toc_object_entries_show_parents = "hide"

# Pictures of pages are drawn when the documentation is built, below the code that is shown.
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 100)]
plot_srcset = ["2x"]
plot_pre_code = ""

# Every script of examples/ is a page of the gallery, executed when the documentation is built.
sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "FileNameSortKey",
    "abort_on_example_error": True,
    "backreferences_dir": "generated/examples",
    "doc_module": ("skmixed",),
    "reference_url": {"skmixed": None},
    "image_srcset": ["2x"],
    "min_reported_time": 60,
    "write_computation_times": False,
    "download_all_examples": False,
    "remove_config_comments": True,
    "show_signature": False,
}

html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_theme = "pydata_sphinx_theme"
html_title = "skmixed"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    # The code of an example is wider than text, and takes the room of the table of contents.
    "secondary_sidebar_items": {
        "*": ["page-toc"],
        "guide/*": ["page-toc"],
        "generated/*": ["page-toc"],
        "auto_examples/*": [],
    },
}

# The gallery shows HTML, and MathJax finds the equations in it.
Equation._repr_html_ = Equation._repr_latex_


class Plot(PlotDirective):
    """Count the pictures of a page, where each ``eval-rst`` would count from 1."""

    def run(self) -> Any:
        """Draw a picture."""
        document, memory = self.state_machine.document, self.state.document.settings.env.temp_data
        document.attributes["_plot_counter"] = memory.get("plots", 0)
        nodes = super().run()
        memory["plots"] = document.attributes["_plot_counter"]
        return nodes


def setup(app: Any) -> None:
    """Make the directive known."""
    app.add_directive("plot", Plot, override=True)
