"""Text of an lme4 formula -> parsed terms -> picklable recipe that makes arrays of a data frame."""

from __future__ import annotations

from skmixed.formula.columns import rows_with_missing
from skmixed.formula.parse import parse_formula, random_term
from skmixed.formula.recipe import FormulaMatrices, FormulaRecipe, columns_of, train_formula
from skmixed.formula.terms import ParsedFormula, RandomTerm

__all__ = [
    "FormulaMatrices",
    "FormulaRecipe",
    "ParsedFormula",
    "RandomTerm",
    "columns_of",
    "parse_formula",
    "random_term",
    "rows_with_missing",
    "train_formula",
]
