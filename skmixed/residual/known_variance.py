"""Residual variances that are known beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skmixed.residual.variance import (
    Columns,
    LearnedVariance,
    RowDeviations,
    VarianceFunction,
    check_rows,
    numbers,
)

__all__ = ["KnownVariance"]


@dataclass(frozen=True)
class KnownVariance(VarianceFunction):
    r"""Take the residual variance of each row from a column of the data; sigma is 1.

    .. math:: \operatorname{var}(e_i) = v_i

    A meta-analysis gives the squared standard errors of its studies (metafor's vi [1]_). Weights,
    in contrast, give variances relative to each other only, and sigma is estimated.

    Parameters
    ----------
    of : str or int
        The column of variances, which are positive.

    References
    ----------
    .. [1] W. Viechtbauer (2010). Conducting meta-analyses in R with the metafor package. Journal of
       Statistical Software 36(3).

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import KnownVariance
    >>> columns = {"vi": np.array([0.04, 0.25])}
    >>> learned = KnownVariance("vi").learn(columns)
    >>> learned.fixes_sigma, np.exp(learned.rows(columns).logarithms(np.empty(0)))
    (True, array([0.2, 0.5]))
    """

    of: str | int
    equation: ClassVar[str] = r"\sqrt{v_i}"
    may_vanish: ClassVar[bool] = False

    @property
    def words(self) -> str:
        """Say where the variances are."""
        return f"known variances ({self.of})"

    @property
    def columns(self) -> tuple[Any, ...]:
        """Return the column of variances."""
        return (self.of,)

    @property
    def label_columns(self) -> tuple[Any, ...]:
        """Return none."""
        return ()

    def learn(self, columns: Columns) -> LearnedKnownVariance:
        """Return where the variances are; there is nothing to learn."""
        return LearnedKnownVariance(self.of)


@dataclass(frozen=True, slots=True, eq=False)
class LearnedKnownVariance(LearnedVariance):
    """Hold the name of the column of variances; there are no parameters."""

    of: str | int

    @property
    def names(self) -> list[str]:
        """Name nothing."""
        return []

    @property
    def fixes_sigma(self) -> bool:
        """Return True."""
        return True

    def rows(self, columns: Columns) -> RowDeviations:
        """Return the logarithm of each row's standard deviation, which no parameter changes."""
        subject = f"The variances {self.of!r} of KnownVariance"
        variances = numbers(columns[self.of], subject)
        check_rows(
            variances > 0.0,
            variances,
            f"{subject} must be positive",
            "Give these rows their sampling variances (squared standard errors), or drop them.",
        )
        none = np.full(len(variances), -1)
        return RowDeviations(none, None, np.log(variances) / 2.0, 0)
