"""Folds for two questions: new rows of groups that were fitted, and rows of new groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, PredefinedSplit

from skmixed.design.groups import GroupingFactor

__all__ = [
    "KNOWN_GROUPS",
    "NEW_GROUPS",
    "GroupFold",
    "folds_of_groups",
    "folds_of_rows",
]

Codes = NDArray[np.intp]

KNOWN_GROUPS = "new rows of known groups"
NEW_GROUPS = "new groups"


@dataclass(frozen=True, slots=True, eq=False)
class GroupFold:
    """Hold one division of the rows.

    Attributes
    ----------
    question : str
    factor : str
        The factor whose groups are new; all factors, where all groups are known.
    number : int
        Counted from 1.
    train, test : ndarray of int
        Positions of rows.
    """

    question: str
    factor: str
    number: int
    train: Codes
    test: Codes


def folds_of_rows(
    factors: Mapping[str, GroupingFactor], n_folds: int, random: np.random.RandomState
) -> list[GroupFold]:
    """Divide the rows so that every test row's groups have rows in the training part.

    The rows of a group go to folds in turn. Rows that would take all of a group with them, above
    all those of singletons, are in no test part and in every training part.

    Parameters
    ----------
    factors : mapping of str to GroupingFactor
    n_folds : int
    random : RandomState
    """
    finest = max(factors.values(), key=lambda factor: len(factor.levels))
    shuffled_levels = random.permutation(len(finest.levels))
    order = np.lexsort([random.permutation(len(finest.codes)), shuffled_levels[finest.codes]])
    fold = np.empty(len(order), dtype=np.intp)
    fold[order] = np.arange(len(order)) % n_folds
    alone = np.any([_holds_its_group(factor, fold, n_folds) for factor in factors.values()], axis=0)
    # scikit-learn's sign for rows that are never tested.
    fold[alone] = -1
    splits = [] if alone.all() else PredefinedSplit(fold).split()
    return [
        GroupFold(KNOWN_GROUPS, ", ".join(factors), number, train, test)
        for number, (train, test) in enumerate(splits, start=1)
    ]


def folds_of_groups(
    name: str, factor: GroupingFactor, n_folds: int, random: np.random.RandomState
) -> list[GroupFold]:
    """Divide the groups of a factor at random, all rows of a group together.

    Raises
    ------
    ValueError
        If there are fewer groups than folds.
    """
    n_groups = len(factor.levels)
    if n_groups < n_folds:
        raise ValueError(
            f"cv={n_folds} folds need as many groups, but {name!r} has {n_groups}. Give a smaller "
            "cv, at least 2."
        )
    splitter = GroupKFold(n_folds, shuffle=True, random_state=random)
    return [
        GroupFold(NEW_GROUPS, name, number, train, test)
        for number, (train, test) in enumerate(
            splitter.split(factor.codes, groups=factor.codes), start=1
        )
    ]


def _holds_its_group(factor: GroupingFactor, fold: Codes, n_folds: int) -> NDArray[np.bool_]:
    """Tell of each row whether its fold holds all rows of its group."""
    cell = factor.codes * n_folds + fold
    return np.asarray(np.bincount(cell)[cell] == factor.sizes[factor.codes])
