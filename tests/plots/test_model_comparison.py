"""What ModelComparisonDisplay stores and draws."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from skmixed import mixedlm
from skmixed.datasets import load_sleepstudy
from skmixed.inference import conditional_aic
from skmixed.plots import ModelComparisonDisplay

from .data import simulated_groups
from .drawn import assert_texts_apart

FORMULAS = {
    "intercepts": "Reaction ~ Days + (1 | Subject)",
    "slopes": "Reaction ~ Days + (Days | Subject)",
    "no trend": "Reaction ~ 1 + (Days | Subject)",
}


@pytest.fixture(scope="module")
def models():
    return {name: mixedlm(formula, load_sleepstudy()) for name, formula in FORMULAS.items()}


@pytest.fixture(scope="module")
def by_ml():
    return {
        name: mixedlm(formula, load_sleepstudy(), method="ml") for name, formula in FORMULAS.items()
    }


@pytest.fixture(scope="module")
def display(models):
    return ModelComparisonDisplay.from_results(models)


class TestStoredArrays:
    """The tables are those of the models."""

    def test_criteria(self, display, by_ml):
        aic = np.array([one.aic for one in by_ml.values()])
        bic = np.array([one.bic for one in by_ml.values()])
        table = display.criteria.set_index("model").loc[list(by_ml)]
        assert_allclose(table["aic"], aic, rtol=1e-9)
        assert_allclose(table["bic"], bic, rtol=1e-9)
        assert_allclose(table["weight"], special.softmax(-0.5 * aic), rtol=1e-5, atol=1e-12)
        assert_allclose(display.differences.loc[list(by_ml), "aic"], aic - aic.min(), atol=1e-5)
        assert list(display.differences.index) == [list(by_ml)[i] for i in np.argsort(aic)]

    def test_conditional_aic(self, models, by_ml):
        display = ModelComparisonDisplay.from_results(models, criteria=["caic"])
        expected = np.array([conditional_aic(one).caic for one in by_ml.values()])
        found = display.differences.loc[list(by_ml), "caic"]
        assert_allclose(found, expected - expected.min(), atol=1e-4)

    def test_coefficients(self, display, models):
        table = display.coefficients.set_index(["model", "term"])
        assert len(table) == 5
        for name, one in models.items():
            for term in one.params.index:
                row = table.loc[(name, term)]
                assert_allclose(row["estimate"], one.params[term])
                assert_allclose(row[["lower", "upper"]].tolist(), one.conf_int().loc[term])

    def test_models_are_named_by_their_formulas(self, models):
        display = ModelComparisonDisplay.from_results(list(models.values()))
        assert set(display.criteria["model"]) == set(FORMULAS.values())


class TestArtists:
    """What is drawn."""

    def test_criteria(self, display):
        display.plot()
        names = [text.get_text() for text in display.ax_.get_yticklabels()]
        assert names == list(display.differences.index[::-1])
        for criterion in ("aic", "bic"):
            drawn = display.points_[criterion].get_offsets()[:, 0]
            assert_allclose(drawn, display.differences[criterion].iloc[::-1])
        weights = [f"{weight:.2f}" for weight in display.criteria["weight"].iloc[::-1]]
        assert [text.get_text() for text in display.ax_.texts] == [*weights, "Akaike\nweight"]

    def test_coefficients(self, display, models):
        display.plot(kind="coefficients")
        titles = [panel.get_title(loc="left") for panel in display.ax_]
        assert titles == ["Intercept", "Days"]
        points = display.points_["Days"].get_offsets()
        expected = [models[name].params["Days"] for name in ("intercepts", "slopes")]
        assert_allclose(points, np.column_stack([expected, [2.0, 1.0]]))
        ends = [segment[:, 0] for segment in display.intervals_["Days"].get_segments()]
        limits = [models[name].conf_int().loc["Days"] for name in ("intercepts", "slopes")]
        assert_allclose(ends, limits)

    def test_some_terms(self, models):
        display = ModelComparisonDisplay.from_results(models, kind="coefficients", terms=["Days"])
        assert isinstance(display.ax_, plt.Axes)
        assert_array_equal(list(display.points_), ["Days"])


class TestLegibility:
    """Two models and twenty, long names, own figures and given axes."""

    @pytest.mark.parametrize("kind", ["criteria", "coefficients"])
    @pytest.mark.parametrize("n_models", [1, 3, 20, 200])
    @pytest.mark.exhaustive(3)
    def test_texts_do_not_overlap(self, n_models, kind):
        rng = np.random.default_rng(0)
        names = [f"a model of a very long name {i}" for i in range(n_models)]
        criteria = pd.DataFrame({"model": names, "aic": rng.gamma(2.0, 20.0, size=n_models)})
        criteria["weight"] = special.softmax(-0.5 * criteria["aic"])
        parts = [
            pd.DataFrame({"model": names, "term": f"x{j}", "estimate": rng.normal(size=n_models)})
            for j in range(4)
        ]
        coefficients = pd.concat(parts)
        coefficients["lower"] = coefficients["estimate"] - 0.00123
        coefficients["upper"] = coefficients["estimate"] + 0.00123
        display = ModelComparisonDisplay(criteria=criteria, coefficients=coefficients)
        display.plot(kind=kind)
        assert_texts_apart(display.figure_)

    def test_models_of_many_groups(self):
        data = simulated_groups(5000, 3)
        models = [mixedlm(f"y ~ {x} + (1 | municipality)", data) for x in ("x", "1")]
        display = ModelComparisonDisplay.from_results(models)
        assert_texts_apart(display.figure_)

    def test_given_axes(self, display):
        figure, (left, right) = plt.subplots(1, 2, figsize=(8.0, 3.0), layout="constrained")
        assert display.plot(left).ax_ is left
        display.plot(right, kind="coefficients")
        assert display.figure_ is figure
        assert len(display.ax_) == 2
        assert_texts_apart(figure)
        with pytest.raises(ValueError, match=r"2 panels.*holds 3 Axes"):
            display.plot(plt.subplots(3)[1], kind="coefficients")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"criteria": pd.DataFrame({"model": ["a"], "aic": [1.0]})}, r"\['weight'\] are missing"),
        (
            {"criteria": pd.DataFrame({"model": ["a"], "weight": [1.0]})},
            "at least one of the columns",
        ),
        ({"coefficients": pd.DataFrame({"model": ["a"]})}, r"coefficients must have.*'term'"),
        ({"level": 95}, "between 0 and 1"),
    ],
)
def test_arguments_are_checked(changes, message):
    table = pd.DataFrame({"model": ["a"], "aic": [1.0], "weight": [1.0]})
    with pytest.raises(ValueError, match=message):
        ModelComparisonDisplay(**({"criteria": table} | changes))


def test_unknown_names(models):
    with pytest.raises(ValueError, match=r"kind must be one of.*got 'pairs'"):
        ModelComparisonDisplay.from_results(models, kind="pairs")
    with pytest.raises(ValueError, match=r"criteria must be among.*got \['dic'\]"):
        ModelComparisonDisplay.from_results(models, criteria=["dic"])
    with pytest.raises(ValueError, match=r"terms must be among.*'Days'.*got \['x'\]"):
        ModelComparisonDisplay.from_results(models, terms=["x"], kind="coefficients")
    table = pd.DataFrame({"model": ["a"], "aic": [1.0], "weight": [1.0]})
    with pytest.raises(ValueError, match="needs a table of coefficients"):
        ModelComparisonDisplay(criteria=table).plot(kind="coefficients")
