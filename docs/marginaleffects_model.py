"""A mixed model for the functions of the package marginaleffects (0.6, with polars < 2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from marginaleffects.classes import ModelAbstract, ModelVault
from numpy.typing import NDArray

from skmixed.inference.marginal.grid_source import GridSource, grid_source

__all__ = ["MarginalEffectsModel"]

FloatArray = NDArray[np.float64]


class MarginalEffectsModel(ModelAbstract):
    """Give the population mean of a mixed model to the functions of marginaleffects.

    They take every statistic as normal, for they know one number of degrees of freedom for a model
    and not one for each estimate: use `skmixed.inference.marginal.means` where groups are few.

    Parameters
    ----------
    results : MixedLMResults
        Of `skmixed.mixedlm`, which keep formula and data.

    Raises
    ------
    TypeError
        If the results keep no formula or no rows.
    """

    df_resid = np.inf

    def __init__(self, results: Any) -> None:
        source = grid_source(results)
        self.source: GridSource = source
        fixed = source.fit.fixed
        rows = pd.DataFrame({name: source.columns[name] for name in source.variables})
        vault = ModelVault(
            coef=fixed.coefficients,
            coefnames=np.array(fixed.names),
            vcov=np.nan_to_num(fixed.covariance),
            formula=lambda rows: (None, self.get_exog(rows)),
            modeldata=pl.from_pandas(rows),
            package="skmixed",
            variable_names=[results.response_name, *source.variables],
        )
        super().__init__(results, vault)

    def get_exog(self, newdata: pl.DataFrame) -> FloatArray:
        """Return the columns of X of new rows, shape (n, p)."""
        rows = {name: newdata[name].to_numpy() for name in self.source.variables}
        return self.source.evaluate(rows, len(newdata))[0]

    def get_vcov(self, vcov: bool | FloatArray = True) -> FloatArray | None:
        """Return the covariance of the coefficients, None where none is wanted."""
        if isinstance(vcov, np.ndarray):
            return vcov
        return self.vault.vcov if vcov else None

    def get_predict(self, params: FloatArray, newdata: FloatArray) -> pl.DataFrame:
        """Return X params, without offset, for the rows of X."""
        estimates = np.asarray(newdata) @ params
        rows = np.arange(len(estimates), dtype=np.int32)
        return pl.DataFrame({"rowid": rows, "estimate": estimates})
