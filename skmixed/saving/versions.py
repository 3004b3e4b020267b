"""The version that saved a model, and what becomes of it in another version."""

from __future__ import annotations

from typing import Any

from skmixed import __version__
from skmixed.exceptions import InconsistentVersionWarning, warn_user

__all__ = ["VersionedState"]

LAYOUT = 3
"""Raise it when fields of saved objects change: what was saved before is then refused."""


class VersionedState:
    """Save the version of skmixed with an object, and look at it when the object is loaded."""

    def __getstate__(self) -> dict[str, Any]:
        """Return the state of the other bases, and the version."""
        state: Any = super().__getstate__()
        return {**state, "_skmixed_version": __version__, "_skmixed_layout": LAYOUT}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the state if this version can read it."""
        state = dict(state)
        version = state.pop("_skmixed_version", "unknown")
        layout = state.pop("_skmixed_layout", 0)
        if layout != LAYOUT:
            raise ValueError(
                f"This model was saved by version {version} of skmixed, and version {__version__} "
                f"cannot read it: its layout is number {layout}, expected {LAYOUT}. Load it with "
                "the version that saved it, or fit the model again."
            )
        if version != __version__:
            warn_user(
                f"This model was saved by version {version} of skmixed and is loaded by version "
                f"{__version__}, in which its results may differ. Fit it again, or load it with "
                "the version that saved it.",
                InconsistentVersionWarning,
            )
        super().__setstate__(state)  # type: ignore[misc]
