"""Intervals of every parameter: Wald, and by the profile likelihood."""

from __future__ import annotations
