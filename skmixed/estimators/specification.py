"""Which arguments make up a model: columns of X for groups and slopes, or a formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sklearn.utils.validation import validate_data

from skmixed.covariance import DirectSum, JointCovariance, covariance_structure
from skmixed.design.design import Design
from skmixed.estimators.array_input import ArrayInput, train_arrays
from skmixed.estimators.base import MixedModel
from skmixed.estimators.formula_input import FormulaInput, check_data, train_data
from skmixed.formula import FormulaRecipe, ParsedFormula, parse_formula
from skmixed.formula.tables import require_different_names
from skmixed.formula.values import unmasked
from skmixed.likelihood.choose import SOLVERS

__all__ = ["ModelSpecification"]


class ModelSpecification(MixedModel):
    """Read the arguments groups, random_slopes, random_intercept and covariance, or formula."""

    random_slopes: Any
    random_intercept: bool
    covariance: Any
    solver: str
    verbose: int

    def _check_parameters(self) -> None:
        """Raise ValueError for arguments that mean nothing, or contradict each other."""
        super()._check_parameters()
        if self.solver not in SOLVERS:
            raise ValueError(
                f"The 'solver' parameter of {type(self).__name__} must be one of {SOLVERS}, got "
                f"{self.solver!r}."
            )
        if not self.verbose >= 0:
            raise ValueError(f"verbose must be 0 or more, got {self.verbose!r}.")
        if isinstance(self.groups, str) and "~" in self.groups:
            raise ValueError(
                f"groups={self.groups!r} looks like a formula. Write "
                f"{type(self).__name__}(formula={self.groups!r})."
            )
        if self.formula is not None and (self.groups is not None or self.random_slopes is not None):
            raise ValueError(
                "formula= was given together with groups= or random_slopes=, which it replaces: "
                "write all of the model into the formula."
            )
        if not self.random_intercept and self.random_slopes is None:
            raise ValueError(
                "random_intercept=False leaves no random effect without random_slopes. Name the "
                "columns with random slopes."
            )

    def _design(
        self, X: Any, y: Any, groups: Any
    ) -> tuple[Design, JointCovariance, ArrayInput | FormulaInput]:
        """Return the design that the arguments or the formula describe."""
        if self.formula is None:
            design, learned = train_arrays(
                self,
                X,
                y,
                groups,
                random_slopes=self.random_slopes,
                random_intercept=bool(self.random_intercept),
                residual=self._residual(),
            )
            covariance = self._structures(design)
            return design, covariance, learned
        self._learn_columns(X)
        return self._formula_design(parse_formula(self.formula), X, y)

    def _learn_columns(self, X: Any) -> None:
        """Learn the columns of a table that a formula describes."""
        check_data(X, "X")
        if not isinstance(X, Mapping):
            require_different_names(X, "X")
            validate_data(self, X, skip_check_array=True)

    def _formula_design(
        self,
        parsed: ParsedFormula,
        data: Any,
        y: Any = None,
        environment: Mapping[str, Any] | None = None,
    ) -> tuple[Design, JointCovariance, FormulaInput]:
        """Return the design that a formula describes, which may use names of an environment."""
        design, form = train_data(
            parsed, data, y, environment=environment, residual=self._residual()
        )
        return design, formula_structures(parsed, design, form), form

    def _structures(self, design: Design) -> JointCovariance:
        """Return the structure that the argument covariance gives to each factor."""
        names = [block.factor.levels.name for block in design.blocks]
        chosen = self.covariance
        if isinstance(chosen, Mapping):
            unknown = [name for name in chosen if name not in names]
            if unknown:
                raise ValueError(
                    f"covariance names the factors {unknown}; the factors are {names}."
                )
            structures = [covariance_structure(chosen.get(name, "unstructured")) for name in names]
        else:
            structures = [covariance_structure(chosen)] * len(names)
        sizes = [len(block.effect_names) for block in design.blocks]
        return JointCovariance(
            tuple(DirectSum((s,), (k,)) for s, k in zip(structures, sizes, strict=True))
        )

    @property
    def recipe(self) -> FormulaRecipe | None:
        """Return how the formula makes its columns; None for a model of arrays."""
        return self._input.formula_recipe

    @property
    def predictor_columns(self) -> list[str] | None:
        """Name the columns of data that predict reads; None for all columns of an array."""
        return self._input.variables

    def observed_response(self, X: Any, y: Any = None) -> Any:
        """Return the response of rows: y, or what the formula finds in X, shape (n,)."""
        return unmasked(self._input.observed(X, y))

    def _response_name(self) -> str:
        """Name the response as the formula does."""
        response = None if self.formula is None else parse_formula(self.formula).response
        return response or super()._response_name()

    def _no_groups_message(self) -> str:
        """Say that the model has no groups, and how it gets them."""
        if self.formula is None:
            return super()._no_groups_message()
        return (
            f"The formula {self.formula!r} has no random effects: this is {self._without_groups}. "
            "Add a term such as '(1 | g)'."
        )


def formula_structures(
    parsed: ParsedFormula, design: Design, form: FormulaInput
) -> JointCovariance:
    """Return the structures of a formula's random terms, factor by factor."""
    return JointCovariance(
        tuple(
            DirectSum(
                tuple(covariance_structure(parsed.random[i].covariance) for i in factor.terms),
                tuple(len(term.effect_names) for term in block.terms),
            )
            for factor, block in zip(form.design.factors, design.blocks, strict=True)
        )
    )
