"""Tests of random effects and comparisons of models."""

from __future__ import annotations
