"""The rows of a generalised fit, as predictions of rows that are left out read them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import NewBlock, NewRows
from skmixed.design.groups import GroupingFactor
from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.inference.diagnostics.labelled_rows import LabelledRows
from skmixed.inference.diagnostics.row_inputs import labelled_rows
from skmixed.inference.inputs import fit_of
from skmixed.inference.leave_out.left_out import LeftOut
from skmixed.likelihood.modes import Modes
from skmixed.prediction.response_law import averaged_mean, averaged_variance

__all__ = ["FamilyRows", "family_rows"]

FloatArray = NDArray[np.float64]
Positions = NDArray[np.intp]

# The modes of a fit are found again from its rows up to this part of the largest.
SAME = 1e-4


@dataclass(frozen=True, eq=False)
class FamilyRows:
    """Hold a generalised fit with the rows it was fitted to.

    Attributes
    ----------
    labelled : LabelledRows
        The labels and the index of the rows.
    fit : GLMMFit
    model : GLMMModel
    """

    labelled: LabelledRows
    fit: GLMMFit
    model: GLMMModel

    @cached_property
    def objective(self) -> GeneralisedObjective:
        """Return the likelihood in the coordinates of the fit."""
        return self.model.objective()[1]

    @cached_property
    def modes(self) -> Modes:
        """Return the modes of the effects, with what belongs to them."""
        return self.objective.modes(self.fit.joint.parameters)

    @cached_property
    def extra(self) -> tuple[FloatArray, ...]:
        """Return the further predictors of the family, (n,) each."""
        return tuple(self.objective.predictors(self.fit.joint.parameters)[1])

    @property
    def trials(self) -> FloatArray | None:
        """Return how many trials each share of successes has."""
        return self.model.design.weights.values if self.model.trials else None

    def independent(self, groups: GroupingFactor) -> bool:
        """Tell whether rows of different groups are independent in the model."""
        return all(
            np.array_equal(_owner(factor, groups)[factor.codes], groups.codes)
            for factor in self.model.design.factors
        )

    def coded(self, train: Positions, test: Positions) -> NewRows:
        """Return rows to predict, with codes among the levels of the training rows."""
        design, blocks = self.model.design, []
        for block in design.blocks:
            used = np.unique(block.factor.codes[train])
            places = len(used) + np.arange(len(block.factor.levels))
            places[used] = np.arange(len(used))
            blocks.append(NewBlock(block.columns[test], places[block.factor.codes[test]]))
        return NewRows(
            design.fixed[test],
            tuple(blocks),
            None if design.offset is None else design.offset[test],
            extra=tuple(columns.fixed[test] for columns in self.model.extra),
        )

    def left_out(
        self,
        eta: FloatArray,
        averaged_over: FloatArray,
        variance: FloatArray,
        extra: tuple[FloatArray, ...],
        test: Positions | slice = slice(None),
    ) -> LeftOut:
        """Return means and variances of responses.

        Parameters
        ----------
        eta : ndarray of shape (n,)
            Estimates of the linear predictor.
        averaged_over, variance : ndarray of shape (n,)
            Variance of their errors where the parameters are known, and where they are not.
        extra : tuple of ndarray of shape (n,)
        test : ndarray of int or slice
            Which of the rows these are.
        """
        family = self.fit.family
        trials = None if self.trials is None else self.trials[test]
        return LeftOut(
            averaged_mean(family, eta, averaged_over, extra),
            averaged_variance(family, eta, variance, extra, trials),
        )


def family_rows(fitted: Any, X: Any, y: Any, arguments: dict[str, Any]) -> FamilyRows | None:
    """Return a generalised fit with its rows; None for a linear one.

    Raises
    ------
    TypeError
        If there are no rows.
    ValueError
        If the rows are not those of the fit.
    """
    fit = fit_of(fitted)
    if not isinstance(fit, GLMMFit):
        return None
    labelled = labelled_rows(fitted, X, y, **arguments)
    model: Any = labelled.model
    rows = FamilyRows(labelled, fit, model)
    for effects, again in zip(fit.random, rows.modes.effects, strict=True):
        modes = effects.standardised_modes
        if np.abs(again.T - modes).max(initial=0.0) > SAME * np.abs(modes).max(initial=1.0):
            raise ValueError(
                "These are not the rows that the model was fitted to: expected the same X, y, "
                "groups and weights, in the same order. After adapt, fit all rows together."
            )
    return rows


def _owner(factor: GroupingFactor, groups: GroupingFactor) -> Positions:
    """Return for each level of a factor the group of one of its rows."""
    owner = np.zeros(len(factor.levels), dtype=np.intp)
    owner[factor.codes] = groups.codes
    return owner
