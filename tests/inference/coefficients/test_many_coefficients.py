"""Tests of many coefficients are products of matrices, and the same numbers."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
from numpy.testing import assert_allclose, assert_array_equal

from skmixed import mixedlm
from skmixed.inference import anova_terms, wald_test
from skmixed.inference.coefficients.covariance_solve import quadratic_forms
from skmixed.inference.coefficients.term_space import distinct_rows


def test_quadratic_forms_are_those_of_the_sum() -> None:
    rng = np.random.default_rng(0)
    rows, matrices = rng.normal(size=(7, 4)), rng.normal(size=(3, 4, 4))
    expected = np.einsum("ni,mij,nj->mn", rows, matrices, rows)
    assert_allclose(quadratic_forms(rows, matrices), expected, rtol=1e-12)
    assert quadratic_forms(rows, matrices[:0]).shape == (0, 7)


def test_quadratic_forms_of_many_rows_are_quick() -> None:
    rows = np.eye(700)
    start = time.process_time()
    quadratic_forms(rows, rows)
    assert time.process_time() - start < 1.0


def test_distinct_rows_rebuild_the_matrix() -> None:
    rng = np.random.default_rng(1)
    few, many = rng.normal(size=(9, 3))[rng.integers(0, 9, 40)], rng.normal(size=(40, 3))
    for matrix, n_distinct in ((few, 9), (many, 40), (few[:, :0], 1), (few[:0], 0)):
        positions, kinds = distinct_rows(matrix)
        assert len(positions) == n_distinct
        assert_array_equal(matrix[positions][kinds], matrix)


def test_term_of_many_categories_is_the_wald_test_of_its_coefficients() -> None:
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"f": np.arange(800) % 160, "x": rng.normal(size=800)})
    data["g"] = rng.integers(0, 20, 800)
    data["y"] = rng.normal(size=20)[data["g"]] + rng.normal(size=800)
    results = mixedlm("y ~ C(f) + (1 | g)", data)
    anova = anova_terms(results)
    names = list(results.params.index[1:])
    together = wald_test(results, dict.fromkeys(names, 0.0))
    assert_allclose(anova[["df_num", "statistic"]], together[["df_num", "statistic"]], rtol=1e-8)
    # Fai and Cornelius' degrees of freedom depend on how a hypothesis is written.
    assert_allclose(anova["df_denom"], together["df_denom"], rtol=1e-3)
    with_x = anova_terms(mixedlm("y ~ C(f) * x + (1 | g)", data), type=2)
    assert with_x["df_num"].tolist() == [159, 1, 159]
