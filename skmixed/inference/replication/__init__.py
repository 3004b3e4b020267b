"""Simulated responses and bootstrap."""

from __future__ import annotations
