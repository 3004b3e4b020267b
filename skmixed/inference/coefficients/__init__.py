"""Degrees of freedom and tests of the fixed effects."""

from __future__ import annotations
