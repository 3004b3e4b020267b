"""Models in combination with options, most of them in slow tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

__all__ = ["in_turn"]


def in_turn(models: Iterable[tuple], options: Sequence[tuple]) -> list:
    """Pair every model with every option; all but one pair of each model are marked slow.

    The quick option changes from model to model, so that all of them are tried. An error that
    one option shows in a model, the others rarely hide.
    """
    return [
        pytest.param(
            (*model, *option),
            id="-".join(map(str, (*model, *option))),
            marks=() if (i + i // len(options)) % len(options) == j else pytest.mark.slow,
        )
        for i, model in enumerate(models)
        for j, option in enumerate(options)
    ]
