"""What a process ends with where there is nothing to measure."""

from __future__ import annotations

__all__ = ["ABSENT", "NOT_INSTALLED"]

NOT_INSTALLED = 3
"""The library is not installed under this interpreter."""
ABSENT = 4
"""The data are not on this machine."""
