"""Linear hypotheses on the fixed effects, as users write them, to contrasts and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import FixedEffects
from skmixed.formula.algebra import linear_hypotheses

__all__ = ["LinearHypotheses", "read_hypotheses"]

FloatArray = NDArray[np.float64]

# Values that differ from what other hypotheses imply by more than this part contradict them.
CONTRADICTION = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class LinearHypotheses:
    """Hold hypotheses L beta = value on the p coefficients.

    Attributes
    ----------
    contrasts : ndarray of shape (n, p)
    values : ndarray of shape (n,)
    labels : list of str
        What each says, such as ``"x1 - 2 * x2 = 0"``.
    """

    contrasts: FloatArray
    values: FloatArray
    labels: list[str]

    def require_consistency(self) -> None:
        """Raise ValueError if no coefficients fulfil all hypotheses."""
        solution = np.linalg.lstsq(self.contrasts, self.values, rcond=None)[0]
        short = np.abs(self.contrasts @ solution - self.values)
        scale = np.abs(self.contrasts) @ np.abs(solution) + np.abs(self.values)
        if (short > CONTRADICTION * scale).any():
            raise ValueError(
                f"The hypotheses contradict each other: {', '.join(self.labels)}. Expected "
                "equations that can hold together."
            )


def read_hypotheses(hypotheses: Any, fixed: FixedEffects) -> LinearHypotheses:
    """Read hypotheses in any of the ways that statsmodels takes them.

    Parameters
    ----------
    hypotheses : str, list of str, mapping, array-like or (array-like, array-like)
        Equations in the names of the coefficients; values by name; contrasts of shape (n, p) or
        (p,), that are 0 under the hypothesis, alone or with other values. The columns of a data
        frame are names, and those that are left out count as 0.

    Raises
    ------
    ValueError
        If a name is unknown, a coefficient is aliased, a hypothesis says nothing, or shapes differ.
    """
    names = list(fixed.names)
    if isinstance(hypotheses, str | Mapping) or _is_texts(hypotheses):
        contrasts, values = linear_hypotheses(hypotheses, names)
    else:
        matrix, against = hypotheses if isinstance(hypotheses, tuple) else (hypotheses, 0.0)
        contrasts, values = _arrays(matrix, against, names)
    _require_estimates(contrasts, fixed)
    labels = [_label(row, value, names) for row, value in zip(contrasts, values, strict=True)]
    return LinearHypotheses(contrasts, values, labels)


def _is_texts(hypotheses: Any) -> bool:
    """Tell whether the hypotheses are a list of equations."""
    return isinstance(hypotheses, list | tuple) and any(isinstance(h, str) for h in hypotheses)


def _arrays(contrasts: Any, values: Any, names: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return contrasts of shape (n, p) and values of shape (n,)."""
    if isinstance(contrasts, pd.Series):
        contrasts = contrasts.to_frame().T
    if isinstance(contrasts, pd.DataFrame):
        unknown = [column for column in contrasts.columns if column not in names]
        if unknown:
            raise ValueError(
                f"The contrasts name {unknown}, which are no coefficients of the model: expected "
                f"some of {list(names)}."
            )
        contrasts = contrasts.reindex(columns=list(names), fill_value=0.0)
    matrix = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not np.isfinite(matrix).all():
        raise ValueError(
            f"Contrasts are finite numbers of shape (n, {len(names)}), one column for each of "
            f"{list(names)}; got shape {np.shape(contrasts)}."
        )
    flat = np.asarray(values, dtype=np.float64).reshape(-1)
    if len(flat) not in (1, len(matrix)) or not np.isfinite(flat).all():
        raise ValueError(
            f"Expected one finite value for each of the {len(matrix)} contrasts, got {values!r}."
        )
    return matrix, np.broadcast_to(flat, len(matrix))


def _require_estimates(contrasts: FloatArray, fixed: FixedEffects) -> None:
    """Raise ValueError unless every contrast is one of coefficients that have estimates."""
    if not contrasts.size or not contrasts.any(axis=1).all():
        raise ValueError(
            "A hypothesis has no coefficient in it: expected an equation such as 'x1 = x2', or a "
            "contrast that is not 0."
        )
    used = contrasts.any(axis=0)
    aliased = [name for name, bad in zip(fixed.names, used & fixed.aliased, strict=True) if bad]
    if aliased:
        raise ValueError(
            f"The hypothesis uses {aliased}, aliased with columns before them, so that they have "
            "no estimates. Leave them out of the hypothesis, or drop columns from the model."
        )


def _label(contrast: FloatArray, value: float, names: Sequence[str]) -> str:
    """Write a hypothesis as an equation."""
    text = ""
    for j in np.flatnonzero(contrast).tolist():
        size = abs(contrast[j])
        sign = ("- " if contrast[j] < 0 else "+ ") if text else ("-" if contrast[j] < 0 else "")
        text += f"{' ' if text else ''}{sign}{'' if size == 1.0 else f'{size:.6g} * '}{names[j]}"
    return f"{text} = {value + 0.0:.6g}"
