"""A model without one of its random terms, or without one effect of a term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import CovarianceStructure, DirectSum, JointCovariance
from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.weights import Weights
from skmixed.fitting.model import LMMModel
from skmixed.inference.comparison.column_spaces import spans
from skmixed.inference.comparison.random_terms import INTERCEPT, NamedTerm

__all__ = ["Reduction", "reductions", "with_only_term", "without_term"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Reduction:
    """Hold a smaller model and the words for what it lacks.

    Attributes
    ----------
    label : str
        ``"(1 | g)"`` for a term, ``"x in (1 + x | g)"`` for an effect of one.
    """

    label: str
    model: LMMModel


def reductions(model: LMMModel, terms: Sequence[NamedTerm], *, reduce: bool) -> list[Reduction]:
    """Return the models without each random term, or without each effect of it.

    A term of several effects loses them one by one, but for its intercept, as in lmerTest. What
    spans the intercept without having it, ``(0 + f | g)``, keeps ``(1 | g)``.

    Parameters
    ----------
    reduce : bool
        Whether to drop effects one by one, rather than whole terms.
    """
    found = []
    for term in terms:
        droppable = [effect for effect in term.distinct_effects if effect != INTERCEPT]
        for effect in droppable if reduce else ():
            kept = _kept_columns(model, term, effect)
            whole = kept is None
            label = term.label if whole else f"{effect} in {term.label}"
            found.append(Reduction(label, _with_term(model, term, kept)))
        if not (reduce and droppable):
            found.append(Reduction(term.label, without_term(model, term)))
    return found


def without_term(model: LMMModel, term: NamedTerm) -> LMMModel:
    """Return the model without a random term."""
    return _with_term(model, term, None)


def with_only_term(model: LMMModel, term: NamedTerm) -> LMMModel:
    """Return the model with one of its random terms only.

    Raises
    ------
    ValueError
        If the rows are counted by other groups.
    """
    block, joint = model.design.blocks[term.block], model.covariance.factors[term.block]
    part = _one_term(block, joint, term.term)
    return _with_parts(model, [(block, [part])])


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Hold one random term: columns, names and structure."""

    columns: FloatArray
    layout: TermLayout
    structure: CovarianceStructure


def _one_term(block: RandomBlock, joint: DirectSum, position: int) -> _Part:
    """Return one of the terms of a grouping factor."""
    columns = block.columns[:, joint.effect_slices[position]]
    return _Part(columns, block.terms[position], joint.structures[position])


def _kept_columns(model: LMMModel, term: NamedTerm, effect: str) -> _Part | None:
    """Return a term without an effect, None if nothing is left of it."""
    part = _one_term(
        model.design.blocks[term.block], model.covariance.factors[term.block], term.term
    )
    kept = [i for i, one in enumerate(term.effects) if one != effect]
    columns = part.columns[:, kept]
    names = tuple(part.layout.effect_names[i] for i in kept)
    ones = np.ones((len(columns), 1))
    if spans(part.columns, ones) and not spans(columns, ones):
        columns, names = np.concatenate([ones, columns], axis=1), (INTERCEPT, *names)
    return _Part(columns, TermLayout(names), part.structure) if names else None


def _with_term(model: LMMModel, term: NamedTerm, changed: _Part | None) -> LMMModel:
    """Return the model with another term in the place of one, or none."""
    parts = []
    for i, (block, joint) in enumerate(
        zip(model.design.blocks, model.covariance.factors, strict=True)
    ):
        own: list[_Part | None] = [_one_term(block, joint, j) for j in range(len(block.terms))]
        if i == term.block:
            own[term.term] = changed
        parts.append((block, [one for one in own if one is not None]))
    return _with_parts(model, parts)


def _with_parts(model: LMMModel, parts: Sequence[tuple[RandomBlock, Sequence[_Part]]]) -> LMMModel:
    """Return the model with other random terms of its grouping factors."""
    kept = [(block, own) for block, own in parts if own]
    blocks = tuple(
        RandomBlock(
            block.factor,
            np.concatenate([one.columns for one in own], axis=1),
            tuple(one.layout for one in own),
        )
        for block, own in kept
    )
    covariance = JointCovariance(
        tuple(
            DirectSum(
                tuple(one.structure for one in own), tuple(one.columns.shape[1] for one in own)
            )
            for _, own in kept
        )
    )
    # The rows stay, and so does a residual structure, even if its groups are those of no term left.
    return replace(model, design=_with_blocks(model.design, blocks), covariance=covariance)


def _with_blocks(design: Design, blocks: tuple[RandomBlock, ...]) -> Design:
    """Return the design with other random effects; groups that count several times still do."""
    if design.weights.groups is None:
        return replace(design, blocks=blocks)
    if blocks and blocks[0].factor is design.blocks[0].factor:
        return replace(design, blocks=blocks)
    if design.weights.precision is not None:
        raise ValueError(
            "The groups of group_weight leave the model with this term, and the rows have "
            "precision weights besides. Repeat the rows of the groups instead of weighting them."
        )
    return replace(
        design,
        blocks=blocks,
        weights=Weights(design.weights.row_multiplicity, "frequency"),
    )
