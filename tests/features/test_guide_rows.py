"""Rows 22 and 23 of the promised features: what the guide says of levels, and of few groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from skmixed import MixedLM, SingularFitWarning, mixedlm
from skmixed.datasets import make_mixed_regression


class TestRow22LevelsAndTheirMarginalForm:
    """Equations of rows and of groups are one formula, and one normal distribution of the rows."""

    FORMULA = "y ~ x1 * a1 + (x1 | group)"

    @pytest.fixture
    def data(self):
        return make_mixed_regression(
            30,
            6,
            beta=[10.0, 2.0],
            re_cov=[[4.0, 0.5], [0.5, 1.0]],
            sigma=1.5,
            group_covariates=1,
            gamma=[[1.5], [-1.0]],
            as_frame=True,
            random_state=3,
        )

    def test_row_22_level_two_equations_give_the_coefficients_of_a_group(self, data):
        results = mixedlm(self.FORMULA, data)
        beta, deviations = results.params, results.random_effects["group"]
        a = data.groupby("group")["a1"].first()
        intercepts = beta["Intercept"] + beta["a1"] * a + deviations["Intercept"]
        slopes = beta["x1"] + beta["x1:a1"] * a + deviations["x1"]
        of_row = data["group"]
        line = intercepts[of_row].to_numpy() + slopes[of_row].to_numpy() * data["x1"]
        assert_allclose(results.fittedvalues, line, rtol=1e-10)

    def test_row_22_marginal_form_is_the_normal_distribution_of_the_rows(self, data):
        results = mixedlm(self.FORMULA, data, method="ml")
        model = MixedLM(formula=self.FORMULA, method="ml").fit(data)
        mean = results.predict(data, include_random_effects=False)
        density = multivariate_normal(mean, model.marginal_covariance(data))
        assert_allclose(density.logpdf(data["y"]), results.llf, rtol=1e-10)

    def test_row_22_marginal_covariance_comes_from_the_levels(self, data):
        results = mixedlm(self.FORMULA, data)
        model = MixedLM(formula=self.FORMULA).fit(data)
        Z = np.column_stack([np.ones(len(data)), data["x1"]])
        same = np.equal.outer(data["group"].to_numpy(), data["group"].to_numpy())
        V = Z @ results.cov_re.to_numpy() @ Z.T * same + results.scale * np.eye(len(data))
        assert_allclose(model.marginal_covariance(data), V, rtol=1e-8, atol=1e-8)


class TestRow23FewGroupsAndFewRows:
    """Too few groups or rows for a variance: a fit, and a warning that says why."""

    @pytest.mark.parametrize(
        ("labels", "reason"),
        [
            (np.arange(40), "every group has one row only"),
            (np.zeros(40, dtype=int), "one group only"),
        ],
        ids=["one row in every group", "one group"],
    )
    @pytest.mark.parametrize("terms", ["(1 | g)", "(x | g)"])
    def test_row_23_variance_that_cannot_be_estimated(self, labels, reason, terms):
        rng = np.random.default_rng(0)
        data = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40), "g": labels})
        with pytest.warns(SingularFitWarning, match=reason):
            results = mixedlm(f"y ~ x + {terms}", data)
        expected = np.linalg.lstsq(np.column_stack([np.ones(40), data["x"]]), data["y"])[0]
        assert_allclose(results.params, expected, rtol=1e-8)

    def test_row_23_slope_that_no_group_can_show(self):
        rng = np.random.default_rng(0)
        groups = np.repeat(np.arange(10), 5)
        data = pd.DataFrame(
            {"x": rng.normal(size=10)[groups], "y": rng.normal(size=50), "g": groups}
        )
        with pytest.warns(UserWarning, match="do not vary within any group"):
            mixedlm("y ~ x + (x | g)", data)

    @pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
    @pytest.mark.slow
    def test_row_23_few_groups_leave_the_variance_open(self):
        """The spread of estimates over studies is that of the mean square of groups."""
        spread = {}
        for n_groups in (4, 40):
            found = [
                mixedlm(
                    "y ~ 1 + (1 | group)",
                    make_mixed_regression(
                        n_groups, 20, beta=[0.0], sigma=0.5, as_frame=True, random_state=study
                    ),
                ).variance_components["vcov"][0]
                for study in range(100)
            ]
            spread[n_groups] = np.std(found)
            # Balanced: the variance of group means is chi-square with n_groups - 1 degrees.
            expected = (1.0 + 0.25 / 20) * np.sqrt(2 / (n_groups - 1))
            assert_allclose(spread[n_groups], expected, rtol=0.35)
        assert spread[4] > 2 * spread[40]
