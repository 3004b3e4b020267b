"""What a formula says, before any data is seen."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ParsedFormula", "RandomTerm"]


@dataclass(frozen=True, slots=True)
class RandomTerm:
    """Hold one random-effects term: effects that vary over the levels of a factor.

    Attributes
    ----------
    expression : str
        The effects in patsy's language, written out, such as ``"1 + x"`` or ``"0 + x"``.
    factor : tuple of str
        Columns whose combination is the grouping factor: ``("site", "block")`` for ``site:block``.
    covariance : {"unstructured", "diagonal", "compound_symmetry", "ar1"}
        Structure of the covariance between the effects of one level.
    """

    expression: str
    factor: tuple[str, ...]
    covariance: str = "unstructured"

    @property
    def name(self) -> str:
        """Return the factor's name, its columns joined by a colon."""
        return ":".join(self.factor)


@dataclass(frozen=True, slots=True)
class ParsedFormula:
    """Hold the parts of a mixed-model formula.

    Attributes
    ----------
    response : str or None
        The response, an arithmetic expression; None when it was left out.
    fixed : str
        The fixed part in patsy's language: no bars, no offsets; ``"1"`` if nothing is left.
    offsets : tuple of str
        The expressions inside ``offset(...)``.
    """

    text: str
    response: str | None
    fixed: str
    random: tuple[RandomTerm, ...]
    offsets: tuple[str, ...]

    def require_response(self) -> str:
        """Return the response."""
        if self.response is None:
            raise ValueError(
                f"The formula {self.text!r} has no response, or fit got y in its place: expected "
                "'response ~ terms', or y. Write the response before '~', or give y."
            )
        return self.response
