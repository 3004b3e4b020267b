"""Fits of which little can be said, and everything that users may ask about them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from skmixed import MixedLM, inference, mixedlm
from skmixed.results import MixedLMResults

Question = Callable[[MixedLMResults, pd.DataFrame], Any]
TIMES, METHODS = 3, ("satterthwaite", "kenward-roger", "residual", "normal")


def regular() -> pd.DataFrame:
    """Return 24 rows in six groups, crossed with four others."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"g": np.repeat(list("abcdef"), 4), "h": np.tile(list("pqrs"), 6)})
    rows["x"], rows["z"], effects = rng.normal(size=24), rng.normal(size=24), rng.normal(size=6)
    rows["f"], rows["k"] = np.resize(["a", "b"], 24), np.resize(["u", "v", "w"], 24)
    rows["noise"] = rng.normal(size=24)
    return rows.assign(y=1.0 + rows["x"] + np.repeat(effects, 4) + 0.7 * rows["noise"])


def cases() -> dict[str, tuple[str, pd.DataFrame, dict[str, Any]]]:
    """Return a formula, rows and options for each kind of degenerate fit."""
    rows = regular()
    within = rows["noise"] - rows.groupby("g")["noise"].transform("mean")
    squares = rows["g"].map(dict(zip("abcdef", np.arange(6.0) ** 2, strict=True)))
    few = rows.iloc[[0, 1, 4, 5]]
    one, slope, crossed = "y ~ x + (1 | g)", "y ~ x + (x | g)", "y ~ x + (1 | g) + (1 | h)"
    cells = rows[(rows["f"] == "a") | (rows["k"] != "u")]
    plain: dict[str, Any] = {
        "constant": (one, rows.assign(y=4.0)),
        "constant, crossed": (crossed, rows.assign(y=4.0)),
        "exact": (slope, rows.assign(y=1.0 + 2.0 * rows["x"])),
        "n = 1": (one, rows.head(1)),
        "n = 3": (one, rows.iloc[[0, 1, 4]]),
        "n = 3, slopes": (slope, rows.iloc[[0, 1, 4]]),
        "n = 3, crossed": (crossed, rows.iloc[[0, 1, 4]]),
        "n = p": ("y ~ x + z + f + (1 | g)", few),
        "n = p + 1": ("y ~ x + z + (1 | g)", few),
        "n < p": ("y ~ x + z + f + I(x**2) + I(z**2) + (1 | g)", few),
        "one group": (slope, rows.assign(g="a")),
        "singletons": (one, rows.assign(g=np.arange(24))),
        "variance 0": (one, rows.assign(y=rows["x"] + within)),
        "variance 0, slopes": (slope, rows.assign(y=rows["x"] + within)),
        "nothing within groups": (one, rows.assign(y=squares)),
        "nothing within groups, crossed": (crossed, rows.assign(y=squares)),
        "aliased": ("y ~ x + I(2 * x) + (1 | g)", rows),
        "empty cells": ("y ~ f * k + x + (1 | g)", cells),
        "empty cells, crossed": ("y ~ f * k + x + (1 | g) + (1 | h)", cells),
        "no fixed effects": ("y ~ 0 + (1 | g) + (1 | h)", rows),
        "a slope on zeros": ("y ~ x + (z || g)", rows.assign(z=0.0)),
    }
    found = {name: (formula, data, {}) for name, (formula, data) in plain.items()}
    found["not converged"] = (slope, rows, {"max_iter": 1})
    found["variance 0, ML"] = (*plain["variance 0"], {"method": "ml"})
    return found


@cache
def fitted(name: str) -> tuple[MixedLMResults, pd.DataFrame]:
    """Return a degenerate fit and its rows."""
    formula, rows, options = cases()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        return mixedlm(formula, rows, **options), rows


def _told(results: MixedLMResults) -> np.ndarray:
    """Return the contrasts of the coefficients that have estimates."""
    return np.eye(len(results.params))[~results.fit.fixed.aliased]


def _smaller(rows: pd.DataFrame) -> MixedLMResults:
    return mixedlm("y ~ 1 + (1 | g)", rows)


def _adapted(results: MixedLMResults, rows: pd.DataFrame) -> Any:
    return _estimator(results, rows).adapt(rows.assign(g="new"), rows["y"])


def _estimator(results: MixedLMResults, rows: pd.DataFrame) -> MixedLM:
    """Return the estimator of the same fit."""
    assert results.model is not None
    options = {"method": results.method.lower(), "max_iter": results.model.max_iter}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return MixedLM(formula=results.formula, **options).fit(rows)


def _draws(results: MixedLMResults) -> Any:
    return inference.bootstrap(results, TIMES, random_state=0)


def _profiled(results: MixedLMResults) -> Any:
    profile = inference.profile(results)
    return profile.frame, profile.confint(), profile.confint(0.9)


def _described(results: MixedLMResults) -> Any:
    forms = ("conditional", "hierarchical", "marginal")
    return [str(results.equation(form, values=True)) for form in forms], results.describe()


# What only generalised models answer.
OF_FAMILIES: dict[str, Question] = {
    "overdispersion_test": lambda r, _: inference.overdispersion_test(r),
    "quantile_residual_tests": lambda r, _: inference.quantile_residual_tests(r, random_state=0),
    "quantile_residuals": lambda r, _: [
        inference.quantile_residuals(r, random_effects=levels, random_state=0)
        for levels in ("posterior", "new")
    ],
    "zero_inflation_test": lambda r, _: inference.zero_inflation_test(
        r, n_simulations=20, random_state=0
    ),
}
OF_INFERENCE: dict[str, Question] = {
    **OF_FAMILIES,
    "anova": lambda r, d: inference.anova(_smaller(d), r),
    "anova_models": lambda r, d: inference.anova_models(_smaller(d), r),
    "anova_terms": lambda r, _: [
        inference.anova_terms(r, type=kind, df_method="satterthwaite") for kind in (1, 2, 3)
    ],
    "bootstrap": lambda r, _: _draws(r).conf_int(),
    "compare": lambda r, d: inference.compare([r, _smaller(d)]),
    "conditional_aic": lambda r, _: inference.conditional_aic(r),
    "confint": lambda r, _: inference.confint(r, "wald", "all"),
    "contrasts": lambda r, _: inference.contrasts(inference.marginal_means(r, "k")),
    "cooks_distance": lambda r, _: inference.cooks_distance(r),
    "drop_terms": lambda r, _: [inference.drop_terms(r, type=kind) for kind in (1, 2, 3)],
    "effective_df": lambda r, _: inference.effective_df(r),
    "exact_lrt": lambda r, _: inference.exact_lrt(r, n_sim=20, random_state=0),
    "exact_rlrt": lambda r, _: inference.exact_rlrt(r, n_sim=20, random_state=0),
    "group_influence": lambda r, _: inference.group_influence(r, factor="g"),
    "icc": lambda r, _: inference.icc(r),
    "kfold_predict": lambda r, _: inference.kfold_predict(r, cv=2, return_std=True),
    "leverage": lambda r, _: inference.leverage(r),
    "likelihood_ratio_test": lambda r, d: inference.likelihood_ratio_test(_smaller(d), r),
    "logo_predict": lambda r, _: inference.logo_predict(r, factor="g", return_std=True),
    "loo_predict": lambda r, _: inference.loo_predict(r, return_std=True),
    "marginal_means": lambda r, _: inference.marginal_means(r, "f").tidy(),
    "marginal_slopes": lambda r, _: inference.marginal_slopes(r, "x").tidy(),
    "pairwise": lambda r, _: inference.pairwise(r, "k"),
    "profile": lambda r, _: _profiled(r),
    "r2": lambda r, _: inference.r2(r),
    "ranova": lambda r, _: inference.ranova(r),
    "autocorrelation": lambda r, _: inference.autocorrelation(r),
    "residual_spread": lambda r, _: inference.residual_spread(r),
    "semivariogram": lambda r, _: inference.semivariogram(r),
    "residuals": lambda r, _: [
        inference.residuals(r, kind=kind)
        for kind in ("conditional", "decorrelated", "marginal", "pearson", "standardised")
    ],
    "robust_covariance": lambda r, _: inference.robust_covariance(r, cluster="g").tidy(),
    "simulate": lambda r, _: inference.simulate(r, TIMES, random_state=0),
    "t_test": lambda r, _: [inference.t_test(r, _told(r), df_method=m) for m in METHODS],
    "variance_decomposition": lambda r, _: inference.variance_decomposition(r),
    "wald_test": lambda r, _: inference.wald_test(r, _told(r)),
    "wald_test, residual": lambda r, _: inference.wald_test(r, _told(r), df_method="residual"),
}
# Kenward and Roger's method is for REML alone, and says so.
OF_INFERENCE |= {
    f"{name}, Kenward-Roger": lambda r, _, of=of: of(r.with_df_method("kenward-roger"))
    for name, of in {
        "anova_terms": inference.anova_terms,
        "confint": inference.confint,
        "tidy": MixedLMResults.tidy,
        "summary": lambda r: str(r.summary(correlation=True)),
        "wald_test": lambda r: inference.wald_test(r, _told(r)),
    }.items()
}
OF_INFERENCE |= {
    "bootstrap, residual": lambda r, _: inference.bootstrap(r, TIMES, kind="residual"),
    "bootstrap, conditional": lambda r, _: inference.bootstrap(r, TIMES, kind="conditional"),
    "bootstrap, case": lambda r, _: inference.bootstrap(r, TIMES, kind="case"),
    "group_influence, refit": lambda r, _: inference.group_influence(r, factor="g", refit=True),
    "robust_covariance, CR1S": lambda r, _: inference.robust_covariance(
        r, cluster="g", kind="CR1S"
    ).tidy(),
}

OF_RESULTS: dict[str, Question] = {
    "conf_int": lambda r, _: r.conf_int(which="all"),
    "cov_params": lambda r, _: r.cov_params(),
    "describe": lambda r, _: _described(r),
    "equation": lambda r, _: _described(r),
    "group_coefficients_table": lambda r, _: [
        r.group_coefficients_table(variance_uncertainty=kind) for kind in (None, "delta")
    ],
    "kfold_predict": lambda r, _: r.kfold_predict(2),
    "logo_predict": lambda r, _: r.logo_predict(factor="g"),
    "loo_predict": lambda r, _: r.loo_predict(),
    "objective": lambda r, _: r.objective(r.theta),
    "predict": lambda r, d: [
        r.predict(d, return_std=True),
        r.predict(d, return_cov=True, variance_uncertainty="delta"),
    ],
    "predict_interval": lambda r, d: r.predict_interval(
        d.assign(g="new"), variance_uncertainty="delta"
    ),
    "predict_quantiles": lambda r, d: r.predict_quantiles(d, variance_uncertainty=_draws(r)),
    "random_effects_table": lambda r, _: [
        r.random_effects_table(variance_uncertainty=kind) for kind in (None, "delta")
    ],
    "residual_covariance": lambda r, _: r.residual_covariance(),
    "residual_table": lambda r, _: r.residual_table(),
    "sample_random_effects": lambda r, _: r.sample_random_effects(TIMES, random_state=0),
    "summary": lambda r, _: (str(r.summary(correlation=True)), r.summary()._repr_html_()),
    "t_test": lambda r, _: r.t_test(_told(r)),
    "tidy": lambda r, _: r.tidy(),
    "wald_test": lambda r, _: r.wald_test(_told(r)),
    "with_df_method": lambda r, _: r.with_df_method("residual").tidy(),
}
NUMBERS = [
    name
    for name in dir(MixedLMResults)
    if not name.startswith("_") and not callable(getattr(MixedLMResults, name))
]
OF_ESTIMATORS: dict[str, Question] = {
    "adapt": lambda r, d: str(_adapted(r, d).summary()),
    "adapt, delta": lambda r, d: _adapted(r, d).predict(
        d.assign(g="new"), return_std=True, variance_uncertainty="delta"
    ),
    "adapt, the same rows": lambda r, d: _estimator(r, d).adapt(d, d["y"]).random_effects_sd_,
    "design_matrices": lambda r, d: _estimator(r, d).design_matrices(d),
    "marginal_covariance": lambda r, d: _estimator(r, d).marginal_covariance(d),
}
