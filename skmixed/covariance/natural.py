"""Natural parameters: what a variance structure has for its user, one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance.scales import NormalScale

__all__ = ["NaturalParameter", "ParameterValue"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ParameterValue:
    """Hold a natural parameter at one value of the parameters of its structure.

    Attributes
    ----------
    value : float
        NaN where it is undefined, as a correlation with an effect of variance 0.
    gradient : ndarray of shape (n_parameters,)
        In the parameters of the structure; 0 where there is none, as at a standard deviation of 0.
    departure : ndarray of shape (r, n_parameters) or None
        On the boundary, or within rounding of it, only: the derivative of a vector whose length is
        the distance from it, on the closed scale of the parameter.
    """

    value: float
    gradient: FloatArray
    departure: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class NaturalParameter:
    r"""Describe one parameter of a structure as its user knows it.

    Every table, interval and equation reads these.

    Attributes
    ----------
    name : str
        ``"sd"``, ``"cor"``, or a name of its own; tables add the effects and their group.
    at : callable
        Takes the parameters of the structure and returns the ParameterValue.
    scale : NormalScale
        On which the estimate is nearly normal.
    symbol : str
        In LaTeX, without subscripts.
    in_sigma : bool
        Whether the value is relative to the residual standard deviation.
    effects : tuple of int
        One effect that a standard deviation belongs to, or the two of a correlation. Others may
        share the parameter.
    powers : ndarray of int of shape (k, k) or None
        The power in which the parameter enters each entry of the covariance of the k effects. An
        entry is the product of all such powers, and 0 off the diagonal without any correlation.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.covariance.natural import NaturalParameter, ParameterValue
    >>> from skmixed.covariance.scales import Logarithm
    >>> def at(theta):
    ...     return ParameterValue(float(np.exp(theta[0])), np.exp(theta))
    >>> distance = NaturalParameter("range", at, Logarithm(), r"\ell")
    >>> distance.at(np.array([0.0]))
    ParameterValue(value=1.0, gradient=array([1.]), departure=None)
    """

    name: str
    at: Callable[[FloatArray], ParameterValue]
    scale: NormalScale
    symbol: str
    in_sigma: bool = False
    effects: tuple[int, ...] = ()
    powers: NDArray[np.intp] | None = None

    @property
    def common(self) -> bool:
        """Tell whether it enters all entries, or all of them off the diagonal."""
        powers = self.powers
        return powers is not None and bool((powers != 0)[~np.eye(len(powers), dtype=bool)].all())

    def labels(self, names: Sequence[str]) -> tuple[str | None, str | None]:
        """Name the effects it belongs to, those that share it by the first and the last of them.

        Parameters
        ----------
        names : sequence of str
            Of the k effects.
        """
        chosen = [names[i] for i in self.effects]
        if len(chosen) == 2:
            first, second = chosen
            return (_range(names),) * 2 if self.common and len(names) > 2 else (first, second)
        if chosen and self.powers is not None:
            chosen = [names[int(i)] for i in np.flatnonzero(self.powers.diagonal())]
        return _range(chosen) if chosen else None, None

    def full_name(self, names: Sequence[str], group: str) -> str:
        """Return the name in tables: ``sd_effect|group``, ``cor_effect2.effect1|group``.

        Parameters
        ----------
        names : sequence of str
            Of the k effects.
        group : str
        """
        joined = ".".join(label for label in reversed(self.labels(names)) if label)
        return f"{self.name}_{joined}|{group}" if joined else f"{self.name}|{group}"


def _range(names: Sequence[str]) -> str:
    """Name several effects together."""
    return names[0] if len(names) == 1 else f"{names[0]}..{names[-1]}"
