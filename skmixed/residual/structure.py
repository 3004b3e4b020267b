"""A structure of the residuals, and the product of some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

__all__ = ["Names", "Product", "ResidualStructure", "Scale", "contains", "named", "subscripted"]

Names = str | int | tuple[str | int, ...] | list[str | int]
"""A column, or several."""
Scale = Literal["linear", "log", "logit", "fisher"] | tuple[float, float]
"""Where a natural parameter is nearly normal: as it is, its logarithm, logit, or Fisher's z; for
two bounds, the logarithm of the ratio of its distances from them."""


class ResidualStructure:
    """A structure of Var(e) = sigma^2 R: correlations within groups, or unequal variances.

    Attributes
    ----------
    symbol : str
        Of its parameters, in LaTeX.
    equation : str
        In LaTeX: of correlations, that of rows i and i' of a group, with t their times; of
        variances, the standard deviation of row i relative to sigma, with s its stratum and v its
        covariate.
    may_vanish : bool
        Whether independent residuals of one variance are a special case.
    """

    symbol: ClassVar[str] = r"\vartheta"
    equation: ClassVar[str] = ""
    may_vanish: ClassVar[bool] = True

    def contains(self, other: ResidualStructure) -> bool:
        """Tell whether another structure is known to be a special case of this one.

        Parameters
        ----------
        other : ResidualStructure
            Of correlations, or of variances: no product.
        """
        return self == other

    @property
    def words(self) -> str:
        """Say what it is, for summaries and descriptions: by default by its name."""
        return type(self).__name__

    def __post_init__(self) -> None:
        """Keep lists of columns as tuples, so that equal structures are equal and hashable."""
        for name, value in vars(self).items():
            if isinstance(value, list):
                object.__setattr__(self, name, tuple(value))

    @property
    def factors(self) -> tuple[ResidualStructure, ...]:
        """Return the structures that it is a product of."""
        return (self,)

    def __mul__(self, other: Any) -> Product:
        """Combine correlations with standard deviations, which multiply them on both sides."""
        if not isinstance(other, ResidualStructure):
            return NotImplemented
        return Product((*self.factors, *other.factors))


@dataclass(frozen=True, repr=False)
class Product(ResidualStructure):
    """Combine structures: at most one of correlations, and any of standard deviations.

    Parameters
    ----------
    parts : tuple of ResidualStructure

    Examples
    --------
    >>> from skmixed.residual import AR1, Heterogeneous
    >>> AR1(time="visit") * Heterogeneous(by="visit")
    AR1(time='visit', group=None, by=None) * Heterogeneous(by='visit')
    """

    parts: tuple[ResidualStructure, ...]

    @property
    def factors(self) -> tuple[ResidualStructure, ...]:
        """Return the structures that it is a product of."""
        return self.parts

    def __repr__(self) -> str:
        return " * ".join(map(repr, self.parts))


def contains(large: ResidualStructure | None, small: ResidualStructure | None) -> bool:
    """Tell whether a structure is known to be a special case of another.

    Independent residuals of one variance, None, are one of all but known variances.
    """
    of_large = () if large is None else large.factors
    of_small = () if small is None else small.factors
    fixed = [one for one in of_large if not one.may_vanish]
    return all(any(one.contains(other) for one in of_large) for other in of_small) and all(
        one in of_small for one in fixed
    )


def named(names: Names | None) -> tuple[Any, ...]:
    """Return the columns that a structure names, none for None."""
    if names is None:
        return ()
    return tuple(names) if isinstance(names, list | tuple) else (names,)


def subscripted(symbol: str, name: str) -> str:
    """Return a LaTeX symbol with what follows the first word of a name as its subscript."""
    _, _, rest = name.partition(" ")
    return rf"{symbol}_{{\text{{{rest}}}}}" if rest else symbol
