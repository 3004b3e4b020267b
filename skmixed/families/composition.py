"""Derivatives of a log density in eta, from those in a function of eta."""

from __future__ import annotations

import numpy as np

from skmixed.families.base import ExtraDerivatives, LinkDerivatives, RowDerivatives

__all__ = ["added", "composed"]


def composed(outer: RowDerivatives, inner: LinkDerivatives) -> RowDerivatives:
    """Return derivatives in eta by the chain rule.

    Parameters
    ----------
    inner : LinkDerivatives
        Of t in eta; NaN where eta has no such t.
    """
    slope, square = inner.first, inner.first * inner.first
    third = None
    if outer.third is not None:
        third = (
            outer.third * square * slope
            + 3.0 * outer.second * slope * inner.second
            + outer.first * inner.third
        )
    return RowDerivatives(
        value=np.where(np.isnan(inner.value), -np.inf, outer.value),
        first=outer.first * slope,
        second=outer.second * square + outer.first * inner.second,
        third=third,
        extra=tuple(
            ExtraDerivatives(
                one.first, one.mixed * slope, one.twice_mixed * square + one.mixed * inner.second
            )
            for one in outer.extra
        ),
    )


def added(left: RowDerivatives, right: RowDerivatives) -> RowDerivatives:
    """Return the derivatives of a sum, of two sets of the same kind."""
    third = None if left.third is None or right.third is None else left.third + right.third
    return RowDerivatives(
        value=left.value + right.value,
        first=left.first + right.first,
        second=left.second + right.second,
        third=third,
        extra=tuple(
            ExtraDerivatives(a.first + b.first, a.mixed + b.mixed, a.twice_mixed + b.twice_mixed)
            for a, b in zip(left.extra, right.extra, strict=True)
        ),
    )
