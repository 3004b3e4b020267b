"""Rows 24 to 63 of the promised features: estimation, weights and outputs.

Rows on intervals, tests and comparisons are tested beside the functions, in ``tests/inference``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.checks import assert_same_fit
from parity.names import matching
from parity.reference import Case, bundled_case, fit_case, fit_estimator, shared_case
from scipy import sparse, stats
from sklearn.exceptions import ConvergenceWarning

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning, mixedlm
from skmixed.datasets import load_dyestuff, load_dyestuff2, load_pastes, load_sleepstudy
from skmixed.plots import RandomEffectsDisplay

from .cases import fit_as_in_r

SLOPES = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture(scope="module")
def slopes() -> Case:
    return bundled_case("sleep_slopes")


@pytest.fixture(scope="module")
def results(slopes):
    return fit_case(slopes).results


@pytest.fixture(scope="module")
def estimator(slopes):
    return fit_estimator(slopes)


def written_out(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float]:
    """Return X, Z, the covariance of b, y and sigma^2 of the sleep study, by R's estimates."""
    data = case.data
    X = np.column_stack([np.ones(len(data)), data["Days"]])
    codes = data["Subject"].cat.codes.to_numpy()
    indicators = np.equal.outer(codes, np.arange(codes.max() + 1)).astype(float)
    Z = np.einsum("ng,nq->ngq", indicators, X).reshape(len(data), -1)
    Psi = np.kron(np.eye(codes.max() + 1), case.figures["varcorr"][0]["cov"])
    return X, Z, Psi, data["Reaction"].to_numpy(), case.figures["sigma"] ** 2


def ranef(case: Case, factor: str) -> tuple[pd.Index, np.ndarray, np.ndarray]:
    """Return R's first levels of a factor, their modes and conditional standard deviations."""
    table = case.figures["ranef"][factor]
    return pd.Index(table["levels"]), np.array(table["values"]), np.array(table["condsd"])


class TestEstimation:
    """Rows 25 and 27 to 30."""

    def test_row_25_generalised_least_squares_and_criterion(self, slopes, results):
        X, Z, Psi, y, residual = written_out(slopes)
        V = Z @ Psi @ Z.T + residual * np.eye(len(y))
        XtVX = X.T @ np.linalg.solve(V, X)
        beta = np.linalg.solve(XtVX, X.T @ np.linalg.solve(V, y))
        assert_allclose(results.params, beta, rtol=1e-7)
        errors = y - X @ beta
        logdet = np.linalg.slogdet(V)[1]
        squares = errors @ np.linalg.solve(V, errors)
        constant = np.log(2.0 * np.pi)
        penalty = np.linalg.slogdet(XtVX)[1]
        assert_allclose(results.criterion, logdet + squares + penalty + 178 * constant, rtol=1e-9)

    def test_row_25_profiled_objective(self, results):
        """The criterion as a function of theta, profiled over beta and sigma^2, has its minimum."""
        theta = results.theta
        for step in 0.05 * np.vstack([np.eye(3), -np.eye(3)]):
            rise, half = (
                results.objective(theta + part * step) - results.criterion for part in (1.0, 0.5)
            )
            # Near a minimum half of a step rises a quarter as high, up to the cubic term.
            assert_allclose(rise, 4.0 * half, rtol=0.25)
            assert half > 0.0

    def test_row_27_singular_fit(self, shared):
        fitted = fit_case(shared_case(shared, "sim757_full"))
        assert fitted.warnings == (SingularFitWarning,)
        assert fitted.results.is_singular
        assert fitted.results.variance_components["sdcor"][2] == pytest.approx(1.0, abs=1e-8)
        assert fitted.results.criterion == pytest.approx(1200.6806, abs=5e-5)  # The course notes.
        assert_allclose(fitted.results.theta[2], 0.0, atol=1e-6)

    def test_row_27_regular_fit_is_not_singular(self, results, estimator):
        assert not results.is_singular
        assert not estimator.is_singular_

    def test_row_28_convergence(self, results, estimator):
        assert results.converged
        assert estimator.converged_
        assert 1 < estimator.n_iter_ < 20
        assert "below tol" in results.optimizer_message
        assert estimator.optimizer_message_ == results.optimizer_message

    def test_row_28_search_that_is_cut_short(self):
        with pytest.warns(ConvergenceWarning):
            cut = MixedLM(formula=SLOPES, max_iter=1).fit(load_sleepstudy())
        assert not cut.converged_
        assert cut.n_iter_ == 1

    def test_row_29_design_matrices(self, slopes, results, estimator):
        matrices = estimator.design_matrices(slopes.data)
        X, Z, *_ = written_out(slopes)
        assert matrices.X.columns.tolist() == ["Intercept", "Days"]
        assert_allclose(matrices.X, X)
        assert sparse.issparse(matrices.Z)
        assert matrices.Z_columns[:2].tolist() == [
            ("Subject", "308", "Intercept"),
            ("Subject", "308", "Days"),
        ]
        assert_allclose(matrices.Z.toarray(), Z)
        b = results.random_effects["Subject"].to_numpy().ravel()
        fitted = matrices.X.to_numpy() @ results.params + matrices.Z @ b
        assert_allclose(fitted[:10], slopes.figures["fitted10"], rtol=1e-7)

    def test_row_30_marginal_covariance(self, shared):
        case = shared_case(shared, "gpa_rs")
        model = MixedLM(formula=case.formula).fit(case.data)
        covariance = model.marginal_covariance(case.data[:30])
        student = case.data["student"][:30].to_numpy()
        same = np.equal.outer(student, student)
        first = np.ix_(student == student[0], student == student[0])
        assert_allclose(covariance[first], case.figures["marginal_cov_student1"], rtol=1e-6)
        assert not covariance[~same].any()

    def test_row_30_marginal_covariance_of_bundled_data(self, slopes, estimator):
        _, Z, Psi, _, residual = written_out(slopes)
        V = Z @ Psi @ Z.T + residual * np.eye(len(Z))
        assert_allclose(estimator.marginal_covariance(slopes.data), V, rtol=1e-6, atol=1e-6)


class TestWeights:
    """Rows 31 to 33."""

    @pytest.mark.parametrize("name", ["sleep_weights", "sleep_weights_ml", "pastes_weights_ml"])
    def test_row_31_individual_weights(self, name):
        fit_as_in_r(bundled_case(name))

    def test_row_31_weights_are_relative_precisions(self):
        case = bundled_case("sleep_weights")
        model = MixedLM(formula=case.formula)
        one = model.fit(case.data, sample_weight=case.weights).results_
        four = model.fit(case.data, sample_weight=4.0 * case.weights).results_
        assert_allclose(four.sigma, 2.0 * one.sigma, rtol=1e-8)
        assert_allclose(four.params, one.params, rtol=1e-8)
        assert_allclose(four.cov_re, one.cov_re, rtol=1e-6)

    @pytest.mark.parametrize("method", ["reml", "ml"])
    def test_row_32_group_weights_replicate_groups(self, method):
        data = load_sleepstudy()
        counts = {label: 1 + i % 3 for i, label in enumerate(data["Subject"].cat.categories)}
        copies = [
            data[data["Subject"] == label].assign(Subject=f"{label} {copy}")
            for label, count in counts.items()
            for copy in range(count)
        ]
        replicated = MixedLM(formula=SLOPES, method=method).fit(pd.concat(copies))
        weighted = MixedLM(formula=SLOPES, method=method).fit(data, group_weight=counts)
        assert_allclose(weighted.log_likelihood_, replicated.log_likelihood_, rtol=1e-10)
        assert_allclose(weighted.results_.cov_params(), replicated.results_.cov_params(), rtol=1e-7)
        assert_allclose(weighted.results_.params, replicated.results_.params, rtol=1e-8)
        assert_allclose(weighted.results_.cov_re, replicated.results_.cov_re, rtol=1e-6)

    def test_row_33_frequencies_replicate_rows_and_precisions_do_not(self):
        data = load_pastes()
        counts = 1 + np.arange(len(data)) % 3
        formula = "strength ~ 1 + (1 | sample)"
        replicated = mixedlm(formula, data.loc[data.index.repeat(counts)])
        frequency = mixedlm(formula, data, weights=counts, weight_type="frequency")
        precision = mixedlm(formula, data, weights=counts, weight_type="precision")
        assert_same_fit(frequency.fit, replicated.fit)
        assert frequency.nobs == counts.sum()
        assert precision.nobs == len(data)
        assert abs(precision.llf - frequency.llf) > 1.0

    def test_row_33_sampling_weights_scaled_by_methods_a_and_b(self):
        """More of these weights, with the pseudo-likelihood: tests/estimators."""
        data = load_pastes()
        data["w"] = 1.0 + np.arange(len(data)) % 3
        options = {"weights": "w", "weight_type": "sampling", "method": "ml"}
        total = data.groupby("batch")["w"].transform("sum")
        squares = data["w"].pow(2).groupby(data["batch"]).transform("sum")
        size = data.groupby("batch")["w"].transform("size")
        for scaling, factor in (("size", size / total), ("effective", total / squares)):
            scaled = data.assign(w=data["w"] * factor)
            fit = mixedlm("strength ~ 1 + (1 | batch)", data, weight_scaling=scaling, **options)
            same = mixedlm("strength ~ 1 + (1 | batch)", scaled, weight_scaling="none", **options)
            counted = mixedlm(
                "strength ~ 1 + (1 | batch)",
                scaled,
                weights="w",
                weight_type="frequency",
                method="ml",
            )
            assert_allclose(fit.llf, same.llf, rtol=1e-12)
            assert_allclose(fit.params, counted.params, rtol=1e-9)
            assert fit.bse.iloc[0] != counted.bse.iloc[0]


class TestCoefficientsAndVariances:
    """Rows 34, 36 and 37."""

    def test_row_34_fixed_effects(self, slopes, results, estimator):
        figures = slopes.figures
        estimates, errors = (np.array(list(figures[key].values())) for key in ("fixef", "se"))
        assert_allclose(results.params, estimates, rtol=1e-7)
        assert_allclose(results.bse, errors, rtol=1e-6)
        assert_allclose(results.tvalues, estimates / errors, rtol=1e-6)
        assert_allclose([estimator.intercept_, *estimator.coef_], estimates, rtol=1e-7)

    def test_row_36_variances_in_long_form(self, slopes, results, estimator):
        term = slopes.figures["varcorr"][0]
        sigma = slopes.figures["sigma"]
        table = results.variance_components
        assert table["group"].tolist() == ["Subject"] * 3 + ["Residual"]
        assert table["name2"].tolist() == [None, None, "Days", None]
        variances = [term["cov"][0][0], term["cov"][1][1], term["cov"][0][1], sigma**2]
        assert_allclose(table["vcov"], variances, rtol=1e-5)
        assert_allclose(table["sdcor"], [*term["sd"], term["corr"][0][1], sigma], rtol=1e-5)
        assert_allclose(estimator.variance_components_["vcov"], table["vcov"], rtol=1e-8)

    def test_row_37_share_of_each_variance(self):
        case = bundled_case("penicillin")
        table = fit_case(case).results.variance_components.set_index("group")
        variances = pd.Series({one["group"]: one["cov"][0][0] for one in case.figures["varcorr"]})
        variances["Residual"] = case.figures["sigma"] ** 2
        expected = variances / variances.sum()
        assert_allclose(table["share"].loc[expected.index], expected, rtol=1e-5)


class TestRandomEffects:
    """Rows 40 to 42, 50 and 52."""

    @pytest.mark.parametrize("name", ["sleep_slopes", "penicillin", "pastes_two_columns"])
    def test_row_40_conditional_modes(self, name):
        case = bundled_case(name)
        found = fit_case(case).results.random_effects
        assert set(found) == set(case.figures["ranef"])
        for factor in found:
            levels, values, _ = ranef(case, factor)
            modes = found[factor].set_axis(found[factor].index.astype(str))
            assert_allclose(modes.loc[levels], values, rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("name", ["sleep_slopes", "penicillin", "pastes_two_columns"])
    def test_row_41_conditional_deviations_and_intervals(self, name):
        case = bundled_case(name)
        results = fit_case(case).results
        for factor in case.figures["ranef"]:
            levels, values, deviations = ranef(case, factor)
            found = results.random_effects_sd[factor]
            found = found.set_axis(found.index.astype(str))
            assert_allclose(found.loc[levels], deviations, rtol=1e-5)
            display = RandomEffectsDisplay.from_results(
                results, factor=factor, level=0.9, beta_known=True
            )
            rows = pd.Index(display.levels.astype(str)).get_indexer(levels)
            reach = stats.norm.ppf(0.95) * deviations
            assert_allclose(display.lower[rows], values - reach, rtol=1e-4, atol=1e-5)
            assert_allclose(display.upper[rows], values + reach, rtol=1e-4, atol=1e-5)

    def test_row_42_group_coefficients(self, slopes, results, estimator):
        levels, modes, _ = ranef(slopes, "Subject")
        population = np.array(list(slopes.figures["fixef"].values()))
        for table in (results.group_coefficients["Subject"], estimator.group_coef_["Subject"]):
            assert_allclose(table.loc[levels], population + modes, rtol=1e-6)

    def test_row_42_errors_of_group_lines_are_joint(self, slopes, results):
        """The covariance of beta_hat and b_hat counts (Henderson 1975)."""
        X, Z, Psi, _, residual = written_out(slopes)
        columns = np.hstack([X, Z])
        penalty = np.zeros((38, 38))
        penalty[2:, 2:] = np.linalg.inv(Psi)
        joint = np.linalg.inv(columns.T @ columns / residual + penalty)
        of_first = np.eye(38)[:2] + np.eye(38)[2:4]
        line = np.array([[1.0, 0.0], [1.0, 1.0]])
        expected = line @ of_first @ joint @ of_first.T @ line.T + residual * np.eye(2)
        _, found = results.predict(slopes.data[:2], return_cov=True)
        assert_allclose(found, expected, rtol=1e-6)

    def test_row_50_shrinkage_formula(self):
        case = bundled_case("dyestuff")
        data = case.data
        ratio = case.figures["sigma"] ** 2 / case.figures["varcorr"][0]["cov"][0][0]
        mean = case.figures["fixef"]["(Intercept)"]
        model = RandomInterceptRegressor("Batch").fit(data[["Batch"]], data["Yield"])
        groups = data.groupby("Batch", observed=True)["Yield"]
        n = groups.size()
        expected = (ratio * mean + groups.sum()) / (n + ratio)
        found = model.intercept_ + model.random_effects_["Batch"]["Intercept"]
        assert_allclose(found, expected.loc[found.index], rtol=1e-7)
        assert_allclose(model.shrinkage_, n / (n + ratio), rtol=1e-6)
        # In terms of the intraclass correlation.
        assert_allclose(model.shrinkage_, n * model.icc_ / (1 + (n - 1) * model.icc_), rtol=1e-8)

    def test_row_50_limits_of_shrinkage(self):
        data, none = load_dyestuff(), load_dyestuff2()
        with pytest.warns(SingularFitWarning):
            nothing = RandomInterceptRegressor("Batch").fit(none[["Batch"]], none["Yield"])
        assert not nothing.shrinkage_.any()
        assert_allclose(nothing.predict(none[["Batch"]]), none["Yield"].mean(), rtol=1e-10)
        apart = data["Yield"] + 1e6 * data["Batch"].cat.codes
        own = RandomInterceptRegressor("Batch").fit(data[["Batch"]], apart)
        assert_allclose(own.shrinkage_, 1.0, atol=1e-8)
        means = apart.groupby(data["Batch"], observed=True).transform("mean")
        assert_allclose(own.predict(data[["Batch"]]), means, atol=1e-5 * own.sigma_)

    def test_row_50_shrinkage_vanishes_in_large_groups(self):
        data = load_dyestuff()
        many = pd.concat([data] * 1000)
        few, large = (
            RandomInterceptRegressor("Batch").fit(rows[["Batch"]], rows["Yield"])
            for rows in (data, many)
        )
        assert (few.shrinkage_ < 0.95).all()
        assert (large.shrinkage_ > 0.999).all()

    def test_row_52_predictor_is_biased_given_the_group_and_has_the_smaller_error(self):
        """With sigma = tau and 3 rows a group, 3/4 of a deviation is kept in expectation."""
        rng = np.random.default_rng(52)
        truth = rng.normal(size=2000)
        g = np.repeat(np.arange(2000), 3)
        y = truth[g] + rng.normal(size=len(g))
        model = RandomInterceptRegressor().fit(np.empty((len(g), 0)), y, groups=g)
        (modes,) = model.random_effects_.values()
        blup = model.intercept_ + modes["Intercept"].to_numpy()
        blue = y.reshape(2000, 3).mean(axis=1)
        # Each tolerance is four to five standard errors of a simulation with 2000 groups.
        assert np.polyfit(truth, blup, 1)[0] == pytest.approx(0.75, abs=0.05)
        assert np.polyfit(truth, blue, 1)[0] == pytest.approx(1.0, abs=0.06)
        errors, raw = ((estimate - truth) ** 2 for estimate in (blup, blue))
        assert np.mean(errors) == pytest.approx(1 / 4, abs=0.035)
        assert np.mean(raw) == pytest.approx(1 / 3, abs=0.045)
        assert np.mean(raw - errors) > 4.0 * np.std(raw - errors) / np.sqrt(2000)


class TestReports:
    """Rows 45 to 48 and 56."""

    def test_row_45_correlation_of_fixed_effects(self, slopes, results):
        vcov = np.array(slopes.figures["vcov"])
        assert_allclose(results.cov_params(), vcov, rtol=1e-5)
        correlation = vcov[0, 1] / np.sqrt(vcov[0, 0] * vcov[1, 1])
        lines = str(results.summary(correlation=True)).splitlines()
        assert lines[-1].split() == ["2", "Days", f"{correlation:.3f}"]
        assert "Correlation of fixed" not in str(results.summary())

    def test_row_45_correlations_of_several_effects(self):
        case = bundled_case("pastes_cask")
        results = fit_case(case).results
        order = matching(results.params.index, case.figures["fixef"])
        found = results.cov_params().to_numpy()[np.ix_(order, order)]
        assert_allclose(found, case.figures["vcov"], rtol=1e-5)

    def test_row_46_scaled_residuals(self, slopes, results):
        quantiles = slopes.figures["scaled_resid_quantiles"]
        found = np.quantile(results.resid_pearson, [0.0, 0.25, 0.5, 0.75, 1.0])
        assert_allclose(found, quantiles, atol=1e-6)
        lines = str(results.summary()).splitlines()
        printed = lines[lines.index("Scaled residuals") + 2].split()
        assert printed == [f"{value:.4f}" for value in quantiles]

    @pytest.mark.parametrize("name", ["sleep_slopes", "sleep_slopes_ml", "penicillin"])
    def test_row_47_criteria(self, name):
        figures = bundled_case(name).figures
        results = fit_case(bundled_case(name)).results
        assert_allclose(results.llf, figures["loglik"], rtol=1e-9)
        assert_allclose(results.criterion, -2.0 * figures["loglik"], rtol=1e-9)
        assert_allclose(results.deviance, -2.0 * figures["loglik"], rtol=1e-9)
        assert_allclose(results.aic, figures["AIC"], rtol=1e-9)
        assert_allclose(results.bic, figures["BIC"], rtol=1e-9)

    def test_row_48_counts_of_rows_and_groups(self):
        results = fit_case(bundled_case("penicillin")).results
        assert results.nobs == 144
        assert results.n_groups == {"plate": 24, "sample": 6}
        text = str(results.summary())
        assert "Observations:  144" in text
        assert "plate 24, sample 6" in text

    def test_row_56_tables_for_publication(self, slopes, results):
        """The tables are data frames, which pandas writes in every format, and HTML."""
        estimates = slopes.figures["fixef"].values()
        html = results._repr_html_()
        assert html.count("<table") >= 4
        for estimate in estimates:
            assert f">{estimate:.3f}<" in html
        written = results.tidy().round(3).to_html(index=False)
        assert all(f"<td>{estimate:.3f}</td>" in written for estimate in estimates)
