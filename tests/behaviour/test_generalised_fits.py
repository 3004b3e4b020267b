"""What may be asked about generalised fits: an answer, or a sentence that says why not."""

from __future__ import annotations

import re
import warnings

import pytest
from behaviour.degenerate import NUMBERS, OF_INFERENCE, OF_RESULTS
from behaviour.generalised_fits import MODELS, fitted, rows, smaller

from skmixed import inference

LINEAR_ONLY = "needs a linear mixed model"
QUESTIONS = {
    **{f"inference.{name}": question for name, question in OF_INFERENCE.items()},
    **{f"results.{name}": question for name, question in OF_RESULTS.items()},
    "inference.anova_terms": lambda r, _: [inference.anova_terms(r, type=t) for t in (1, 2, 3)],
    "inference.drop_terms": lambda r, _: inference.drop_terms(r),
    "inference.residuals": lambda r, _: [
        inference.residuals(r, kind=kind) for kind in ("response", "pearson")
    ],
    "inference.robust_covariance": lambda r, _: inference.robust_covariance(r).tidy(),
    "inference.t_test": lambda r, _: inference.t_test(r, {"x": 0.0}),
    "results.group_coefficients_table": lambda r, _: r.group_coefficients_table(),
    "results.predict": lambda r, d: r.predict(d),
    "results.predict_interval": lambda r, d: r.predict_interval(d),
    "results.predict_quantiles": lambda r, d: r.predict_quantiles(d),
    "results.random_effects_table": lambda r, _: r.random_effects_table(),
    "results.describe": lambda r, _: r.describe(),
    "results.equation": lambda r, _: [
        str(r.equation(form, values=values))
        for form in ("conditional", "hierarchical")
        for values in (False, True)
    ],
    "results.marginal equation": lambda r, _: r.equation("marginal"),
    "results.tidy, all": lambda r, _: r.tidy(component="all"),
    **{
        f"inference.{name}": lambda r, _, test=test: test(smaller(r.case), r)
        for name, test in {
            "anova": inference.anova,
            "anova_models": inference.anova_models,
            "likelihood_ratio_test": inference.likelihood_ratio_test,
            "compare": lambda small, large: inference.compare([small, large]),
        }.items()
    },
}
# What is refused, and the reason where it is not the family.
LINEAR = {
    "conditional_aic",
    "effective_df",
    "exact_lrt",
    "exact_rlrt",
    "group_influence",
    "group_influence, refit",
    "autocorrelation",
    "residual_spread",
    "semivariogram",
    "bootstrap, residual",
    "objective",
    "residual_covariance",
    "marginal equation",
}
REFUSED = {
    **{question: LINEAR_ONLY for question in QUESTIONS if question.partition(".")[2] in LINEAR},
    **{question: LINEAR_ONLY for question in QUESTIONS if question.endswith("Kenward-Roger")},
    "inference.bootstrap, case": "one grouping factor",
    "inference.robust_covariance": "hold whole levels",
    "inference.robust_covariance, CR1S": "correlated in the model",
    **{
        f"inference.{name}": "No rule says what zero inflation adds"
        for name in ("icc", "r2", "variance_decomposition")
    },
    "inference.zero_inflation_test": "Zero inflation is of counts",
}


def refusal(question, results):
    """Return the ValueError that is the answer, None if there is another."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        try:
            question(results, rows())
        except ValueError as error:
            return error
    return None


@pytest.mark.exhaustive(11)
@pytest.mark.parametrize("question", sorted(QUESTIONS))
@pytest.mark.parametrize("name", MODELS)
def test_a_generalised_fit_answers_or_says_why_not(name, question):
    results = fitted(name)
    object.__setattr__(results, "case", name)
    error = refusal(QUESTIONS[question], results)
    reason = "" if error is None else str(error)
    assert error is None or (reason.endswith(".") and re.search(REFUSED[question], reason)), reason


@pytest.mark.parametrize("question", [q for q, why in REFUSED.items() if why == LINEAR_ONLY])
def test_what_needs_normal_residuals_names_the_alternative(question):
    error = refusal(QUESTIONS[question], fitted("poisson"))
    text = str(error)
    assert "needs a linear mixed model, and this one has family='poisson': " in text
    assert text.count(". ") == 0


@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_of_a_generalised_fit(name):
    results = fitted(name)
    for attribute in set(NUMBERS) - {"icc", "residual_variances"}:
        getattr(results, attribute)
    with pytest.raises(ValueError, match=LINEAR_ONLY):
        _ = results.residual_variances


@pytest.mark.parametrize("name", MODELS)
def test_the_icc_of_a_yes_or_no_is_that_of_its_latent_variable(name):
    results = fitted(name)
    if results.fit.family.name == "binomial":
        assert 0.0 <= results.icc <= 1.0
        return
    with pytest.raises(AttributeError, match=r"depends on its mean.*skmixed\.inference\.icc"):
        _ = results.icc


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_has_limits_around_its_estimate(name):
    table = inference.confint(fitted(name), "wald", "all").set_index("parameter")
    told = table["lower"].notna()
    assert told.sum() == len(table) - (name == "aliased")
    table = table[told]
    assert (table["lower"] <= table["estimate"]).all()
    assert (table["estimate"] <= table["upper"]).all()
    assert "sigma" not in table.index
    extra = fitted(name).fit.extra
    names = [f"{one.name}_{label}" for one in extra for label in one.names]
    assert list(table.index[len(table) - len(names) :]) == names
