"""The random terms of a model: what they are called and made of, and the model without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import CovarianceStructure, DirectSum, JointCovariance
from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.groups import GroupingFactor
from skmixed.design.weights import Weights
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.model import LMMModel
from skmixed.formula import FormulaRecipe
from skmixed.inference.comparison.column_spaces import spans

__all__ = [
    "ModelTerm",
    "NamedTerm",
    "named_terms",
    "reductions",
    "terms_by_block",
    "with_only_term",
    "without_term",
]

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


def reductions(
    model: LMMModel, terms: Sequence[NamedTerm], *, reduce: bool
) -> list[tuple[str, LMMModel]]:
    """Return the models without each random term, or each effect of it, and what each lacks.

    If told to ``reduce``, a term of several effects loses them one by one, but for its intercept,
    as in lmerTest. What spans the intercept without having it, ``(0 + f | g)``, keeps ``(1 | g)``.
    """
    found = []
    for term in terms:
        droppable = [effect for effect in term.distinct_effects if effect != INTERCEPT]
        for effect in droppable if reduce else ():
            kept = _without_effect(terms_by_block(model)[term.block][term.term], term, effect)
            label = term.label if kept is None else f"{effect} in {term.label}"
            found.append((label, _with_term(model, term, kept)))
        if not (reduce and droppable):
            found.append((term.label, without_term(model, term)))
    return found


def without_term(model: LMMModel, term: NamedTerm) -> LMMModel:
    """Return the model without a random term."""
    return _with_term(model, term, None)


def with_only_term(model: LMMModel, term: NamedTerm) -> LMMModel:
    """Return the model with one of its random terms only."""
    return _with_terms(model, [[terms_by_block(model)[term.block][term.term]]])


def _without_effect(whole: ModelTerm, term: NamedTerm, effect: str) -> ModelTerm | None:
    """Return a term without an effect, None if nothing is left of it."""
    kept = [i for i, one in enumerate(term.effects) if one != effect]
    columns = whole.columns[:, kept]
    names = tuple(whole.layout.effect_names[i] for i in kept)
    ones = np.ones((len(columns), 1))
    if spans(whole.columns, ones) and not spans(columns, ones):
        columns, names = np.concatenate([ones, columns], axis=1), (INTERCEPT, *names)
    return replace(whole, columns=columns, layout=TermLayout(names)) if names else None


def _with_term(model: LMMModel, term: NamedTerm, changed: ModelTerm | None) -> LMMModel:
    """Return the model with another term in the place of one, or none."""
    terms = terms_by_block(model)
    terms[term.block][term.term : term.term + 1] = [] if changed is None else [changed]
    return _with_terms(model, terms)


def _with_terms(model: LMMModel, terms: Sequence[Sequence[ModelTerm]]) -> LMMModel:
    """Return the model with other random terms of its grouping factors."""
    kept = [own for own in terms if own]
    blocks = tuple(
        RandomBlock(
            own[0].factor,
            np.concatenate([one.columns for one in own], axis=1),
            tuple(one.layout for one in own),
        )
        for own in kept
    )
    covariance = JointCovariance(
        tuple(
            DirectSum(tuple(one.structure for one in own), tuple(one.n_effects for one in own))
            for own in kept
        )
    )
    design = replace(model.design, blocks=blocks, weights=_weights_with(model.design, blocks))
    # The rows stay, and so does a residual structure, even if its groups are those of no term left.
    return replace(model, design=design, covariance=covariance)


def _weights_with(design: Design, blocks: tuple[RandomBlock, ...]) -> Weights:
    """Return the weights with other random effects: groups that count several times still do."""
    weights = design.weights
    if weights.groups is None or (blocks and blocks[0].factor is design.blocks[0].factor):
        return weights
    if weights.precision is not None:
        raise ValueError(
            "The groups of group_weight leave the model with this term, and the rows have "
            "precision weights besides. Repeat the rows of the groups instead of weighting them."
        )
    return Weights(weights.row_multiplicity, "frequency")
