"""Folds for two questions: new rows of groups that were fitted, and rows of new groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    PredefinedSplit,
    check_cv,
)
from sklearn.utils import check_random_state

from skmixed.design.groups import GroupingFactor

__all__ = [
    "KNOWN_GROUPS",
    "NEW_GROUPS",
    "GroupFold",
    "Split",
    "folds_of_groups",
    "folds_of_rows",
    "random_division",
    "splits_of_groups",
]

Codes = NDArray[np.intp]
Split = tuple[Codes, Codes]

KNOWN_GROUPS = "new rows of known groups"
NEW_GROUPS = "new groups"


@dataclass(frozen=True, slots=True, eq=False)
class GroupFold:
    """Hold one division of the rows, numbered from 1.

    The factor is that whose groups are new; all factors, where all groups are known.
    """

    question: str
    factor: str
    number: int
    train: Codes
    test: Codes


def random_division(random_state: Any) -> np.random.RandomState:
    """Return what scikit-learn's splitters draw from; NumPy's global state is left alone."""
    if random_state is None:
        return np.random.RandomState(np.random.MT19937())
    if isinstance(random_state, np.random.Generator):
        return np.random.RandomState(random_state.bit_generator)
    return check_random_state(random_state)


def folds_of_rows(
    factors: Mapping[str, GroupingFactor], n_folds: int, random: np.random.RandomState
) -> list[GroupFold]:
    """Divide the rows so that every test row's groups have rows in the training part.

    The rows of a group go to folds in turn. Rows that would take all of a group with them, above
    all those of singletons, are in no test part and in every training part.
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
    """Divide the groups of a factor at random, all rows of a group together."""
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


def splits_of_groups(
    name: str,
    factor: GroupingFactor,
    cv: Any,
    random_state: Any,
    *,
    calibration_size: float | None = None,
) -> list[Split]:
    """Return the rows to fit and to calibrate, where a group is calibrated once with all its rows.

    ``cv`` is at most the number of groups; ``calibration_size`` is what is set aside once, instead
    of folds.
    """
    n_groups, random = len(factor.levels), random_division(random_state)
    if n_groups < 2:
        raise ValueError(
            f"New groups need at least 2 groups to learn from, but {name!r} has {n_groups} "
            f"(n_samples = {len(factor.codes)})."
        )
    if calibration_size is not None:
        splitter = GroupShuffleSplit(1, test_size=calibration_size, random_state=random)
    elif isinstance(cv, (int, np.integer)):
        splitter = GroupKFold(min(int(cv), n_groups), shuffle=True, random_state=random)
    else:
        splitter = check_cv(cv)
    splits = list(splitter.split(factor.codes, groups=factor.codes))
    tested = np.concatenate([test for _, test in splits])
    if len(np.unique(tested)) < len(tested) or any(
        np.isin(factor.codes[test], factor.codes[train]).any() for train, test in splits
    ):
        raise ValueError(
            "cv must divide groups, each of which is tested once with all of its rows, as by "
            "GroupKFold or LeaveOneGroupOut. Give a number of folds."
        )
    return splits


def _holds_its_group(factor: GroupingFactor, fold: Codes, n_folds: int) -> NDArray[np.bool_]:
    """Tell of each row whether its fold holds all rows of its group."""
    cell = factor.codes * n_folds + fold
    return np.asarray(np.bincount(cell)[cell] == factor.sizes[factor.codes])
