"""A linear mixed model with its rows: from a design to a finished fit, and again with a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.groups import GroupingFactor
from skmixed.fitting.assemble import assemble, interpolates, with_unbounded_likelihood
from skmixed.fitting.estimates import objective_constant
from skmixed.fitting.fitted_covariate import fit_until_settled
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.notices import notices_of
from skmixed.fitting.residual_fit import fit_with_residual
from skmixed.fitting.rows import WhitenedRows
from skmixed.fitting.sandwich import with_sandwich
from skmixed.fitting.search import find_optimum
from skmixed.fitting.standardise import Coordinates, standardised
from skmixed.fitting.unidentified import unidentified_of
from skmixed.likelihood.choose import Solver, kernel_for
from skmixed.likelihood.crossproducts import CrossProducts
from skmixed.likelihood.identification import (
    UnidentifiedDirection,
    undetermined_factors,
    unidentified_directions,
)
from skmixed.likelihood.profiled import ProfiledObjective
from skmixed.residual.learning import depends_on_fitted
from skmixed.residual.model import ResidualModel

__all__ = ["LMMModel"]

# Pairs of levels of two factors, for each of their levels, up to which cross-products are kept.
CELLS = 50
# Where the random effects explain y exactly, sigma^2 is taken for this part of what least squares
# leave: all but sigma and the likelihood is then as it is without any residual.
NEXT_TO_NOTHING = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class LMMModel:
    """Hold the rows, the structures and how to search."""

    design: Design
    covariance: JointCovariance  # Structures of the terms of each block.
    reml: bool
    tol: float  # Distance from the optimum at which to stop, in standard errors of theta.
    max_iter: int  # Evaluations of the objective.
    solver: Solver = "auto"
    verbose: int = 0  # 0 shows nothing, 1 a line for each evaluation.
    residual: ResidualModel | None = None  # None where residuals are independent, of one variance.

    def fit(self, start: NDArray[np.float64] | None = None) -> LMMFit:
        """Standardise the rows, sum their cross-products, search, and carry the optimum back.

        The search in a model with a residual structure may begin at a given (theta, rho), such as
        the estimates of another response to the same design. Other models choose starts themselves.
        """
        if self.residual is not None:
            depends = depends_on_fitted(self.residual.learned.structure)
            return fit_until_settled(self) if depends else fit_with_residual(self, start)
        design = self.design
        coordinates, rows = standardised(design, self.covariance)
        products = rows.products()
        kept, objective, directions = self._estimable(products, exact=coordinates.exact)
        within = objective.kernel.refine(
            [rows.Z[i] for i in kept], rows.A, [design.factors[i].codes for i in kept]
        )
        positions = [kept.index(i) if i in kept else None for i in range(len(design.factors))]
        fit = self._searched(objective, coordinates, rows, positions)
        if interpolates(fit, rows):
            within, products = None, products.with_residual(NEXT_TO_NOTHING)
            objective = self._objective(products, kept)
            fit = self._searched(objective, coordinates, rows, positions)
            fit = with_unbounded_likelihood(fit)
        if directions:
            fit = replace(fit, unidentified=unidentified_of(directions, fit.random))
        notices = notices_of(fit, design, objective.kernel.varies)
        kept_products = objective.products
        if within is not None:
            kept_products = replace(kept_products, within=within)
        keep = fit.monte_carlo is None and _of_the_size_of_the_levels(kept_products)
        return replace(fit, notices=notices, products=kept_products if keep else None)

    def estimable_factors(self, *, known_sigma: bool = False) -> list[int]:
        """Return the factors whose variances the rows may tell from that of the residuals.

        Where that one is known, a single row of each level is enough.
        """
        factors = self.design.factors
        least = 1 if known_sigma else 2
        return [i for i, one in enumerate(factors) if _repeated(self.design, one, least)]

    def _estimable(
        self, products: CrossProducts, *, exact: bool
    ) -> tuple[list[int], ProfiledObjective, list[UnidentifiedDirection]]:
        """Return the factors whose variances are estimated, and what these may still hide."""
        kept = [] if exact else self.estimable_factors()
        objective = self._objective(products, kept)
        directions = unidentified_directions(
            objective.products, objective.covariance, objective.kernel
        )
        hidden = undetermined_factors(directions, objective.covariance)
        if hidden:
            kept = [i for position, i in enumerate(kept) if position not in hidden]
            objective = self._objective(products, kept)
            directions = [one for one in directions if not one.within(hidden)]
        return kept, objective, directions

    def _objective(self, products: CrossProducts, kept: Sequence[int]) -> ProfiledObjective:
        """Return the objective of the factors whose variances are estimated."""
        own = products.of_factors(kept)
        names = [self.design.factors[i].levels.name for i in kept]
        return ProfiledObjective(
            own,
            self.covariance.of_factors(kept),
            reml=self.reml,
            kernel=kernel_for(own, self.solver, names),
        )

    def _searched(
        self,
        objective: ProfiledObjective,
        coordinates: Coordinates,
        rows: WhitenedRows,
        positions: Sequence[int | None],
    ) -> LMMFit:
        """Find the optimum and make its fit."""
        optimum = find_optimum(
            objective,
            tol=self.tol,
            max_iter=self.max_iter,
            verbose=self.verbose,
            constant=objective_constant(objective, coordinates),
        )
        fit = assemble(self.covariance, coordinates, rows, objective, optimum, positions)
        if self.design.weights.kind == "sampling":
            fit = with_sandwich(fit, rows, optimum.at.whitened.gram)
        return fit

    def with_design(self, design: Design) -> LMMModel:
        """Return the model of other rows of the same columns."""
        residual = self.residual
        if residual is not None:
            residual = ResidualModel.of(residual.learned.structure, design)
        return replace(self, design=design, residual=residual)

    def with_criterion(self, *, reml: bool) -> LMMModel:
        """Return the model with REML or maximum likelihood."""
        return replace(self, reml=reml)

    def with_response(self, response: NDArray[np.float64]) -> LMMModel:
        """Return the model of another response, of shape (n,)."""
        return replace(self, design=replace(self.design, response=response))


def _repeated(design: Design, factor: GroupingFactor, least: int) -> bool:
    """Tell whether there are several levels, one of them with so many rows at least."""
    weights = design.weights
    largest = np.bincount(factor.codes, weights.repetitions).max(initial=0)
    n_groups = len(factor.levels) if weights.groups is None else weights.groups.sum()
    return bool(largest >= least and n_groups > 1)


def _of_the_size_of_the_levels(products: CrossProducts) -> bool:
    """Tell whether cross-products are small enough to be kept: they may not grow with the rows."""
    return all(
        cells.n_cells <= CELLS * (cells.n_left + cells.n_right)
        for cells in products.crossed.values()
    )
