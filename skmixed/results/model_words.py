"""A fitted model in symbols and in words, as methods of its results."""

from __future__ import annotations

from skmixed.results.words.description import describe
from skmixed.results.words.equation import Equation, Form, equation

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
        return equation(self, form, values=values)

    def describe(self, level: float = 0.95) -> str:
        """Describe the model in plain words.

        Parameters
        ----------
        level
            As for ``skmixed.results.describe``.
        """
        return describe(self, level=level)
