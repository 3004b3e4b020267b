"""What may be asked about residual fits: an answer, or a sentence that says why not."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest
from behaviour.degenerate import NUMBERS, OF_ESTIMATORS, OF_FAMILIES, OF_INFERENCE, OF_RESULTS
from behaviour.residual_fits import MODELS, fitted, rows, smaller

from skmixed import inference, mixedlm
from skmixed.residual import AR1

pytestmark = pytest.mark.exhaustive(11)

QUESTIONS = {
    **{f"inference.{name}": question for name, question in OF_INFERENCE.items()},
    **{f"results.{name}": question for name, question in OF_RESULTS.items()},
    **{f"estimator.{name}": question for name, question in OF_ESTIMATORS.items()},
    **{
        f"inference.{name}": lambda r, _, test=test: test(smaller(r.case), r)
        for name, test in {
            "anova": inference.anova,
            "anova_models": inference.anova_models,
            "likelihood_ratio_test": inference.likelihood_ratio_test,
            "compare": lambda small, large: inference.compare([small, large], refit="ml"),
        }.items()
    },
}
# The reason why a question has no answer, for all models or for some.
REFUSED = {
    "inference.conditional_aic": "no such count",
    "inference.exact_rlrt": "exact distribution|one random term",
    "inference.exact_lrt": "exact distribution|one random term",
    "inference.ranova": "this model has none",
    "inference.bootstrap, case": "one grouping factor",
    "inference.residual_spread": "by=",
    "results.residual_covariance": "which are not given",
    **{f"inference.{name}": "expected a generalised model" for name in OF_FAMILIES},
}


def refusal(question, results, table):
    """Return the ValueError that is the answer, None if there is another."""
    try:
        question(results, table)
    except ValueError as error:
        return error
    return None


@pytest.mark.parametrize("question", sorted(QUESTIONS))
@pytest.mark.parametrize("name", MODELS)
def test_a_residual_fit_answers_or_says_why_not(name, question):
    results = fitted(name)
    object.__setattr__(results, "case", name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        error = refusal(QUESTIONS[question], results, rows())
    reason = "" if error is None else str(error)
    assert error is None or (reason.endswith(".") and re.search(REFUSED[question], reason))


@pytest.mark.parametrize("name", MODELS)
def test_the_numbers_of_a_residual_fit(name):
    for attribute in NUMBERS:
        getattr(fitted(name), attribute)


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_has_limits_around_its_estimate(name):
    """Those of the residual structure are named as in residual_parameters."""
    results = fitted(name)
    table = inference.confint(results, "wald", "random").set_index("parameter")
    assert set(results.residual_parameters) <= set(table.index)
    assert ("sigma" in table.index) == (name != "known")
    assert (table["lower"] < table["estimate"]).all()
    assert (table["estimate"] < table["upper"]).all()
    errors = results.residual_table()["se"].to_numpy(float)
    assert np.isfinite(errors).all()
    assert (errors > 0.0).all()


def test_structures_are_compared_where_one_contains_the_other():
    ar1, unequal, power = (fitted(name) for name in ("ar1", "ar1, unequal", "power"))
    found = inference.likelihood_ratio_test(ar1_without_group(), unequal).iloc[1]
    assert found["df"] == 1
    assert found["reference"] == "chi2(1)"
    with pytest.raises(ValueError, match="not known to be nested"):
        inference.likelihood_ratio_test(power, unequal)
    table = inference.compare([ar1, unequal, power], conditional=False)
    assert sorted(table["n_parameters"]) == [9, 9, 10]
    assert np.allclose(sorted(table["aic"]), sorted(one.aic for one in (ar1, unequal, power)))


def ar1_without_group():
    """Return the AR1 whose groups are those of the random effects by default."""
    return mixedlm(MODELS["ar1"][0], rows(), residual=AR1("t"))
