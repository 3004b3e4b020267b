"""Estimates over a reference grid, with their tests and contrasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.families.base import Link
from skmixed.families.links import Identity
from skmixed.inference.coefficients.df_rule import DegreesOfFreedom, FixedEffectsTheory
from skmixed.inference.coefficients.wald import TTests, t_tests_of
from skmixed.inference.marginal.contrast_weights import contrast_set
from skmixed.inference.marginal.grid_source import GridSource
from skmixed.inference.marginal.multiplicity import ADJUSTMENTS, Family

__all__ = ["MarginalEstimates", "check_scale"]

FloatArray = NDArray[np.float64]

IDENTITY = Identity()
SCALES = ("link", "response")
# Links whose differences are logarithms of ratios: of means, and of odds.
RATIOS = ("log", "logit")


def check_scale(scale: str) -> str:
    """Return the name of a scale; raise ValueError if there is none."""
    if scale not in SCALES:
        raise ValueError(f"scale must be one of {list(SCALES)}, got {scale!r}.")
    return scale


@dataclass(frozen=True, eq=False, repr=False)
class MarginalEstimates:
    """Hold marginal means, or slopes, and compare them.

    Printed, it is its table.

    Attributes
    ----------
    grid : DataFrame
        What each estimate is of: levels of ``by`` and of the variables that are compared.
    by : tuple of str
        Variables within whose levels comparisons are made.
    functions : ndarray of shape (k, p)
        The coefficients' weights in each estimate.
    offset : ndarray of shape (k,)
        A known part of each estimate.
    level : float
        Confidence of the limits.
    link : Link or None
        What takes the estimates to the scale of the response; None for those of one scale.
    scale : {"link", "response"}
        Of the tables, unless they are asked for another one.

    See Also
    --------
    skmixed.inference.marginal.means : Where an example is.
    """

    grid: pd.DataFrame
    by: tuple[str, ...]
    functions: FloatArray
    offset: FloatArray
    level: float
    _source: GridSource
    _rule: DegreesOfFreedom
    link: Link | None = IDENTITY
    scale: str = "link"

    def tidy(self, *, scale: str | None = None) -> pd.DataFrame:
        """Return one row for each estimate.

        Parameters
        ----------
        scale : {"link", "response"}, optional
            Of a generalised model: that of its linear predictor, or of the response. There the
            estimates and the limits of the linear predictor are transformed, and standard errors
            are those of the delta method; tests are the same on both scales. By default the scale
            that was asked for.

        Returns
        -------
        DataFrame
            With the columns of ``grid``, then estimate, se, df, statistic and p_value (of the
            test against 0 on the scale of the link), lower and upper. All are NaN where the data
            do not determine the estimate.
        """
        tests = self._tests(self.functions, self.offset)
        limits = tests.limits(self.level)
        link = self._response_link(scale)
        if link is not None:
            errors = np.abs(link.derivatives(tests.estimates).first) * tests.standard_errors
            tests = replace(tests, estimates=link.mean(tests.estimates), standard_errors=errors)
            limits = np.sort(link.mean(limits), axis=1)
        return _joined(self.grid, tests.numbers(limits))

    def contrasts(
        self,
        method: str | Mapping[str, Any] = "pairwise",
        *,
        adjust: str | None = None,
        reference: int = 0,
        level: float | None = None,
        scale: str | None = None,
    ) -> pd.DataFrame:
        """Compare the estimates within each combination of the levels of ``by``.

        Parameters
        ----------
        method : {"pairwise", "trt.vs.ctrl", "consec", "eff"} or dict, default="pairwise"
            All pairs; each against a control; each against the one before; each against the mean
            of all; or labels of contrasts with as many weights as there are estimates.
        adjust : {"tukey", "mvt", "holm", "bonferroni", "sidak", "bh", "none"}, optional
            For how many tests are made within one combination. The default is ``"tukey"`` for
            pairs, ``"mvt"`` (the multivariate t distribution; Dunnett's test) for comparisons with
            a control and for consecutive ones, ``"bh"`` for ``"eff"``, ``"none"`` for a dict.
        reference : int, default=0
            Position of the control.
        level : float, optional
            Confidence of the limits together; that of the estimates by default. The limits of
            ``"holm"`` and ``"bh"`` are Bonferroni's.
        scale : {"link", "response"}, optional
            Of a generalised model. On the scale of the response, differences of logits are odds
            ratios and differences of logarithms are ratios of means, "first / second"; with other
            links a difference has no such meaning, and stays on the scale of the link.

        Returns
        -------
        DataFrame
            With the columns of ``by``, contrast, estimate, se, df, statistic, p_value, lower,
            upper.

        Raises
        ------
        ValueError
            If there is no such method or adjustment, or they do not go together.
        """
        compared = [name for name in self.grid.columns if name not in self.by]
        blocks = self._blocks()
        labels = _labels(self.grid.loc[blocks[0], compared])
        link = self._response_link(scale)
        ratios = link is not None and link.name in RATIOS
        names, weights, usual = contrast_set(method, labels, reference, "/" if ratios else "-")
        adjust = usual if adjust is None else adjust
        if adjust not in ADJUSTMENTS:
            raise ValueError(f"adjust must be one of {sorted(ADJUSTMENTS)}, got {adjust!r}.")
        functions = np.concatenate([weights @ self.functions[rows] for rows in blocks])
        offset = np.concatenate([weights @ self.offset[rows] for rows in blocks])
        tests = self._tests(functions, offset)
        n_means = len(labels) if method == "pairwise" else None
        p_values, limits = self._adjusted(
            functions, tests, (len(names), n_means), adjust, level or self.level
        )
        if ratios:
            means = np.exp(tests.estimates)
            tests = replace(tests, estimates=means, standard_errors=means * tests.standard_errors)
            limits = np.exp(limits)
        first = np.repeat([rows[0] for rows in blocks], len(names))
        headings = self.grid[list(self.by)].iloc[first].reset_index(drop=True)
        headings["contrast"] = list(names) * len(blocks)
        return _joined(headings, tests.numbers(limits, p_values))

    def _adjusted(
        self,
        functions: FloatArray,
        tests: TTests,
        size: tuple[int, int | None],
        adjust: str,
        level: float,
    ) -> tuple[FloatArray, FloatArray]:
        """Return p-values and limits, adjusted within each family of ``size`` contrasts."""
        tests.limits(level)
        p_values, reach = [], []
        for start in range(0, len(functions), size[0]):
            rows = slice(start, start + size[0])
            joint = functions[rows] @ self._covariance @ functions[rows].T
            sd = np.sqrt(np.diag(joint))
            # NaN for a function that does not vary.
            with np.errstate(divide="ignore", invalid="ignore"):
                correlation = np.asarray(joint / np.outer(sd, sd))
            family = Family(tests.statistics[rows], tests.df[rows], correlation, size[1])
            p_values.append(ADJUSTMENTS[adjust].p_values(family))
            reach.append(ADJUSTMENTS[adjust].critical(family, 1.0 - level))
        distance = np.concatenate(reach) * tests.standard_errors
        limits = np.column_stack([tests.estimates - distance, tests.estimates + distance])
        return np.concatenate(p_values), limits

    def _blocks(self) -> list[NDArray[np.intp]]:
        """Return the rows of each combination of the levels of ``by``."""
        if not self.by:
            return [np.arange(len(self.grid))]
        numbers = self.grid.groupby(list(self.by), sort=False, observed=True).ngroup().to_numpy()
        return [np.flatnonzero(numbers == i) for i in range(int(numbers.max()) + 1)]

    def _response_link(self, scale: str | None) -> Link | None:
        """Return what takes a table to the scale of the response, None if it stays as it is."""
        wanted = check_scale(self.scale if scale is None else scale)
        if self.link is not None:
            return self.link if wanted == "response" else None
        if wanted != self.scale:
            raise ValueError(
                f"These slopes are on the scale of the {self.scale}, got scale={wanted!r}. Ask for "
                f"marginal_slopes(..., scale={wanted!r})."
            )
        return None

    @property
    def _covariance(self) -> FloatArray:
        """Return the covariance of what the functions are applied to."""
        return self._theory.covariance

    @cached_property
    def _theory(self) -> FixedEffectsTheory:
        return self._rule.at(self._source.fit)

    def _tests(self, functions: FloatArray, offset: FloatArray) -> TTests:
        """Test linear functions of the coefficients, all NaN for one that is not estimable."""
        fit = self._source.fit
        estimable = self._source.estimable(functions)
        # A function that depends on nothing has no standard error to divide by.
        tested = estimable & functions.any(axis=1)
        columns = np.full((5, len(functions)), np.nan)
        columns[0, estimable] = offset[estimable]
        columns[1, estimable] = 0.0
        if tested.any():
            # An aliased coefficient is 0: what is estimable does not depend on that choice.
            rows = np.where(fit.fixed.aliased, 0.0, functions[tested])
            theory = self._theory
            found = t_tests_of(fit, rows, theory.covariance, theory.t_df, null=-offset[tested])
            columns[:, tested] = astuple(replace(found, estimates=found.estimates + offset[tested]))
        return TTests(*columns)

    def __repr__(self) -> str:
        return self.tidy().to_string(index=False)

    def _repr_html_(self) -> str:
        return self.tidy().to_html(index=False)


def _labels(levels: pd.DataFrame) -> list[str]:
    """Name each estimate by its levels; a number needs the name of its variable."""
    parts = [
        [f"{name}{value:.12g}" for value in column]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
        else [str(value) for value in column]
        for name, column in levels.items()
    ]
    return [" ".join(row) for row in zip(*parts, strict=True)] if parts else ["mean"] * len(levels)


def _joined(headings: pd.DataFrame, numbers: pd.DataFrame) -> pd.DataFrame:
    """Put headings before numbers, whatever their names are."""
    return pd.concat([headings.reset_index(drop=True), numbers], axis=1)
