"""The random terms of a model: what they are called, and what they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import CovarianceStructure
from skmixed.design.design import RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe

__all__ = ["INTERCEPT", "ModelTerm", "NamedTerm", "named_terms", "terms_by_block"]

INTERCEPT = "Intercept"


@dataclass(frozen=True, slots=True, eq=False)
class ModelTerm:
    """Hold one random term of a model: its grouping, columns of shape (n, k), names, structure."""

    factor: GroupingFactor
    columns: NDArray[np.float64]
    layout: TermLayout
    structure: CovarianceStructure

    @property
    def n_effects(self) -> int:
        """Count the effects."""
        return self.columns.shape[1]

    @property
    def n_parameters(self) -> int:
        """Count the variance parameters."""
        return self.structure.n_parameters(self.n_effects)


def terms_by_block(model: LMMModel | GLMMModel) -> list[list[ModelTerm]]:
    """Return the random terms of each grouping factor of a model."""
    return [
        [
            ModelTerm(block.factor, block.columns[:, effects], layout, structure)
            for layout, structure, effects in zip(
                block.terms, joint.structures, joint.effect_slices, strict=True
            )
        ]
        for block, joint in zip(model.design.blocks, model.covariance.factors, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class NamedTerm:
    """Hold where one random term is in a model, and its effects in the words of the formula.

    ``block`` and ``term`` are its positions; of ``effects`` there is one for each column, and all
    columns of one categorical variable have the same.
    """

    block: int
    term: int
    group: str
    effects: tuple[str, ...]

    @property
    def distinct_effects(self) -> tuple[str, ...]:
        """Return each effect once."""
        return tuple(dict.fromkeys(self.effects))

    @property
    def label(self) -> str:
        """Write the term as in a formula."""
        written = ["1" if effect == INTERCEPT else effect for effect in self.distinct_effects]
        if "1" not in written:
            written.insert(0, "0")
        return f"({' + '.join(written)} | {self.group})"


def named_terms(
    blocks: Sequence[RandomBlock] | Sequence[Any], recipe: FormulaRecipe | None = None
) -> list[NamedTerm]:
    """Return the random terms of a model, factor by factor.

    The recipe tells the columns of one categorical variable; without it each column is an effect.
    """
    written: dict[str, list[tuple[str, ...]]] = {}
    if recipe is not None:
        for one, columns in zip(recipe.parsed.random, recipe.effect_terms, strict=True):
            own = tuple(INTERCEPT if column == "1" else column for column in columns)
            written.setdefault(one.name, []).append(own)
    found = []
    for i, block in enumerate(blocks):
        group = block.factor.levels.name if isinstance(block, RandomBlock) else block.name
        in_formula = written.get(group, [])
        for j, term in enumerate(block.terms):
            known = j < len(in_formula) and len(in_formula[j]) == len(term.effect_names)
            effects = in_formula[j] if known else term.effect_names
            found.append(NamedTerm(i, j, group, effects))
    return found
