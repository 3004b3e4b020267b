"""Marginal means, slopes and their contrasts."""

from __future__ import annotations
