"""The directions that the cross-products find are those that dense matrices have."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import null_space

from skmixed import mixedlm
from skmixed.fitting.standardise import standardised
from skmixed.likelihood.identification import unidentified_directions
from skmixed.likelihood.profiled import ProfiledObjective

pytestmark = pytest.mark.exhaustive(3)

RNG = np.random.default_rng(5)
CELLS = pd.DataFrame({"g": np.repeat(np.arange(6), 3), "t": np.tile(list("abc"), 6)})
CELLS = CELLS.assign(
    x=np.tile([0.0, 1.0, 3.0], 6),
    z=RNG.normal(size=18),
    twin=CELLS.g.map(lambda g: f"t{(5 * g) % 6}"),
    block=CELLS.g // 2,
    arm=(CELLS.g // 3).astype(float),
    w=np.exp(3.0 * RNG.normal(size=18)),
    y=RNG.normal(size=18),
)
PAIRS = CELLS[CELLS.t != "c"]
UNEVEN = CELLS.drop(index=[1, 2, 5, 9])

CASES = [
    ("y ~ x + (x | g)", CELLS, 0),
    ("y ~ x + (x | g)", PAIRS, 1),
    ("y ~ x + (z | g)", PAIRS, 0),
    ("y ~ x + (x || g)", PAIRS, 0),
    ("y ~ t + (t | g)", CELLS, 1),
    ("y ~ t + (0 + t | g)", UNEVEN, 1),
    ("y ~ t + cs(0 + t | g)", CELLS, 0),
    ("y ~ t + ar1(0 + t | g)", CELLS, 0),
    ("y ~ t + diag(0 + t | g)", CELLS, 1),
    ("y ~ x + (1 | g) + (1 | twin)", CELLS, 1),
    ("y ~ x + (x | g) + (x | twin)", CELLS, 3),
    ("y ~ x + (x | g) + (1 | twin)", PAIRS, 2),
    ("y ~ x + (1 | g) + (1 | block) + (1 | t)", UNEVEN, 0),
    ("y ~ arm + (1 | g) + (1 | arm)", CELLS, 1),
    ("y ~ arm + x + (x | arm)", CELLS, 2),
    ("y ~ C(g) + (1 | g)", CELLS, 1),
    ("y ~ C(g) + (x | g)", CELLS, 2),
]


def model_of(formula, data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mixedlm(formula, data, **options).model


def dense_rank_deficiency(model, rows):
    """Return parameters less the rank of the derivative of the contrasts' covariance."""
    contrasts = null_space(rows.A[:-1])
    rng = np.random.default_rng(8)
    changes = [np.eye(len(contrasts))]
    for Z, factor, covariance in zip(
        rows.Z, model.design.factors, model.covariance.factors, strict=True
    ):
        theta = 0.5 + rng.random(covariance.n_parameters)
        half = covariance.factor_derivative(theta) @ covariance.factor(theta).T
        same = factor.codes[:, None] == factor.codes
        changes += [same * (Z.T @ step @ Z) for step in half + half.swapaxes(1, 2)]
    seen = [contrasts.T @ change @ contrasts / np.linalg.norm(change) for change in changes]
    flat = np.array([one.ravel() for one in seen])
    return len(flat) - np.linalg.matrix_rank(flat, tol=1e-7)


@pytest.mark.parametrize("weighted", [False, True], ids=["", "weighted"])
@pytest.mark.parametrize(
    ("formula", "data", "expected"), CASES, ids=[f"{c[0]} {len(c[1])}" for c in CASES]
)
def test_directions_are_those_of_dense_matrices(formula, data, expected, weighted):
    weights = data["w"].to_numpy() if weighted else None
    model = model_of(formula, data, weights=weights)
    rows = standardised(model.design, model.covariance)[1]
    products = rows.products()
    objective = ProfiledObjective(products, model.covariance, reml=True)
    found = unidentified_directions(products, model.covariance, objective.kernel)
    assert len(found) == dense_rank_deficiency(model, rows)
    if not weighted:
        assert len(found) == expected


def test_many_full_levels_need_no_look_at_the_products():
    """A level with as many independent rows as effects is enough, if X cannot hide it."""
    data = pd.concat([CELLS, CELLS.assign(g=CELLS.g + 6)])
    model = model_of("y ~ x + (x | g)", data)
    products = standardised(model.design, model.covariance)[1].products()
    kernel = ProfiledObjective(products, model.covariance, reml=True).kernel
    assert kernel.n_spanned_levels == [12]

    class NoProducts:
        factors, AtWA = products.factors, products.AtWA

    assert unidentified_directions(NoProducts(), model.covariance, kernel) == []
