"""The lines of profiles that ProfileDisplay shows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.inference import ProfileLikelihood
from skmixed.inference.intervals.profile_curve import ProfileCurve

__all__ = ["profile_arrays"]

FloatArray = NDArray[np.float64]

_PLACES = 201


def profile_arrays(profiled: ProfileLikelihood) -> dict[str, Any]:
    """Return the arguments of ProfileDisplay."""
    curves = profiled.curves
    lines = {name: _line(curve) for name, curve in curves.items()}
    return {
        "values": {name: values for name, (values, _) in lines.items()},
        "zeta": {name: zeta for name, (_, zeta) in lines.items()},
        "estimates": {name: curve.estimate for name, curve in curves.items()},
        "limits": {name: curve.limits for name, curve in curves.items()},
        "level": profiled.level,
    }


def _line(curve: ProfileCurve) -> tuple[FloatArray, FloatArray]:
    """Return values of the parameter and zeta there, close enough to be drawn as a line."""
    if len(curve.internal) < 2:
        return np.empty(0), np.empty(0)
    first, last = curve.internal[[0, -1]]
    values = curve.scale.to_user(np.linspace(first, last, _PLACES))
    zeta = curve.zeta_at(values)
    # The way to the user's scale and back may end beyond the curve by rounding.
    zeta[[0, -1]] = curve.zeta[[0, -1]]
    return values, zeta
