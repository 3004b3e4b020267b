"""What a formula may use without an environment: functions, names of NumPy, and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import patsy
import patsy.builtins

from skmixed.formula import transforms

__all__ = ["FUNCTIONS", "NUMPY_NAMES", "VALUE_ATTRIBUTES", "is_own"]

FUNCTIONS: Mapping[str, Any] = {
    **{name: getattr(patsy, name) for name in ("bs", "cr", "cc", "te")},
    **{name: getattr(patsy, name) for name in ("Treatment", "Poly", "Sum", "Helmert", "Diff")},
    "ContrastMatrix": patsy.ContrastMatrix,
    "I": patsy.builtins.I,
    "C": transforms.Category,
    "factor": transforms.Category,
    "center": transforms.Center,
    "scale": transforms.Scale,
    "standardize": transforms.Standardize,
    "poly": transforms.Polynomial,
    "log": transforms.log,
    **{name: getattr(np, name) for name in ("exp", "sqrt", "log10", "log2", "log1p", "expm1")},
    **{name: getattr(np, name) for name in ("abs", "sin", "cos", "tan", "floor", "round")},
    **{function.__name__: function for function in (bool, float, int, len, list, range, str)},
    "np": np,
}
"""What the names of a formula mean where they are no column and not in the user's environment."""

_ELEMENTWISE = """
    abs absolute add angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh cbrt ceil clip
    copysign cos cosh deg2rad degrees digitize divide e equal exp exp2 expm1 fabs fix float_power
    floor floor_divide fmax fmin fmod greater greater_equal heaviside hypot inf interp isfinite
    isin isinf isnan less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and
    logical_not logical_or logical_xor maximum minimum mod multiply nan nan_to_num negative
    not_equal pi positive power rad2deg radians reciprocal remainder rint round select sign sin
    sinc sinh sqrt square subtract tan tanh true_divide trunc where
"""
_SUMMARIES = """
    max mean median min quantile std sum var nanmax nanmean nanmedian nanmin nanstd nansum nanvar
"""
_VALUES = "arange array datetime64 float64 int64 linspace timedelta64"

NUMPY_NAMES = frozenset((_ELEMENTWISE + _SUMMARIES + _VALUES).split())
"""What a formula may take of NumPy: elementwise functions, summaries, and small arrays."""

VALUE_ATTRIBUTES = frozenset(["astype", "clip", "max", "mean", "min", "round", "std", "sum", "var"])
"""What a formula may take of columns and of what is computed from them."""

_OWN = frozenset(map(id, FUNCTIONS.values()))


def is_own(value: Any) -> bool:
    """Tell whether a value is one that every formula knows, not one of the user's environment."""
    return id(value) in _OWN
