"""Plots of the profile likelihood of the parameters of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmixed.inference import ProfileLikelihood, profile
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.intervals.profile_curve import ProfileCurve
from skmixed.plots.display import Display, check_choice, number_array
from skmixed.plots.docstrings import fill_docstrings
from skmixed.plots.drawing.profile import KINDS, ParameterProfile, draw_profile
from skmixed.plots.reading.sources import model_and_steps

__all__ = ["ProfileDisplay"]

_PLACES = 201


@fill_docstrings
class ProfileDisplay(Display):
    """Show how well the data determine each parameter: its profile likelihood.

    Zeta is the signed root of what -2 log-likelihood is above its minimum when one parameter is
    held and all others take their best values. It is a straight line where the likelihood is
    quadratic, and a Wald interval right; the confidence limits are where it crosses a normal
    quantile. The density is that of the parameter if zeta is standard normal (Bates, Maechler,
    Bolker and Walker 2015, section 5.1).
    Make one with `from_profile`, `from_estimator` or `from_results`.

    Parameters
    ----------
    values : mapping of str to array-like of shape (n_points,)
        For each parameter, values of it, ascending; empty where the data say nothing of it.
    zeta : mapping of str to array-like of shape (n_points,)
    estimates : mapping of str to float
    limits : mapping of str to (float, float)
        Of confidence intervals.
    level : float, default=0.95
        Confidence of the limits.

    Attributes
    ----------
    profiles : dict of str to ParameterProfile
        ``values``, ``zeta``, ``density``, ``estimate`` and ``limits`` of each parameter.
    ax_ : matplotlib Axes, or ndarray of Axes if there are several parameters
    figure_ : matplotlib Figure
    curves_ : dict of str to Line2D
    limits_ : dict of str to PathCollection or PolyCollection
        Points at the limits, or the shaded interval under a density.

    Raises
    ------
    ValueError
        If shapes disagree, there is no parameter, or level is not between 0 and 1.

    Examples
    --------
    >>> from skmixed.plots import ProfileDisplay
    >>> display = ProfileDisplay(
    ...     values={"mean": [-2.0, 0.0, 2.0]},
    ...     zeta={"mean": [-2.0, 0.0, 2.0]},
    ...     estimates={"mean": 0.0},
    ...     limits={"mean": (-1.96, 1.96)},
    ... )
    >>> display.profiles["mean"].density.round(3)
    array([0.054, 0.399, 0.054])
    """

    def __init__(
        self,
        *,
        values: Mapping[str, ArrayLike],
        zeta: Mapping[str, ArrayLike],
        estimates: Mapping[str, float],
        limits: Mapping[str, tuple[float, float]],
        level: float = 0.95,
    ) -> None:
        self.level = check_level(level)
        self.profiles = {
            name: ParameterProfile(
                number_array(values[name]),
                number_array(zeta[name]),
                float(estimates[name]),
                (float(limits[name][0]), float(limits[name][1])),
            )
            for name in values
        }
        if not self.profiles:
            raise ValueError("There is no parameter to show. Name one in which=, or use 'all'.")
        for name, one in self.profiles.items():
            if one.values.ndim != 1 or one.values.shape != one.zeta.shape:
                raise ValueError(
                    f"values and zeta of {name!r} must be one-dimensional and of one length, got "
                    f"shapes {one.values.shape} and {one.zeta.shape}."
                )

    @classmethod
    def from_profile(
        cls, profiled: ProfileLikelihood, *, kind: str = "zeta", ax: Any = None
    ) -> ProfileDisplay:
        """Draw what ``skmixed.inference.profile`` found.

        Parameters
        ----------
        profiled : ProfileLikelihood
        kind : {"zeta", "density"}
        ax : matplotlib Axes, or array of Axes for several parameters, optional
            The place of one Axes is divided.
        """
        curves = profiled.curves
        lines = {name: _line(curve) for name, curve in curves.items()}
        return cls(
            values={name: values for name, (values, _) in lines.items()},
            zeta={name: zeta for name, (_, zeta) in lines.items()},
            estimates={name: curve.estimate for name, curve in curves.items()},
            limits={name: curve.limits for name, curve in curves.items()},
            level=profiled.level,
        ).plot(ax, kind=kind)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        which: str | Sequence[str] = "all",
        level: float = 0.95,
        kind: str = "zeta",
        ax: Any = None,
    ) -> ProfileDisplay:
        """Profile a fitted estimator and draw it; the rows are not needed.

        Parameters
        ----------
        estimator : fitted estimator, or Pipeline that ends with one
        which : {"all", "fixed", "random"}, str or sequence of str, default="all"
            Parameters, as in ``skmixed.inference.profile``.
        level : float, default=0.95
        kind : {"zeta", "density"}
        ax : matplotlib Axes, or array of Axes for several parameters, optional

        Raises
        ------
        {not_fitted}
        ValueError
            If there is no such parameter or kind.
        """
        model, _ = model_and_steps(estimator)
        return cls.from_results(model.results_, which=which, level=level, kind=kind, ax=ax)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        which: str | Sequence[str] = "all",
        level: float = 0.95,
        kind: str = "zeta",
        ax: Any = None,
    ) -> ProfileDisplay:
        """Profile a fitted model and draw it.

        Parameters
        ----------
        results : MixedLMResults
        which, level, kind, ax
            As in `from_estimator`.

        Raises
        ------
        ValueError
            If there is no such parameter or kind.
        """
        check_choice("kind", kind, KINDS)
        return cls.from_profile(profile(results, which, level=level), kind=kind, ax=ax)

    def plot(self, ax: Any = None, *, kind: str = "zeta") -> ProfileDisplay:
        """Draw one panel for each parameter.

        Parameters
        ----------
        ax : matplotlib Axes, or array of Axes for several parameters, optional
        kind : {"zeta", "density"}

        Raises
        ------
        {no_matplotlib}
        ValueError
            If there is no such kind, or ax does not fit.
        """
        check_choice("kind", kind, KINDS)
        made = self._panels(ax, len(self.profiles), size=(2.9, 2.4), share=False)
        self.curves_, self.limits_ = {}, {}
        for panel, (name, one) in zip(made.axes, self.profiles.items(), strict=True):
            artists = draw_profile(panel, name, one, kind=kind, level=self.level)
            if artists is not None:
                self.curves_[name], self.limits_[name] = artists
        made.label("Value of the parameter", "Zeta" if kind == "zeta" else "Profile density")
        return self


def _line(curve: ProfileCurve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values of the parameter and zeta there, close enough to be drawn as a line."""
    if len(curve.internal) < 2:
        return np.empty(0), np.empty(0)
    first, last = curve.internal[[0, -1]]
    values = curve.scale.to_user(np.linspace(first, last, _PLACES))
    zeta = curve.zeta_at(values)
    # The way to the user's scale and back may end beyond the curve by rounding.
    zeta[[0, -1]] = curve.zeta[[0, -1]]
    return values, zeta
