"""Finished fits to tests, intervals and degrees of freedom."""

from __future__ import annotations
