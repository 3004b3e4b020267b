"""How new data are read: by what fit learned, with or without labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skmixed.design.arrays import Labels
from skmixed.design.design import NewRows
from skmixed.design.groups import Levels
from skmixed.design.residual_columns import ResidualColumns
from skmixed.exceptions import GroupsNotPassedWarning, warn_user
from skmixed.formula import FormulaRecipe
from skmixed.prediction.predict import Include

__all__ = [
    "NewRowReader",
    "refuse_second_labels",
    "say_that_groups_are_absent",
    "wanted_factors",
]


class NewRowReader(Protocol):
    """What fit learned of the data: where columns and labels are, and how rows are made of them.

    Nothing else reads columns of new data.
    """

    @property
    def factor_names(self) -> list[str]:
        """Name the grouping factors."""

    @property
    def labels_are_columns(self) -> bool:
        """Tell whether the labels are columns of the data."""

    @property
    def variables(self) -> list[str] | None:
        """Name the columns of data that predictions read; None for all of them."""

    @property
    def formula_recipe(self) -> FormulaRecipe | None:
        """Return how a formula makes its columns; None without a formula."""

    def read(self, X: Any, groups: Any) -> tuple[Any, list[Labels]]:
        """Return the columns of new data, and each factor's labels if they are known."""

    def residual_columns(self, X: Any) -> ResidualColumns | None:
        """Return the columns that a residual structure reads, None without all of them."""

    def extra_columns(self, X: Any) -> tuple[NDArray[np.float64] | None, ...]:
        """Return the columns of further predictors but for intercepts, None for constant ones."""

    def new_rows(
        self, columns: Any, labels: Sequence[Labels], unseen: str, missing: str = "error"
    ) -> NewRows:
        """Return the rows to predict."""

    def observed(self, X: Any, y: Any) -> Any:
        """Return the response of rows as it was given, or as a formula finds it in the data."""

    def response(self, X: Any, y: Any) -> NDArray[np.float64]:
        """Return the response of rows as checked numbers."""

    def with_levels(self, levels: Sequence[Levels]) -> NewRowReader:
        """Return the same with other levels of each factor."""


def refuse_second_labels(reader: NewRowReader, groups: Any, method: str) -> None:
    """Raise ValueError if labels stand beside X and among its columns too."""
    if groups is not None and reader.labels_are_columns:
        raise ValueError(
            "Labels were given twice: the constructor names columns of X for them, and "
            f"{method} got an array of groups. Keep one of them."
        )


def wanted_factors(include: Include, names: list[str]) -> list[str]:
    """Return the names of the factors whose random effects are included."""
    if isinstance(include, (bool, np.bool_)):
        return names if include else []
    chosen = [include] if isinstance(include, str) else list(include)
    unknown = [name for name in chosen if name not in names]
    if unknown:
        raise ValueError(
            f"include_random_effects names {unknown}, but the grouping factors are {names}. "
            "Name some of these, or give True or False."
        )
    return chosen


def say_that_groups_are_absent(absent: Sequence[str], *, insisted: bool) -> None:
    """Raise or warn because random effects are wanted and labels are not known."""
    if insisted:
        raise ValueError(
            "include_random_effects=True needs `groups`: this model was fitted with labels of "
            f"{absent}, so pass those of the rows too."
        )
    warn_user(
        f"This model was fitted with groups, but none are given here for {absent}: these are "
        "population predictions. Pass groups=, or include_random_effects=False to say that "
        "this is meant. In scikit-learn's tools name the column of labels in the constructor, "
        "or use GroupScorer with metadata routing.",
        GroupsNotPassedWarning,
    )
