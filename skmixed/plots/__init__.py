"""Displays of fitted models: they store arrays, then draw them with matplotlib."""

from __future__ import annotations

from skmixed.plots.random_effects import RandomEffectsDisplay

__all__ = ["RandomEffectsDisplay"]
