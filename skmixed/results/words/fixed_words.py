"""What each fixed effect says, in a sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.coefficients.wald import TTests
from skmixed.results.words.phrases import by_error, level_text, listed
from skmixed.results.words.terms import NamedTerms, TermPart

__all__ = ["FixedSentences"]

# Most predictors that are named to say where the intercept is.
MOST_NAMED = 6


@dataclass(frozen=True, slots=True, eq=False)
class FixedSentences:
    """Write sentences on the p fixed effects of a model; limits have the shape (p, 2)."""

    terms: NamedTerms
    tests: TTests
    limits: NDArray[np.float64]
    level: float
    response: str

    def sentences(self) -> list[str]:
        """Return one sentence for each coefficient, then what holds for several of them."""
        shared = {column for parts in self.terms.parts for column in self.terms.sharing(parts[0])}
        aliased = (self.tests.estimates == 0.0) & np.isnan(self.tests.standard_errors)
        sentences = [
            f"The coefficient of {name} cannot be told from those before it, and is set to 0."
            if aliased[j]
            else self._sentence(j)
            for j, name in enumerate(self.terms.names)
        ]
        if shared:
            columns = sorted(shared)
            sentences.append(
                f"{listed(columns)} {'is' if len(columns) == 1 else 'are'} in several terms, whose "
                "coefficients are no changes per unit by themselves."
            )
        return sentences

    def _sentence(self, j: int) -> str:
        """Return the sentence of one coefficient."""
        name, parts = self.terms.names[j], self.terms.parts[j]
        if name == "Intercept":
            value = self._value(j, with_zero=False)
            return f"{self.start or 'Over the population'}, {self.response} is {value} on average."
        if len(parts) > 1:
            return self._interaction(j, parts)
        part = parts[0]
        if part.level is not None:
            return self._category(j, part)
        if "[" in part.variable or self.terms.sharing(part):
            return f"The coefficient of {name} is {self._value(j)}."
        where = self.conditions(part)
        return f"Per unit of {name}, {self.response} changes by {self._value(j)}{where}."

    @property
    def start(self) -> str:
        """Say where the intercept is: "Where Days is 0"; empty if it is everywhere."""
        zeros, references = [], []
        for name, parts in zip(self.terms.names, self.terms.parts, strict=True):
            if len(parts) == 1 and name != "Intercept":
                part = parts[0]
                if part.level is None:
                    zeros.append(part.variable)
                elif part.reduced:
                    references.append(self._reference(part))
        if len(zeros) + len(references) > MOST_NAMED:
            return "Where all predictors are 0 or at their reference"
        conditions = [f"{listed(zeros)} {'is' if len(zeros) == 1 else 'are'} 0"] if zeros else []
        conditions += dict.fromkeys(references)
        return f"Where {listed(conditions)}" if conditions else ""

    def _category(self, j: int, part: TermPart) -> str:
        """Compare a category with the reference, or give the mean of one that has none."""
        if not part.reduced:
            return (
                f"For {part.variable} {part.level}, {self.response} is "
                f"{self._value(j, with_zero=False)} on average{self.conditions(part)}."
            )
        reference = self._reference_level(part)
        return (
            f"For {part.variable} {part.level}, compared with {reference}, {self.response} "
            f"differs by {self._value(j)}{self.conditions(part)}."
        )

    def _interaction(self, j: int, parts: tuple[TermPart, ...]) -> str:
        """Say what an interaction of two changes; of more, only its coefficient."""
        numeric = [part for part in parts if part.level is None]
        categories = [part for part in parts if part.reduced]
        if len(parts) == 2 and len(numeric) == 1 and not categories:
            part = next(part for part in parts if part.level is not None)
            return (
                f"For {part.variable} {part.level}, {self.response} changes by {self._value(j)} "
                f"per unit of {numeric[0].variable}."
            )
        if len(parts) > 2 or len(numeric) + len(categories) < 2:
            return f"The coefficient of {self.terms.names[j]} is {self._value(j)}."
        if len(numeric) == 2:
            x, z = (part.variable for part in numeric)
            return (
                f"With each unit of {z}, the change of {self.response} per unit of {x} "
                f"changes by {self._value(j)}."
            )
        if len(numeric) == 1:
            part = categories[0]
            return (
                f"For {part.variable} {part.level}, compared with {self._reference_level(part)}, "
                f"the change of {self.response} per unit of {numeric[0].variable} "
                f"differs by {self._value(j)}."
            )
        first, second = categories
        return (
            f"The difference in {self.response} between {first.variable} {first.level} and "
            f"{self._reference_level(first)} differs by {self._value(j)} for {second.variable} "
            f"{second.level} than for {self._reference_level(second)}."
        )

    def conditions(self, part: TermPart) -> str:
        """Say where the effect of a part is this one, if it interacts with others."""
        partners = [
            f"{other.variable} is 0" if other.level is None else self._reference(other)
            for other in self.terms.partners.get(part.variable, {}).values()
        ]
        return f", where {listed(partners)}" if partners else ""

    def _reference(self, part: TermPart) -> str:
        """Say that a variable is at its reference."""
        return f"{part.variable} is {self._reference_level(part)}"

    def _reference_level(self, part: TermPart) -> str:
        """Name the category that others are compared with."""
        level = self.terms.references.get(part.variable)
        return "the reference" if level is None else level

    def _value(self, j: int, *, with_zero: bool = True) -> str:
        """Return an estimate with its interval, and whether that includes 0."""
        limits = self.limits[j]
        error = float(self.tests.standard_errors[j])
        value, lower, upper = by_error([self.tests.estimates[j], *limits], error)
        if np.isnan(limits).any():
            return f"{value} (without an interval)"
        includes = ", which includes 0" if with_zero and limits[0] < 0.0 < limits[1] else ""
        return f"{value} ({level_text(self.level)} interval {lower} to {upper}{includes})"
