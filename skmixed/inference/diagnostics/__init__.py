"""Residuals, leverage, influence and robust covariances."""

from __future__ import annotations
