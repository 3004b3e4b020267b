"""The scikit-learn face of the library, and its formula functions.

The public names are listed in ``__init__.pyi`` and imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import lazy_loader as lazy

# Where these names were before there was model_selection, they are still found.
_MOVED = ("GroupConformalRegressor", "GroupScorer", "GroupScores", "cross_validate_groups")

_own, _, __all__ = lazy.attach_stub(__name__, __file__)
__all__.extend(_MOVED)


def __getattr__(name: str) -> Any:
    return getattr(import_module("skmixed.model_selection"), name) if name in _MOVED else _own(name)


def __dir__() -> list[str]:
    return list(__all__)
