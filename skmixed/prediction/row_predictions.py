"""A fitted model reads rows and predicts them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from skmixed.design.design import NewRows
from skmixed.design.rows import take_rows
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.formula import rows_with_missing
from skmixed.formula.columns import column_names
from skmixed.prediction.averaged_density import averaged_log_probabilities
from skmixed.prediction.family_prediction import FamilyPrediction, ResponseScale
from skmixed.prediction.kept_rows import KeptRows
from skmixed.prediction.new_rows import (
    NewRowReader,
    refuse_second_labels,
    say_that_groups_are_absent,
    wanted_factors,
)
from skmixed.prediction.predict import Include
from skmixed.prediction.predictive import Predictive, predictive
from skmixed.prediction.related import ResidualMemory, related_rows, residual_past
from skmixed.prediction.switches import (
    PredictionSwitches,
    check_coverage,
    check_probabilities,
    read_variance_uncertainty,
)

__all__ = ["RowPredictions"]

FloatArray = NDArray[np.float64]


class RowPredictions:
    """Read rows and predict them, as the fields of ``FittedModel`` say."""

    __slots__ = ()

    fit: LMMFit
    reader: NewRowReader | None
    rows: KeptRows | None
    include_random_effects: Include
    unseen_groups: str
    missing_groups: str
    skip_missing: bool
    average: bool

    @property
    def variables(self) -> list[str] | None:
        """Name the columns of data that predictions read; None for all of them."""
        return None if self.reader is None else self.reader.variables

    def read(
        self,
        X: Any,
        groups: Any = None,
        include_random_effects: Include | None = None,
        *,
        labels_needed: bool = False,
        residual_memory: ResidualMemory = False,
    ) -> tuple[NewRows, list[str]]:
        """Read rows, and decide which random effects their predictions include.

        Parameters
        ----------
        include_random_effects : bool, str, sequence of str or None
            None is the default of the model.
        labels_needed : bool, default=False
            Whether the rows hold the labels of factors that are not included too.
        """
        reader = self._reader()
        refuse_second_labels(reader, groups, "predict")
        columns, labels = reader.read(X, groups)
        names, include = reader.factor_names, include_random_effects
        wanted = wanted_factors(self.include_random_effects if include is None else include, names)
        known = dict(zip(names, labels, strict=True))
        absent = [name for name in names if known[name] is None and name in wanted]
        if absent:
            say_that_groups_are_absent(absent, insisted=include is not None)
        if not labels_needed:
            labels = [known[name] if name in wanted else None for name in names]
        unseen = self.unseen_groups if wanted else "population"
        rows = reader.new_rows(columns, labels, unseen, self.missing_groups)
        if isinstance(self.fit, GLMMFit):
            rows = replace(rows, extra=reader.extra_columns(X))
        if self.fit.residual is not None:
            rows = replace(rows, residual=reader.residual_columns(X))
            past = residual_past(
                self.fit,
                residual_memory,
                reader,
                self.rows,
                all_effects=len(wanted) == len(names),
            )
            if past is not None or labels_needed:
                first = known[names[0]] if names else None
                related = related_rows(self.fit, rows, first, past, self.missing_groups)
                rows = replace(rows, related=related)
        return rows, wanted

    def predict(
        self, X: Any, *, return_std: bool = False, return_cov: bool = False, **switches: Any
    ) -> Any:
        """Predict the response of rows.

        Parameters
        ----------
        return_std, return_cov : bool, default=False
            Whether to return the standard deviations, or the covariance, of what is predicted too.
        **switches
            groups, include_random_effects, kind, variance_uncertainty and residual_memory, as
            for ``MixedLM.predict``; here ``residual_memory=True`` takes the rows that are kept.
            Of a generalised model also average, scale, offset, exposure and trials: see Notes.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``

        Notes
        -----
        A generalised model predicts responses, or with ``scale="link"`` their linear predictor
        eta = X beta + Z b. The random effects b are never known exactly. ``average=False`` puts
        the most likely b of a known group, and 0 for a group that is not known, into the inverse
        link: the response of a typical group. ``average=True`` averages the response over
        what b may be: over its normal approximation given the data for a known group, over all
        groups for one that is not known or left out. That is the mean to expect, and of
        probabilities the calibrated one; the two differ because the inverse link is curved. The
        parameters are taken as known there; their uncertainty is part of ``return_std`` and
        intervals.

        ``kind`` says what these are of. ``"mean"``: the expected response of this very group,
        with limits of eta through the inverse link. ``"population"``: the same without the
        spread of the groups that are not known, over which the response is averaged with
        ``average=True``, and which are at 0 with ``average=False``. ``"observation"``: a new
        response, whose quantiles are those of the family averaged over eta; ``trials`` are those
        of a share of successes, by default 1. On the scale of the link an observation is its
        mean.

        Offsets in a formula are found in X. ``offset`` adds to eta, ``exposure`` its logarithm
        (with a log link); what was given beside the formula for the fit counts as 0 here unless
        it is given again.
        """
        if return_std and return_cov:
            raise ValueError("At most one of return_std and return_cov can be True.")
        prediction, complete = self._predictive(X, labels_needed=return_cov, **switches)
        mean = among_missing(prediction.mean, complete)
        if return_std:
            return mean, among_missing(prediction.std, complete)
        if return_cov:
            return mean, among_missing(prediction.covariance(), complete, n_axes=2)
        return mean

    def predict_interval(self, X: Any, *, coverage: float = 0.95, **switches: Any) -> FloatArray:
        """Return limits that what is predicted keeps with the given probability, (n, 2)."""
        check_coverage(coverage)
        limits = (0.5 * (1.0 - coverage), 0.5 * (1.0 + coverage))
        return self.predict_quantiles(X, quantiles=limits, **switches)

    def predict_quantiles(
        self, X: Any, *, quantiles: ArrayLike = (0.05, 0.5, 0.95), **switches: Any
    ) -> FloatArray:
        """Return quantiles of what is predicted, (n, n_quantiles)."""
        probabilities = check_probabilities(quantiles)
        prediction, complete = self._predictive(X, **switches)
        return among_missing(prediction.quantiles(probabilities), complete)

    def predict_probabilities(
        self, X: Any, *, logarithm: bool = False, **switches: Any
    ) -> FloatArray:
        """Return the probabilities of both outcomes of a binary response, (n, 2).

        Both are accurate relative to their size, however small.

        Parameters
        ----------
        **switches
            groups, include_random_effects, average, offset and exposure, as for ``predict``.
        """
        prediction, complete = self._predictive(X, **switches)
        found = prediction if isinstance(prediction, FamilyPrediction) else None
        if found is None or found.fit.family.name != "binomial":
            raise ValueError(
                "Probabilities of two outcomes need family='binomial'. Use predict for the mean "
                "of the response."
            )
        logarithms = averaged_log_probabilities(
            found.fit.family, found.eta.mean, found.averaged_over
        )
        return among_missing(logarithms if logarithm else np.exp(logarithms), complete)

    def predict_further(self, X: Any, *, groups: Any = None) -> dict[str, FloatArray]:
        """Return ``"dispersion"`` and ``"zero_inflation"`` of each row, what the family has.

        They are as the family's variance has them, and as probabilities of a zero that is not one
        of the counts.
        """
        complete = self._complete(X)
        kept = X if complete is None else take_rows(X, complete)
        rows, _ = self.read(kept, groups, False)
        if not isinstance(self.fit, GLMMFit):
            return {}
        family, found = self.fit.family, self.fit.extra_of_rows(rows.extra, len(rows.fixed))
        return {
            name: among_missing(
                expit(omega) if name == "zero_inflation" else family.dispersion_of(omega), complete
            )
            for name, omega in zip(family.extra_names, found, strict=True)
        }

    def observed(self, X: Any, y: Any = None) -> Any:
        """Return y, or the response that the formula finds in the columns of X."""
        return self._reader().observed(X, y)

    def _predictive(
        self, X: Any, *, labels_needed: bool = False, **switches: Any
    ) -> tuple[Predictive, NDArray[np.bool_] | None]:
        """Predict the rows that miss no predictor, and tell which they are; None for all."""
        chosen = PredictionSwitches(**switches)
        complete = self._complete(X)
        offset, trials = chosen.beside_columns(X, self.fit)
        if complete is not None:
            X = take_rows(X, complete)
            offset, trials = (None if one is None else one[complete] for one in (offset, trials))
        rows, include = self.read(
            X,
            chosen.groups,
            chosen.include_random_effects,
            labels_needed=labels_needed,
            residual_memory=chosen.residual_memory,
        )
        if offset is not None:
            rows = replace(rows, offset=offset + (0.0 if rows.offset is None else rows.offset))
        average = self.average if chosen.average is None else chosen.average
        on_link = chosen.scale == "link"
        prediction = predictive(
            self.fit,
            rows,
            include_random_effects=include,
            kind=chosen.kind,
            variance_uncertainty=read_variance_uncertainty(self.fit, chosen.variance_uncertainty),
            model=None if self.rows is None else self.rows.model,
            response=None if on_link else ResponseScale(average, trials),
        )
        return prediction, complete

    def _complete(self, X: Any) -> NDArray[np.bool_] | None:
        """Tell which rows miss no predictor; None where all are to be predicted."""
        variables = self.variables if self.skip_missing else None
        if variables is None:
            return None
        there = column_names(X)
        complete = ~rows_with_missing(X, [name for name in variables if name in there])
        return None if complete.all() else complete

    def _reader(self) -> NewRowReader:
        """Return what reads new data."""
        if self.reader is None:
            raise ValueError(
                "These results hold no predictor. Call predict of the estimator that was fitted, "
                "or fit with mixedlm."
            )
        return self.reader


def among_missing(
    values: FloatArray, complete: NDArray[np.bool_] | None, *, n_axes: int = 1
) -> FloatArray:
    """Put what the complete rows have among NaN for the others, along one axis or two."""
    if complete is None:
        return values
    full = np.full((len(complete),) * n_axes + values.shape[n_axes:], np.nan)
    full[np.ix_(*[np.flatnonzero(complete)] * n_axes)] = values
    return full
