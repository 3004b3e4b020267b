"""Predictions of rows and groups from all others, at the estimated variance parameters."""

from __future__ import annotations
