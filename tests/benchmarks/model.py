"""A mixed model of columns y, x0, x1, ... and columns of labels, as every library is told it."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Model"]


@dataclass(frozen=True)
class Model:
    """Say which model is wanted.

    Attributes
    ----------
    random : tuple of str
        The random terms in the language of lme4, without brackets: "1 + x0 | g".
    n_covariates : int
        Number of fixed effects beside the intercept.
    reml : bool
    """

    random: tuple[str, ...] = ("1 + x0 | g",)
    n_covariates: int = 1
    reml: bool = True

    @property
    def predictors(self) -> list[str]:
        """Name the fixed effects."""
        return [f"x{j}" for j in range(self.n_covariates)]

    @property
    def fixed_formula(self) -> str:
        """Write the fixed part in the language of R."""
        return "y ~ " + " + ".join(self.predictors)

    @property
    def formula(self) -> str:
        """Write the model in the language of lme4."""
        return " + ".join([self.fixed_formula, *(f"({term})" for term in self.random)])

    @property
    def groups(self) -> list[str]:
        """Write what stands to the right of the bars."""
        return [term.partition("|")[2].strip() for term in self.random]

    @property
    def labels(self) -> list[str]:
        """Name the columns of labels, in the order of the terms."""
        return list(dict.fromkeys(re.findall(r"\w+", " ".join(self.groups))))

    @property
    def slope(self) -> bool:
        """Tell whether the effect of x0 varies."""
        return any("x0" in term.partition("|")[0] for term in self.random)

    @property
    def method(self) -> str:
        """Name the criterion."""
        return "reml" if self.reml else "ml"
