"""Some rows with every residual structure, for tests of the ways to evaluate it."""

from __future__ import annotations

import numpy as np

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.design.design import Design, RandomBlock, TermLayout
from skmixed.design.groups import factorise
from skmixed.design.weights import Weights
from skmixed.fitting.basis_objective import BasisObjective, row_columns
from skmixed.fitting.model import LMMModel
from skmixed.fitting.residual_objective import ResidualObjective
from skmixed.fitting.standardise import standardised
from skmixed.residual import (
    AR1,
    AnteDependence,
    CompoundSymmetry,
    Heterogeneous,
    KnownVariance,
    ResidualStructure,
    Toeplitz,
)
from skmixed.residual import Unstructured as AnyCovariance
from skmixed.residual.cliques import find_cliques
from skmixed.residual.learned import LearnedResidual, ResidualRows
from skmixed.residual.learning import learn_residual
from skmixed.residual.model import ResidualModel
from skmixed.residual.registry import CORRELATIONS

RNG = np.random.default_rng(5)
VISITS = [(0, 1, 2, 3), (0, 1, 2, 3), (0, 2, 3), (1,), (0, 1, 2, 3), (0, 2, 3), (1, 2), (0, 3)]
N_GROUPS = len(VISITS)
GROUPS = np.repeat(np.arange(N_GROUPS), [len(one) for one in VISITS])
N = len(GROUPS)
ORDER = RNG.permutation(N)
COLUMNS = {
    "time": np.concatenate(VISITS)[ORDER],
    "stratum": RNG.integers(0, 3, N)[ORDER],
    "arm": (GROUPS % 2)[ORDER],
    "variance": RNG.uniform(0.5, 2.0, N)[ORDER],
    "x": RNG.normal(size=N)[ORDER],
    "y": RNG.normal(size=N)[ORDER],
    "covariate": RNG.uniform(1.0, 2.0, N)[ORDER],
}
GROUPS = GROUPS[ORDER]
X = RNG.normal(size=(N, 2))
RESPONSE = RNG.normal(size=N)
PRECISIONS = RNG.uniform(0.5, 2.0, N)
WEIGHTS = ("no weights", "precision", "groups")
STRUCTURES: dict[str, ResidualStructure] = {
    **CORRELATIONS,
    "heterogeneous": Heterogeneous("stratum"),
    "known": KnownVariance("variance"),
    "ar1, arms": AR1("time", by="arm"),
    "ar1 * heterogeneous": AR1("time") * Heterogeneous("stratum"),
    "ar1, arms * heterogeneous": AR1("time", by="arm") * Heterogeneous("stratum"),
    "ante-dependence * heterogeneous": AnteDependence("time") * Heterogeneous("time"),
    "compound symmetry * heterogeneous": CompoundSymmetry() * Heterogeneous("stratum"),
    "toeplitz, arms * two": Toeplitz("time", by="arm")
    * Heterogeneous("stratum")
    * Heterogeneous("arm"),
    "ar1 * known": AR1("time") * KnownVariance("variance"),
    "any covariance": AnyCovariance("time"),
    "any covariance, arms": AnyCovariance("time", by="arm"),
}


def learned_rows(structure: ResidualStructure) -> tuple[LearnedResidual, ResidualRows]:
    learned = learn_residual(structure, COLUMNS, GROUPS)
    return learned, learned.rows(COLUMNS, GROUPS)


def whitening(
    structure: ResidualStructure,
    n_effects: int = 1,
    *,
    reml: bool = True,
    weights: str = "no weights",
    merged: int = 1,
) -> ResidualObjective:
    """Return the objective with whitened rows; so many groups of residuals are one level."""
    factor = factorise(GROUPS // merged, "g")
    names = ("Intercept", "x")[:n_effects]
    columns = np.column_stack([np.ones(N), X[:, 0]])[:, :n_effects]
    blocks = (RandomBlock(factor, columns, (TermLayout(names),)),) if n_effects else ()
    covariance = JointCovariance(tuple(DirectSum((Unstructured(),), (n_effects,)) for _ in blocks))
    own = {
        "no weights": Weights(),
        "precision": Weights(PRECISIONS),
        "frequency": Weights(np.ceil(3.0 * PRECISIONS), "frequency"),
        "groups": Weights(groups=1.0 + np.arange(len(factor.levels)), codes=factor.codes),
    }[weights]
    design = Design(RESPONSE, X, ("x", "z"), True, blocks, weights=own)
    rows = standardised(design, covariance)[1]
    model = ResidualModel(*learned_rows(structure))
    sigma2 = 1.3 if model.learned.fixes_sigma else None
    kept = list(range(len(blocks)))
    return ResidualObjective(rows, covariance, kept, model, reml=reml, sigma2=sigma2)


def based(objective: ResidualObjective) -> BasisObjective:
    residual = objective.residual
    cliques = find_cliques(residual.learned, residual.rows, 10**6)
    assert cliques is not None
    return BasisObjective(objective, cliques, row_columns(objective))


def some_parameters(objective: ResidualObjective) -> np.ndarray:
    m, n = objective.covariance.n_parameters, objective.residual.learned.n_parameters
    rng = np.random.default_rng(1)
    return np.append([0.8, 0.3, 0.5][:m], rng.uniform(-0.6, 0.6, n))


def model_of(structure: ResidualStructure, groups: np.ndarray, visit: np.ndarray) -> LMMModel:
    """Return a model of a random intercept and AR1 residuals that grow with the visits."""
    rng = np.random.default_rng(8)
    n_groups, n_visits = groups.max() + 1, visit.max() + 1
    C = 0.5 ** np.abs(np.subtract.outer(np.arange(n_visits), np.arange(n_visits)))
    e = rng.multivariate_normal(np.zeros(n_visits), C, n_groups, method="cholesky")
    x = rng.normal(size=len(groups))
    y = 1.0 + x + rng.normal(size=n_groups)[groups] + (1.0 + 0.2 * visit) * e[groups, visit]
    factor = factorise(groups, "subject")
    block = RandomBlock(factor, np.ones((len(x), 1)), (TermLayout(("Intercept",)),))
    covariance = JointCovariance((DirectSum((Unstructured(),), (1,)),))
    design = Design(y, x[:, None], ("x",), True, (block,))
    learned = learn_residual(structure, {"visit": visit}, factor.codes)
    residual = ResidualModel(learned, learned.rows({"visit": visit}, factor.codes))
    return LMMModel(design, covariance, True, 1e-8, 100, residual=residual)


def whitening_of(model: LMMModel) -> ResidualObjective:
    """Return the objective with whitened rows of a model."""
    rows = standardised(model.design, model.covariance)[1]
    assert model.residual is not None
    return ResidualObjective(rows, model.covariance, [0], model.residual, reml=model.reml)
