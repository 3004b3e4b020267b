"""The draws of a bootstrap, and what is read off them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.replication.refits import Refitter
from skmixed.inference.replication.resampling import (
    check_whole_groups,
    counted_groups,
    whole_groups,
)

__all__ = ["BootstrapDraws"]

FloatArray = NDArray[np.float64]

METHODS = ("percentile", "basic", "bca")


@dataclass(frozen=True, eq=False)
class BootstrapDraws:
    """Hold the replicates of a bootstrap; see ``bootstrap``.

    Attributes
    ----------
    kind : str
        How the data of the replicates were made.
    estimates : Series
        The parameters, or the statistic, of the fit itself.
    draws : DataFrame
        One row for each replicate: the parameters (coefficients, ``sigma``, ``sd_x|g``,
        ``cor_z.x|g`` and those of a residual structure), ``theta[i]``, ``rho[i]`` (the free
        parameters of a residual structure) and ``log_likelihood``, or the statistic; then whether
        the fit is ``singular``, and whether it ``converged``.
    """

    kind: str
    estimates: pd.Series
    draws: pd.DataFrame
    _refitter: Refitter = field(repr=False)

    @property
    def n_singular(self) -> int:
        """Count the replicates that have a covariance on its boundary."""
        return int(self.draws["singular"].sum())

    @property
    def n_unconverged(self) -> int:
        """Count the replicates whose search for the optimum failed."""
        return int((~self.draws["converged"]).sum())

    @property
    def standard_errors(self) -> pd.Series:
        """Return the standard deviation of the draws of each parameter."""
        return self._parameters.std(ddof=1)

    @property
    def bias(self) -> pd.Series:
        """Return how far the mean of the draws lies from the estimate."""
        return self._parameters.mean() - self.estimates

    def summary(self) -> pd.DataFrame:
        """Return one row for each parameter.

        Returns
        -------
        DataFrame
            With columns parameter, estimate, bias, se and n_draws, the number of draws that have a
            value: a correlation with an effect of variance 0 has none.
        """
        return pd.DataFrame(
            {
                "parameter": self.estimates.index,
                "estimate": self.estimates.to_numpy(),
                "bias": self.bias.to_numpy(),
                "se": self.standard_errors.to_numpy(),
                "n_draws": self._parameters.notna().sum().to_numpy(),
            }
        )

    def conf_int(self, method: str = "percentile", level: float = 0.95) -> pd.DataFrame:
        """Return confidence limits (Davison and Hinkley 1997, sections 5.2 and 5.3).

        Draws without a value are left out.

        Parameters
        ----------
        method : {"percentile", "basic", "bca"}, default="percentile"
            Quantiles of the draws; twice the estimate less these; or quantiles that are corrected
            for bias and for a standard error that changes with the parameter. The last needs one
            grouping factor: it fits the model once without each group, when it is first asked for.
        level : float, default=0.95

        Returns
        -------
        DataFrame
            With columns parameter, estimate, lower, upper.

        Raises
        ------
        ValueError
            If an argument cannot be used, or no group can be left out.
        """
        if method not in METHODS:
            raise ValueError(f"method must be one of {METHODS}, got {method!r}.")
        check_level(level)
        tails = np.array([0.5 * (1.0 - level), 0.5 * (1.0 + level)])
        acceleration = self.acceleration.to_numpy() if method == "bca" else np.zeros(len(self))
        limits = np.array(
            [
                self._limits(name, method, tails, float(a))
                for name, a in zip(self.estimates.index, acceleration, strict=True)
            ]
        )
        return pd.DataFrame(
            {
                "parameter": self.estimates.index,
                "estimate": self.estimates.to_numpy(),
                "lower": limits[:, 0],
                "upper": limits[:, 1],
            }
        )

    @cached_property
    def acceleration(self) -> pd.Series:
        """Return the acceleration of each parameter, from the fits without one group.

        With d_g the mean of these estimates less the one without group g, it is
        sum d_g^3 / (6 (sum d_g^2)^(3/2)) (Efron 1987).
        """
        refitter = self._refitter
        check_whole_groups(refitter.model, "A BCa interval")
        n_levels = len(whole_groups(refitter.model).levels)
        left_out = 1 - np.eye(n_levels, dtype=np.intp)
        estimates = refitter.of_models(
            [partial(counted_groups, refitter.model, counts) for counts in left_out]
        )[list(self.estimates.index)]
        d = estimates.mean() - estimates
        squares = (d**2).sum()
        return (d**3).sum() / (6.0 * squares**1.5).where(squares > 0.0)

    def __len__(self) -> int:
        return len(self.estimates)

    def __repr__(self) -> str:
        text = f"<BootstrapDraws: {self.kind}, {len(self.draws)} replicates"
        for count, what in ((self.n_singular, "singular"), (self.n_unconverged, "unconverged")):
            text += f", {count} {what}" if count else ""
        return text + ">"

    @property
    def _parameters(self) -> pd.DataFrame:
        return self.draws[list(self.estimates.index)]

    def _limits(
        self, name: str, method: str, tails: FloatArray, acceleration: float
    ) -> Sequence[float]:
        """Return the limits of one parameter, NaN without draws."""
        draws, estimate = self.draws[name].dropna().to_numpy(), float(self.estimates[name])
        if not len(draws):
            return [np.nan, np.nan]
        if method == "bca":
            tails = _bca_tails(draws, estimate, tails, acceleration)
        if np.isnan(tails).any():
            return [np.nan, np.nan]
        # The expected order statistics of n draws split the probability into n + 1 equal parts.
        quantiles = np.quantile(draws, tails, method="weibull")
        if method == "basic":
            quantiles = 2.0 * estimate - quantiles[::-1]
        return [float(quantiles[0]), float(quantiles[1])]


def _bca_tails(
    draws: FloatArray, estimate: float, tails: FloatArray, acceleration: float
) -> FloatArray:
    """Return the probabilities of the quantiles that BCa limits are (Efron 1987)."""
    # Draws on the boundary may equal the estimate: half of them count as below.
    below = np.mean(draws < estimate) + 0.5 * np.mean(draws == estimate)
    if below in (0.0, 1.0):
        # All draws lie on one side of the estimate: no quantile of them corrects that bias.
        return np.full(2, np.nan)
    z0 = ndtri(below)
    z = z0 + ndtri(tails)
    return np.asarray(ndtr(z0 + z / (1.0 - acceleration * z)))
