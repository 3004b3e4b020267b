"""Logistic regression with random effects as a classifier."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.base import clone, is_classifier
from sklearn.multiclass import OneVsRestClassifier

from skmixed import MixedLogisticRegression, NoGroupsWarning, SingularFitWarning, mixedglm

COLUMNS = ["x", "g"]


@pytest.fixture(scope="module")
def model(outcomes):
    return MixedLogisticRegression("g").fit(outcomes[COLUMNS], outcomes["answer"])


def test_it_is_the_model_that_a_formula_describes(model, outcomes):
    results = mixedglm("answer ~ x + (1 | g)", outcomes)
    assert_allclose([model.intercept_, *model.coef_], results.params, rtol=1e-6)
    assert model.log_likelihood_ == pytest.approx(results.llf, abs=1e-9)
    assert_allclose(model.theta_, results.theta, rtol=1e-6)
    formula = MixedLogisticRegression(formula="answer ~ x + (1 | g)").fit(outcomes)
    assert_allclose(formula.predict_proba(outcomes), model.predict_proba(outcomes[COLUMNS]))
    assert formula.score(outcomes) == model.score(outcomes[COLUMNS], outcomes["answer"])


def test_what_is_predicted_agrees(model, outcomes):
    X = outcomes[COLUMNS]
    p = model.predict_proba(X)
    assert is_classifier(model)
    assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert_allclose(np.exp(model.predict_log_proba(X)), p)
    assert_allclose(model.decision_function(X), logit(p[:, 1]), rtol=1e-9, atol=1e-12)
    assert_array_equal(model.predict(X), np.where(p[:, 1] > 0.5, "yes", "no"))
    assert_array_equal(model.predict(X) == "yes", model.decision_function(X) > 0)
    assert model.score(X, outcomes["answer"]) == np.mean(model.predict(X) == outcomes["answer"])
    weights = np.arange(len(X)) % 3
    right = model.predict(X) == outcomes["answer"]
    assert model.score(X, outcomes["answer"], sample_weight=weights) == pytest.approx(
        np.average(right, weights=weights)
    )


def test_plugged_in_probabilities_are_those_of_the_linear_predictor(model, outcomes):
    X = outcomes[COLUMNS]
    eta = model.predict_link(X)
    effects = model.random_effects_["g"]["Intercept"].reindex(outcomes["g"]).to_numpy()
    assert_allclose(eta, model.intercept_ + model.coef_[0] * outcomes["x"] + effects)
    assert_allclose(model.predict_proba(X, average=False)[:, 1], expit(eta), rtol=1e-12)
    assert_allclose(model.decision_function(X, average=False), eta, rtol=1e-9)
    plain = clone(model).set_params(average=False).fit(X, outcomes["answer"])
    assert_array_equal(plain.predict_proba(X), model.predict_proba(X, average=False))


def test_averages_are_integrals_over_what_is_not_known(model, outcomes):
    new = outcomes[COLUMNS].head(1)
    eta = float(model.intercept_ + model.coef_[0] * new["x"].iloc[0])
    sd = float(model.theta_[0])
    mean, _ = integrate.quad(lambda b: expit(eta + sd * b) * norm.pdf(b), -9, 9)
    for p in (
        model.predict_proba(new.assign(g="a new one")),
        model.predict_proba(new, include_random_effects=False),
    ):
        assert p[0, 1] == pytest.approx(mean, abs=1e-9)
    eta = float(model.predict_link(new)[0])
    sd = float(model.random_effects_sd_["g"].loc[new["g"].iloc[0], "Intercept"])
    mean, _ = integrate.quad(lambda b: expit(eta + sd * b) * norm.pdf(b), -9, 9)
    # The conditional standard deviation counts the uncertainty of beta too.
    assert model.predict_proba(new)[0, 1] == pytest.approx(mean, abs=0.01)


@pytest.mark.parametrize(
    "labels", [["no", "yes"], [False, True], [1, 2], [-1.0, 1.0], ["a", "b c"]], ids=repr
)
def test_classes_of_any_type(model, outcomes, labels):
    y = np.array(labels)[outcomes["y"]]
    other = MixedLogisticRegression("g").fit(outcomes[COLUMNS], y)
    assert_array_equal(other.classes_, np.array(labels))
    assert other.predict(outcomes[COLUMNS]).dtype == y.dtype
    assert_array_equal(
        other.predict_proba(outcomes[COLUMNS]), model.predict_proba(outcomes[COLUMNS])
    )


def test_classes_that_a_formula_finds(outcomes):
    numbers = MixedLogisticRegression(formula="y ~ x + (1 | g)").fit(outcomes)
    assert_array_equal(numbers.classes_, [0, 1])
    numbers.set_params(formula="answer ~ x + (1 | g)").fit(outcomes)
    assert_array_equal(numbers.classes_, ["no", "yes"])
    given = MixedLogisticRegression(formula="~ x + (1 | g)").fit(outcomes, outcomes["answer"])
    assert_array_equal(given.predict_proba(outcomes), numbers.predict_proba(outcomes))


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("cbind(successes, trials - successes) ~ x + (1 | g)", "holds proportions.*MixedGLM"),
        ("I(y * 0) ~ x + (1 | g)", "got 1 class"),
        ("h ~ x + (1 | g)", r"values outside of \[0, 1\]"),
    ],
)
def test_responses_of_a_formula_that_are_no_two_classes(outcomes, formula, message):
    with pytest.raises(ValueError, match=message):
        MixedLogisticRegression(formula=formula).fit(outcomes)


def test_more_than_two_classes(outcomes):
    with pytest.raises(ValueError, match="OneVsRestClassifier"):
        MixedLogisticRegression("g").fit(outcomes[COLUMNS], outcomes["h"])
    many = OneVsRestClassifier(MixedLogisticRegression("g"))
    with pytest.warns(SingularFitWarning):
        many.fit(outcomes[COLUMNS], outcomes["h"] % 3)
    assert many.predict_proba(outcomes[COLUMNS]).shape == (240, 3)


def test_labels_of_groups_beside_x(model, outcomes):
    X, y, groups = outcomes[["x"]], outcomes["answer"], outcomes["g"]
    arrays = MixedLogisticRegression().fit(X, y, groups=groups)
    expected = model.predict_proba(outcomes[COLUMNS])
    assert_allclose(arrays.predict_proba(X, groups=groups), expected)
    with pytest.raises(ValueError, match="twice"):
        MixedLogisticRegression("g").fit(outcomes[COLUMNS], y, groups=groups)
    by_position = MixedLogisticRegression(-1).fit(outcomes[COLUMNS].to_numpy(), y)
    assert_allclose(by_position.predict_proba(outcomes[COLUMNS].to_numpy()), expected)


def test_several_factors_in_columns_and_in_a_frame(outcomes):
    columns = outcomes[["x", "g", "h"]]
    with pytest.warns(SingularFitWarning):
        a = MixedLogisticRegression(["g", "h"]).fit(columns, outcomes["y"])
    with pytest.warns(SingularFitWarning):
        b = MixedLogisticRegression().fit(columns[["x"]], outcomes["y"], groups=columns[["g", "h"]])
    p = b.predict_proba(columns[["x"]], groups=columns[["h", "g"]])
    assert_allclose(a.predict_proba(columns), p)
    assert list(a.random_effects_) == ["g", "h"]


def test_without_groups_it_is_logistic_regression(outcomes):
    with pytest.warns(NoGroupsWarning, match="generalised linear model without random effects"):
        model = MixedLogisticRegression().fit(outcomes[["x"]], outcomes["y"])
    eta = model.predict_link(outcomes[["x"]])
    score = outcomes["y"] - expit(eta)
    assert_allclose([score.sum(), score @ outcomes["x"]], 0.0, atol=1e-6)


def test_weights_count_rows(outcomes):
    weights = np.arange(240) % 3
    rows = np.repeat(np.arange(240), weights)
    X, y = outcomes[COLUMNS], outcomes["answer"]
    weighted = MixedLogisticRegression("g").fit(X, y, sample_weight=weights)
    repeated = MixedLogisticRegression("g").fit(X.iloc[rows], y.iloc[rows])
    assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-6)
    assert weighted.log_likelihood_ == pytest.approx(repeated.log_likelihood_, abs=1e-8)
    assert weighted.bic_ == pytest.approx(repeated.bic_, abs=1e-7)


def test_class_weights_multiply_those_of_rows(outcomes):
    X, y = outcomes[COLUMNS], outcomes["answer"]
    by_class = MixedLogisticRegression("g", class_weight={"no": 2.0, "yes": 1.0}).fit(X, y)
    by_row = MixedLogisticRegression("g").fit(X, y, sample_weight=np.where(y == "no", 2.0, 1.0))
    assert_allclose(by_class.coef_, by_row.coef_)
    balanced = MixedLogisticRegression("g", class_weight="balanced").fit(X, y)
    assert balanced.predict_proba(X)[:, 1].mean() == pytest.approx(0.5, abs=0.05)


def test_groups_that_were_not_fitted(model, outcomes):
    new = outcomes[COLUMNS].head(2).assign(g=["new", "g00"])
    assert np.isfinite(model.predict_proba(new)).all()
    strict = clone(model).set_params(unseen_groups="error")
    strict.fit(outcomes[COLUMNS], outcomes["y"])
    with pytest.raises(ValueError, match="new"):
        strict.predict_proba(new)
    with pytest.raises(ValueError, match="NaN"):
        model.predict_proba(new.assign(g=[None, "g00"]))
    lenient = clone(model).set_params(missing_groups="population")
    lenient.fit(outcomes[COLUMNS], outcomes["y"])
    found = lenient.predict_proba(new.assign(g=[None, "g00"]))
    assert_allclose(found, model.predict_proba(new))


def test_a_probit_is_averaged_in_closed_form(outcomes):
    model = MixedLogisticRegression("g", link="probit").fit(outcomes[COLUMNS], outcomes["y"])
    new = outcomes[COLUMNS].assign(g="new")
    eta = model.predict_link(new) / np.sqrt(1.0 + model.theta_[0] ** 2)
    assert_allclose(model.predict_proba(new)[:, 1], norm.cdf(eta), rtol=1e-10)


def test_quadrature_and_penalty(model, outcomes):
    X, y = outcomes[COLUMNS], outcomes["answer"]
    nodes = MixedLogisticRegression("g", n_quadrature=15).fit(X, y)
    assert 0 < abs(nodes.log_likelihood_ - model.log_likelihood_) < 1.0
    assert abs(MixedLogisticRegression("g", penalty=50.0).fit(X, y).coef_[0]) < model.coef_[0]
    with pytest.raises(ValueError, match="single grouping factor"):
        MixedLogisticRegression(["g", "h"], n_quadrature=3).fit(outcomes[["x", "g", "h"]], y)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_quadrature": 0}, "n_quadrature must be at least 1"),
        ({"average": "yes"}, "average must be True or False"),
        ({"link": "log"}, "has no link 'log'"),
        ({"unseen_groups": "mean"}, "'unseen_groups' parameter of MixedLogisticRegression"),
        ({"tol": 0.0}, "tol must be positive"),
        ({"verbose": -1}, "verbose must be 0 or more"),
        ({"groups": "y ~ x"}, r"Write MixedLogisticRegression\(formula="),
    ],
)
def test_arguments_that_mean_nothing(outcomes, parameters, message):
    with pytest.raises(ValueError, match=message):
        MixedLogisticRegression(**{"groups": "g", **parameters}).fit(
            outcomes[COLUMNS], outcomes["y"]
        )


def test_a_fit_that_fails_changes_nothing(model, outcomes):
    copy = pickle.loads(pickle.dumps(model))
    with pytest.raises(ValueError, match="OneVsRest"):
        copy.fit(outcomes[COLUMNS], outcomes["h"])
    assert_array_equal(copy.classes_, model.classes_)
    assert_array_equal(
        copy.predict_proba(outcomes[COLUMNS]), model.predict_proba(outcomes[COLUMNS])
    )


def test_attributes_of_other_models_say_what_to_use(model):
    assert model.dispersion_ == 1.0
    assert model.family_.name == "binomial"
    with pytest.raises(AttributeError, match="binomial response has no residual variance"):
        _ = model.sigma_


def test_icc_is_the_share_of_the_latent_variance(model):
    variance = model.variance_components_["vcov"].iloc[0]
    assert model.icc_ == pytest.approx(variance / (variance + np.pi**2 / 3.0))


def test_the_training_model_is_the_one_that_is_fitted(model, outcomes):
    found = MixedLogisticRegression("g").training_model(outcomes[COLUMNS], outcomes["answer"])
    assert_array_equal(found.design.response, outcomes["y"])
    assert found.fit().log_likelihood == pytest.approx(model.log_likelihood_)
