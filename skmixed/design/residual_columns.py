"""The columns of the data that a structure of the residuals reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.labels import label_values

__all__ = ["ResidualColumns"]


@dataclass(frozen=True, slots=True, eq=False)
class ResidualColumns(Mapping[Any, Any]):
    """Hold columns by the names that a residual structure has for them, in their own type."""

    values_by_name: Mapping[Any, Any]

    @classmethod
    def of(cls, columns: Mapping[Any, Any]) -> ResidualColumns:
        """Take columns of any type."""
        return cls({name: label_values(column) for name, column in columns.items()})

    def __getitem__(self, name: Any) -> Any:
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def select(self, rows: slice | NDArray[np.bool_] | NDArray[np.intp]) -> ResidualColumns:
        """Return some of the rows."""
        return ResidualColumns({name: column[rows] for name, column in self.values_by_name.items()})
