"""Terms and data to arrays: levels of groups, columns of X and Z, standardised coordinates."""

from __future__ import annotations
