"""Draws do not depend on the choice of eigenvectors, which differs between processors."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_sleepstudy, make_gpa, make_mixed_regression
from skmixed.inference.marginal.multiplicity import ADJUSTMENTS, Family
from skmixed.prediction.sampling import sample_effects

ROOT = Path(__file__).parents[2]
EQUAL = 0.5 + 0.5 * np.eye(3)
DRAW = "multivariate_normal"


@pytest.fixture
def other_processor(monkeypatch) -> Callable[[], None]:
    """Return a function from which on NumPy finds other eigenvectors and singular vectors.

    Signs change, and the two vectors of the smallest eigenvalues rotate if these are equal.
    """
    eigh, svd = np.linalg.eigh, np.linalg.svd
    rotation = np.array([[0.6, 0.8], [-0.8, 0.6]])

    def other_eigh(a, *args, **options):
        values, vectors = eigh(a, *args, **options)
        if values.shape[-1] > 1 and np.allclose(values[..., 0], values[..., 1]):
            vectors[..., :2] = vectors[..., :2] @ rotation
        return values, -vectors

    def other_svd(a, *args, **options):
        found = svd(a, *args, **options)
        if not isinstance(found, tuple):
            return found
        left, values, right = found
        return -left, values, -right

    def switch() -> None:
        monkeypatch.setattr(np.linalg, "eigh", other_eigh)
        monkeypatch.setattr(np.linalg, "svd", other_svd)

    return switch


def joint_t() -> np.ndarray:
    """Return critical values of three comparisons with a control."""
    family = Family(np.ones(3), np.full(3, 20.0), EQUAL)
    return ADJUSTMENTS["mvt"].critical(family, 0.05)


def sampled_groups() -> np.ndarray:
    """Draw coefficients of a fit with the sandwich covariance."""
    data = load_sleepstudy()
    model = MixedLM("Subject", method="ml", weight_type="sampling")
    weights = dict.fromkeys(data["Subject"].unique(), 2.0)
    fit = model.fit(data[["Days", "Subject"]], data["Reaction"], group_weight=weights).lmm_fit_
    return sample_effects(fit, 3, np.random.default_rng(0)).coefficients


def iterative_effects() -> np.ndarray:
    """Draw effects whose covariance the iterative kernel estimates."""
    data = load_sleepstudy().assign(week=lambda d: d["Days"] % 5)
    formula = "Reaction ~ Days + (Days | Subject) + (1 | week)"
    fit = mixedlm(formula, data, solver="iterative").fit
    return sample_effects(fit, 3, np.random.default_rng(0)).effects[0]


DRAWS: dict[str, Callable[[], np.ndarray]] = {
    "make_mixed_regression": lambda: make_mixed_regression(
        5, 3, beta=[0.0, 1.0, 2.0], re_cov=EQUAL, random_state=0
    )[1],
    "make_gpa": lambda: make_gpa(5, coef=True, random_state=0)[1].random_effects,
    "joint t": joint_t,
    "sampling weights": sampled_groups,
    "iterative kernel": iterative_effects,
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_draws_are_the_same(draw, other_processor):
    here = draw()
    other_processor()
    assert_allclose(draw(), here, rtol=1e-7)


def test_singular_covariances_are_drawn_from():
    """The second effect is the first one times 3, and the third one is 0."""
    re_cov = np.outer([1.0, 3.0, 0.0], [1.0, 3.0, 0.0])
    *_, truth = make_mixed_regression(
        200, 1, beta=np.zeros(3), re_cov=re_cov, coef=True, random_state=0
    )
    first, second, third = truth.random_effects.T
    assert_allclose(second, 3.0 * first)
    assert not third.any()
    assert 0.8 < first.std() < 1.2


def test_vectors_are_drawn_by_cholesky():
    """NumPy's other methods take eigenvectors, and give each processor other data."""
    for folder in ("skmixed", "tests", "examples"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text("utf-8")
            calls = ast.walk(ast.parse(text)) if ".multivariate_normal(" in text else ()
            for call in calls:
                if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == DRAW:
                    assert "method" in [k.arg for k in call.keywords], f"{file}:{call.lineno}"
