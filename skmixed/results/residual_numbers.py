"""The structure of the residuals in numbers."""

from __future__ import annotations

from typing import Any

import pandas as pd

from skmixed.inference.intervals.residual_table import residual_table
from skmixed.results.of_model import OfModel

__all__ = ["ResidualNumbers"]


class ResidualNumbers(OfModel):
    """Read the parameters of a residual structure, and what they mean, off a fit."""

    @property
    def residual_parameters(self) -> dict[str, float]:
        """Return the parameters of the residual structure by name, empty without one.

        Correlations, ranges and powers as they are; standard deviations of strata as ratios to that
        of the first, which is ``sigma``.
        """
        return {} if self.fit.residual is None else self.fit.residual.parameters

    def residual_table(self, conf_level: float = 0.95) -> pd.DataFrame:
        """Return the parameters of the residual structure with standard errors and limits.

        Parameters
        ----------
        conf_level : float, default=0.95

        Returns
        -------
        DataFrame
            One row for each of ``residual_parameters``, then the standard deviation of each
            stratum: parameter, estimate, se, lower and upper. Limits are those of the scale on
            which an estimate is nearly normal.
        """
        return residual_table(self.fit, conf_level)

    @property
    def residual_variances(self) -> pd.Series:
        """Return the residual variance of each stratum.

        Without strata there is one, ``sigma`` squared.
        """
        self.fit.require_gaussian("A residual variance", "see dispersion and dispersion_params")
        variance = self.fit.sigma**2
        if self.fit.residual is None:
            return pd.Series([variance], index=["Residual"], name="variance")
        ratios = self.fit.residual.strata
        return (variance * ratios**2).rename("variance")

    def residual_covariance(self, rows: Any = None, *, by: Any = None) -> pd.DataFrame:
        """Return the covariance of the residuals of one group.

        Parameters
        ----------
        rows : array-like of shape (m,) or DataFrame of m rows, optional
            Times, in the type of their column; by default all occasions, for a structure that has
            occasions. A data frame has all columns that the structure reads: coordinates, strata.
        by : label, or tuple of labels, optional
            Whose parameters are taken, where each label of some columns has its own.

        Raises
        ------
        ValueError
            If there is no residual structure, or columns that it reads are not given.
        """
        self.fit.require_gaussian("A covariance of residuals", "use family='gaussian' (mixedlm)")
        fitted = self.fit.residual
        if fitted is None:
            raise ValueError(
                "The model has no residual structure: residuals are independent, with the variance "
                "`scale`. Fit with residual=, such as residual=AR1(time='visit')."
            )
        columns, index = fitted.columns_of_one_group(rows, by)
        covariance = self.fit.sigma**2 * fitted.covariance(columns, len(index))
        return pd.DataFrame(covariance, index=index, columns=index)
