"""Texts that the docstrings of several displays share, written once."""

from __future__ import annotations

import re
from textwrap import dedent, indent
from typing import Any, TypeVar

__all__ = ["fill_docstrings"]

T = TypeVar("T")

# By the name that stands for a text, in braces and alone on its line.
TEXTS = {
    "estimator": """
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups
            As given to its fit.
        """,
    "weighted_estimator": """
        estimator : fitted estimator, or Pipeline that ends with one
        X, y, groups, sample_weight, group_weight
            As given to its fit.
        """,
    "results": """
        results : MixedLMResults
            Of ``mixedlm``.
        """,
    "factor": """
        factor : str, optional
            Grouping factor; the one of most levels by default.
        """,
    "not_fitted": """
        NotFittedError
            If the estimator is not fitted.
        """,
    "no_rows": """
        TypeError
            If the results keep no rows.
        """,
    "no_matplotlib": """
        ImportError
            If matplotlib is not installed.
        """,
    "one_panel": """
        Parameters
        ----------
        ax : matplotlib Axes, optional

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        ValueError
            If ax holds several Axes.
        """,
    "group_effects": """
        factor : str, optional
            Name of the grouping factor; all of them by default.
        effect : str, optional
            Name of the effect, such as ``"Intercept"``; all of them by default.
        level : float, default=0.95
        beta_known : bool, default=False
            Whether the intervals are those given the fixed effects, as in lme4.
        variance_uncertainty : None or "delta", default=None
            How the variances being estimated is taken into account, as in
            ``results.random_effects_table``.
        ax : matplotlib Axes, or array of Axes for several panels, optional
            The place of one Axes is divided.
        """,
}
_NAME = re.compile(r"^( *)\{(\w+)\}$", re.MULTILINE)


def fill_docstrings(display: type[T]) -> type[T]:
    """Put the texts in the place of their names, in the docstrings of a class and its methods."""
    for member in (display, *vars(display).values()):
        documented: Any = getattr(member, "__func__", member)
        # Python leaves docstrings out if it is asked to (-OO).
        if isinstance(getattr(documented, "__doc__", None), str) and callable(documented):
            documented.__doc__ = _NAME.sub(_text, documented.__doc__)
    return display


def _text(found: re.Match[str]) -> str:
    """Return the text of a name, as far to the right as this."""
    return indent(dedent(TEXTS[found[2]]).strip(), found[1])
