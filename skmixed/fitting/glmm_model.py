"""A generalised linear mixed model with its rows: from a design to a finished fit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.coordinates import FixedCoordinates, random_coordinates, standardise_fixed
from skmixed.design.design import Design
from skmixed.families.base import Family
from skmixed.fitting.generalised_estimates import generalised_estimates
from skmixed.fitting.generalised_notices import generalised_notices
from skmixed.fitting.generalised_objective import GeneralisedObjective
from skmixed.fitting.generalised_search import find_generalised_optimum
from skmixed.fitting.generalised_start import starting_parameters
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.search_from_probes import search_from_probes
from skmixed.fitting.standardise import Coordinates
from skmixed.likelihood.choose import Solver
from skmixed.likelihood.criterion import Criterion
from skmixed.likelihood.effect_rows import EffectRows
from skmixed.likelihood.elimination import Elimination
from skmixed.likelihood.elimination_cost import probes_for
from skmixed.likelihood.laplace import Laplace
from skmixed.likelihood.penalties import BoundPenalty, Penalty
from skmixed.likelihood.quadrature import Quadrature
from skmixed.likelihood.responses import Responses
from skmixed.likelihood.threads import threads_for

__all__ = ["ExtraColumns", "GLMMModel", "GeneralisedCoordinates"]

FloatArray = NDArray[np.float64]

# A ridge that changes estimates by less than 1e-8 of a standard error where they exist. Columns
# that separate the responses have none: their coefficients end near 20 instead of anywhere.
FLOOR = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class ExtraColumns:
    """Hold the columns of a linear predictor beside that of the mean.

    Attributes
    ----------
    fixed : ndarray of shape (n, q)
        But for the intercept.
    names : tuple of str
        Of these columns.
    """

    fixed: FloatArray
    names: tuple[str, ...] = ()
    intercept: bool = True

    @classmethod
    def constant(cls, n: int) -> ExtraColumns:
        """Return a predictor that is the same in all n rows."""
        return cls(np.empty((n, 0)))

    @property
    def coefficient_names(self) -> tuple[str, ...]:
        """Name the coefficients."""
        return ("Intercept", *self.names) if self.intercept else self.names

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> ExtraColumns:
        """Return the columns of some rows."""
        return replace(self, fixed=self.fixed[rows])


@dataclass(frozen=True, slots=True, eq=False)
class GeneralisedCoordinates:
    """Hold the standardised coordinates of a model: those of the mean, and of what is beside it."""

    mean: Coordinates
    extra: tuple[FixedCoordinates, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GLMMModel:
    """Hold what a generalised model needs to be fitted.

    Attributes
    ----------
    design : Design
        Its weights multiply the rows' log densities.
    extra : tuple of ExtraColumns
        One for each of the family's ``extra_names``.
    trials : bool
        Whether the weights count trials, of which the response is the share of successes.
    n_quadrature : int
        Nodes of adaptive Gauss-Hermite quadrature; 1 is Laplace's approximation.
    solver : {"auto", "direct", "iterative"}
        Of several grouping factors: the iterative one estimates log|M| and the gradient.
    """

    design: Design
    covariance: JointCovariance
    family: Family
    extra: tuple[ExtraColumns, ...] = ()
    trials: bool = False
    n_quadrature: int = 1
    penalty: Penalty | None = None
    solver: Solver = "auto"
    tol: float = 1e-6
    max_iter: int = 500
    verbose: int = 0

    @property
    def residual(self) -> None:
        """Return None: only a linear model has a structure of residuals."""
        return None

    @property
    def n_trials(self) -> FloatArray | None:
        """Return how many trials each share of successes has; None for single responses."""
        return self.design.weights.values if self.trials else None

    @property
    def extra_columns(self) -> tuple[FloatArray, ...]:
        """Return the columns of each further predictor of the rows, but for its intercept."""
        return tuple(one.fixed for one in self.extra)

    def fit(self, start: FloatArray | None = None) -> GLMMFit:
        """Standardise the columns, search, and carry the optimum back.

        Parameters
        ----------
        start : ndarray of shape (n_parameters,), optional
            Standardised parameters to begin with, such as the estimates of another response.
        """
        coordinates, objective = self.objective()
        if start is None:
            start = starting_parameters(objective)
        search = find_generalised_optimum if objective.probes is None else search_from_probes
        with threads_for(objective.elimination.n_dense):
            found = search(objective, start, tol=self.tol, max_iter=self.max_iter)
        fit = generalised_estimates(self, coordinates, objective, found)
        return replace(fit, notices=generalised_notices(fit, objective.X))

    def objective(self) -> tuple[GeneralisedCoordinates, GeneralisedObjective]:
        """Return the likelihood in standardised coordinates."""
        design = self.design
        counts = design.weights.values
        fixed, X = standardise_fixed(design.fixed, intercept=design.intercept, counts=counts)
        random = tuple(
            random_coordinates(block, tuple(s.invariance for s in joint.structures), counts)
            for block, joint in zip(design.blocks, self.covariance.factors, strict=True)
        )
        extra = [
            standardise_fixed(one.fixed, intercept=one.intercept, counts=counts)
            for one in self.extra
        ]
        effect_rows = EffectRows(
            tuple(
                place.transform(block.columns)
                for place, block in zip(random, design.blocks, strict=True)
            ),
            tuple(factor.codes for factor in design.factors),
            tuple(len(factor.levels) for factor in design.factors),
        )
        elimination = Elimination(effect_rows)
        names = [factor.levels.name for factor in design.factors]
        responses = Responses(self.family, design.response, counts)
        objective = GeneralisedObjective(
            X,
            elimination,
            np.zeros(design.n_rows) if design.offset is None else design.offset,
            responses,
            self.covariance,
            [columns for _, columns in extra],
            criterion=self._criterion(effect_rows, responses),
            penalty=BoundPenalty(
                self.penalty or Penalty(),
                fixed,
                self.covariance,
                random,
                floor=FLOOR if self.family.is_discrete else 0.0,
            ),
            probes=probes_for(elimination, self.solver, names),
        )
        mean = Coordinates(fixed, random, np.zeros(len(X)), 1.0, 1.0, False)
        return GeneralisedCoordinates(mean, tuple(place for place, _ in extra)), objective

    def with_design(self, design: Design, extra: tuple[ExtraColumns, ...]) -> GLMMModel:
        """Return the model of other rows of the same columns."""
        return replace(self, design=design, extra=extra)

    def with_response(self, response: FloatArray) -> GLMMModel:
        """Return the model of another response, of shape (n,)."""
        return replace(self, design=replace(self.design, response=response))

    def select(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> GLMMModel:
        """Return the model of some rows."""
        extra = tuple(one.select(rows) for one in self.extra)
        return self.with_design(self.design.select(rows), extra)

    def _criterion(self, rows: EffectRows, responses: Responses) -> Criterion:
        """Return how the random effects are integrated out."""
        if self.n_quadrature == 1:
            return Laplace(rows)
        return Quadrature(rows, responses, self.n_quadrature)
