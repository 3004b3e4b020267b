"""A fitted model in symbols and in words, as methods of its results."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skmixed.results import words

if TYPE_CHECKING:
    from skmixed.results.words.equation import Equation, Form

__all__ = ["ModelWords"]


class ModelWords:
    """Say what was fitted."""

    def equation(self, form: Form = "conditional", *, values: bool = False) -> Equation:
        """Write the model as equations in LaTeX.

        Parameters
        ----------
        form, values
            As for ``skmixed.results.equation``.
        """
        return words.equation(self, form, values=values)

    def describe(self, level: float = 0.95) -> str:
        """Describe the model in plain words.

        Parameters
        ----------
        level
            As for ``skmixed.results.describe``.
        """
        return words.describe(self, level=level)
