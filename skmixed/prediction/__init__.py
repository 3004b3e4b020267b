"""From a finished fit and new rows to means and their uncertainty."""

from __future__ import annotations
