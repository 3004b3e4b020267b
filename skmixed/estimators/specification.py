"""From the arguments that make up a model to its design: columns of X, or a formula."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import validate_data

from skmixed.covariance import (
    DirectSum,
    JointCovariance,
    covariance_structure,
    needs_ordered_effects,
)
from skmixed.design.design import Design
from skmixed.estimators.array_input import ArrayInput, train_arrays
from skmixed.estimators.formula_input import FormulaInput, check_data, train_data
from skmixed.formula import ParsedFormula, parse_formula
from skmixed.formula.tables import require_different_names
from skmixed.likelihood.choose import SOLVERS
from skmixed.residual.structure import ResidualStructure

__all__ = [
    "check_arguments",
    "design_of_arguments",
    "design_of_formula",
    "formula_structures",
    "learn_columns",
]


def check_arguments(estimator: Any) -> None:
    """Raise ValueError for arguments that mean nothing, or contradict each other."""
    of, groups, slopes = type(estimator).__name__, estimator.groups, estimator.random_slopes
    if estimator.solver not in SOLVERS:
        raise ValueError(
            f"The 'solver' parameter of {of} must be one of {SOLVERS}, got {estimator.solver!r}."
        )
    if not estimator.verbose >= 0:
        raise ValueError(f"verbose must be 0 or more, got {estimator.verbose!r}.")
    if isinstance(groups, str) and "~" in groups:
        raise ValueError(f"groups={groups!r} looks like a formula. Write {of}(formula={groups!r}).")
    if estimator.formula is not None and (groups is not None or slopes is not None):
        raise ValueError(
            "formula= was given together with groups= or random_slopes=, which it replaces: "
            "write all of the model into the formula."
        )
    if not estimator.random_intercept and slopes is None:
        raise ValueError(
            "random_intercept=False leaves no random effect without random_slopes. Name the "
            "columns with random slopes."
        )
    if not isinstance(estimator.average, (bool, np.bool_)):
        raise ValueError(f"average must be True or False, got {estimator.average!r}.")


def design_of_arguments(
    estimator: Any, X: Any, y: Any, groups: Any, residual: ResidualStructure | None
) -> tuple[Design, JointCovariance, ArrayInput | FormulaInput]:
    """Return the design that an estimator's arguments describe, and learn the columns of X."""
    if estimator.formula is not None:
        learn_columns(estimator, X)
        return design_of_formula(parse_formula(estimator.formula), X, y, residual=residual)
    design, learned = train_arrays(
        estimator,
        X,
        y,
        groups,
        random_slopes=estimator.random_slopes,
        random_intercept=bool(estimator.random_intercept),
        residual=residual,
    )
    covariance = _chosen_structures(estimator.covariance, design)
    _require_ordered_effects(design, covariance)
    return design, covariance, learned


def design_of_formula(
    parsed: ParsedFormula,
    data: Any,
    y: Any = None,
    environment: Mapping[str, Any] | None = None,
    residual: ResidualStructure | None = None,
) -> tuple[Design, JointCovariance, FormulaInput]:
    """Return the design that a formula describes, which may use names of an environment."""
    design, form = train_data(parsed, data, y, environment=environment, residual=residual)
    covariance = formula_structures(parsed, design, form)
    _require_ordered_effects(design, covariance)
    return design, covariance, form


def learn_columns(estimator: Any, X: Any) -> None:
    """Learn the columns of a table that a formula describes."""
    check_data(X, "X")
    if not isinstance(X, Mapping):
        require_different_names(X, "X")
        validate_data(estimator, X, skip_check_array=True)


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


def _chosen_structures(chosen: Any, design: Design) -> JointCovariance:
    """Return the structure that the argument covariance gives to each factor."""
    names = [block.factor.levels.name for block in design.blocks]
    by_name = chosen if isinstance(chosen, Mapping) else dict.fromkeys(names, chosen)
    unknown = [name for name in by_name if name not in names]
    if unknown:
        raise ValueError(f"covariance names the factors {unknown}; the factors are {names}.")
    if not isinstance(chosen, Mapping):
        covariance_structure(chosen)
    return JointCovariance(
        tuple(
            DirectSum(
                (covariance_structure(by_name.get(name, "unstructured")),),
                (len(block.effect_names),),
            )
            for name, block in zip(names, design.blocks, strict=True)
        )
    )


def _require_ordered_effects(design: Design, covariance: JointCovariance) -> None:
    """Raise ValueError if a covariance over occasions has anything but one effect for each."""
    for block, joint in zip(design.blocks, covariance.factors, strict=True):
        for term, structure in zip(block.terms, joint.structures, strict=True):
            if not needs_ordered_effects(structure):
                continue
            name = block.factor.levels.name
            if len(term.effect_names) == 1:
                raise ValueError(
                    f"The covariance {structure!r} of '{name}' has one effect, "
                    f"{list(term.effect_names)}: expected an effect for each of two or more "
                    "occasions. Make the time a factor, as in 'ar1(0 + C(time) | g)', or name a "
                    "column for each occasion in random_slopes; other factors get their covariance "
                    "by a dict."
                )
            if term.intercept is not None:
                raise ValueError(
                    f"The covariance {structure!r} of '{name}' is over "
                    f"{list(term.effect_names)}: expected one effect for each occasion, and no "
                    "intercept. Leave it out by 'ar1(0 + occasion | g)', or by "
                    "random_intercept=False."
                )
