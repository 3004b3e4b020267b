"""What the parts of a model explain."""

from __future__ import annotations
