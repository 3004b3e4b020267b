"""Dataclasses that are saved without what their cached properties hold."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

__all__ = ["FieldState"]


class FieldState:
    """Save the fields of a dataclass alone: cached values are computed again where needed.

    A model is then saved the same before and after it has predicted.
    """

    def __getstate__(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Set the fields, of a frozen dataclass too."""
        self.__dict__.update(state)
