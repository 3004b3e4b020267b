"""A finished fit in symbols and in words."""

from __future__ import annotations
