"""Which residual structures are special cases of others."""

from __future__ import annotations

from skmixed.residual.structure import ResidualStructure

__all__ = ["contains"]


def contains(large: ResidualStructure | None, small: ResidualStructure | None) -> bool:
    """Tell whether a residual structure is known to be a special case of another.

    Parameters
    ----------
    large, small : ResidualStructure or None
        None for independent residuals of one variance, a special case of all but known variances.

    Examples
    --------
    >>> from skmixed.residual import AR1, Heterogeneous, Toeplitz
    >>> from skmixed.residual.nesting import contains
    >>> contains(Toeplitz("visit") * Heterogeneous("visit"), AR1("visit"))
    True
    >>> contains(AR1("visit"), Heterogeneous("visit"))
    False
    """
    of_large = () if large is None else large.factors
    of_small = () if small is None else small.factors
    fixed = [one for one in of_large if not one.may_vanish]
    return all(any(one.contains(other) for one in of_large) for other in of_small) and all(
        one in of_small for one in fixed
    )
