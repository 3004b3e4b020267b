"""From a design to a finished fit."""

from __future__ import annotations
