"""Effective degrees of freedom: traces of the hat matrix written out, and a closed form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.reference import fit_case, shared_case

from inference.diagnostics.residual_models import RESIDUAL, residual_model
from skmixed import MixedLM, mixedlm
from skmixed.datasets import load_dyestuff, load_dyestuff2, load_sleepstudy
from skmixed.inference import effective_df, leverage
from skmixed.results import MixedLMResults


def written_out(results: MixedLMResults) -> list[np.ndarray]:
    """Return V / sigma^2, X and Z Psi Z' of each random term, rows by rows."""
    design, covariance = results.model.design, results.model.covariance
    X = np.column_stack([np.ones(design.n_rows), design.fixed])
    weights = np.ones(design.n_rows) if design.weights.values is None else design.weights.values
    terms = []
    for block, joint, effects in zip(
        design.blocks, covariance.factors, results.fit.random, strict=True
    ):
        same = np.equal.outer(block.factor.codes, block.factor.codes)
        for own in joint.effect_slices:
            root = effects.relative_factor[own]
            columns = block.columns[:, own] @ root
            terms.append(same * (columns @ columns.T))
    return [np.diag(1.0 / weights) + sum(terms), X, *terms]


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("method", ["reml", "ml"])
def test_traces_of_the_hat_matrix(method: str, weights: str | None) -> None:
    rng = np.random.default_rng(4)
    n = 150
    data = pd.DataFrame(rng.normal(size=(n, 2)), columns=["x", "e"])
    data["g"], data["h"] = rng.integers(0, 12, n), rng.integers(0, 9, n)
    data["w"] = rng.uniform(0.5, 2.0, n)
    effects = rng.normal(size=(3, 12))
    g = data["g"]
    data["y"] = effects[0, g] + effects[1, g] * data["x"] + effects[2, data["h"]] + data["e"]
    formula = "y ~ x + (1 | g) + (0 + x | g) + (1 | h)"
    results = mixedlm(formula, data, method=method, weights=weights)
    table = effective_df(results)
    V, X, *terms = written_out(results)
    inverse = np.linalg.inv(V)
    fixed = inverse @ X @ np.linalg.inv(X.T @ inverse @ X) @ X.T @ inverse
    expected = [np.trace(term @ (inverse - fixed)) for term in terms]
    alone = [np.trace(term @ inverse) for term in terms]
    assert table["term"].tolist()[1:4] == ["(1 | g)", "(0 + x | g)", "(1 | h)"]
    assert_allclose(table["effective_df"][:4], [2.0, *expected], rtol=1e-8)
    assert_allclose(table["effective_df_known_mean"][1:4], alone, rtol=1e-8)
    assert_allclose(table["effective_df"][4], 2.0 + sum(expected), rtol=1e-8)
    assert table["n_effects"].tolist() == [2, 12, 12, 9, 35]


def test_row_51_closed_form_of_balanced_groups(shared: Path) -> None:
    results = fit_case(shared_case(shared, "pigs_ri")).results
    ratio = results.sigma**2 / results.variance_components["vcov"][0]
    row = effective_df(results).iloc[1]
    assert_allclose(row["effective_df_known_mean"], 48 * 9 / (9 + ratio), rtol=1e-9)
    assert round(row["effective_df_known_mean"], 1) == 46.5  # The course notes.


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_a_variance_of_zero_takes_no_degrees_of_freedom() -> None:
    table = effective_df(mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2()))
    assert table["effective_df"].tolist() == [1.0, 0.0, 1.0]


def test_estimators_and_group_weights() -> None:
    dyestuff = load_dyestuff()
    X, y, g = np.empty((30, 0)), dyestuff["Yield"], dyestuff["Batch"]
    plain = MixedLM().fit(X, y, groups=g)
    expected = effective_df(mixedlm("Yield ~ 1 + (1 | Batch)", dyestuff))["effective_df"]
    assert_allclose(effective_df(plain)["effective_df"], expected)
    twice = MixedLM().fit(X, y, groups=g, group_weight=np.full(30, 2))
    labels = [f"{label}{copy}" for copy in (0, 1) for label in g]
    copied = MixedLM().fit(np.empty((60, 0)), np.tile(y, 2), groups=labels)
    assert_allclose(effective_df(twice)["effective_df"], effective_df(copied)["effective_df"])


def test_all_of_the_slopes_and_intercepts_are_one_term() -> None:
    table = effective_df(mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
    assert table["term"].tolist() == ["Fixed effects", "(1 + Days | Subject)", "Total"]
    assert 0.0 < table["effective_df"][1] < 34.0


@pytest.mark.parametrize("name", RESIDUAL)
def test_with_a_residual_structure_it_is_the_sum_of_the_leverages(name: str) -> None:
    results = residual_model(name)
    counts = results.model.design.weights.row_multiplicity
    total = float((leverage(results) * (1.0 if counts is None else counts)).sum())
    assert_allclose(effective_df(results)["effective_df"].iloc[-1], total, rtol=1e-9)
