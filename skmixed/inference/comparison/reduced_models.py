"""A model without one of its random terms, or without one effect of a term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from skmixed.covariance import DirectSum, JointCovariance
from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.weights import Weights
from skmixed.fitting.model import LMMModel
from skmixed.inference.comparison.column_spaces import spans
from skmixed.inference.comparison.random_terms import (
    INTERCEPT,
    ModelTerm,
    NamedTerm,
    terms_by_block,
)

__all__ = ["reductions", "with_only_term", "without_term"]


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
