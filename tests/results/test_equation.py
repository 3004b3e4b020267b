"""Equations name what the model has, once, and are well-formed LaTeX."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import MixedLM, NoGroupsWarning, mixedlm
from skmixed.datasets import load_pastes, load_penicillin, load_sleepstudy
from skmixed.results import Equation, equation
from skmixed.results.words.latex import name

FORMS = ("conditional", "marginal", "hierarchical")


def pupils() -> pd.DataFrame:
    """Pupils in classes in schools, with a column of each level."""
    rng = np.random.default_rng(0)
    n = 400
    classroom = rng.integers(0, 40, n)
    school = classroom // 4
    data = pd.DataFrame(
        {
            "ses": rng.normal(size=n),
            "hours_100%": rng.normal(size=n),
            "size": rng.normal(size=40)[classroom],
            "sector": np.where(np.arange(10)[school] % 2, "public", "private"),
            "class_": classroom,
            "school": school,
            "item": rng.integers(0, 15, n),
        }
    )
    slopes = 1.0 + rng.normal(size=40)
    data["score"] = (
        slopes[classroom] * data["ses"]
        + rng.normal(size=40)[classroom]
        + rng.normal(size=10)[school]
        + rng.normal(size=15)[data["item"]]
        + rng.normal(size=n)
    )
    return data


def sleep() -> pd.DataFrame:
    data = load_sleepstudy()
    data["half"] = np.where(data["Days"] < 5, "a", "b")
    data["pair"] = (data["Days"] // 2).astype(str)
    return data


PUPILS = "score ~ ses * size + ses:sector + sector + Q('hours_100%') + "
MODELS = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", sleep),
    "uncorrelated": ("Reaction ~ Days * half + (Days || Subject)", sleep),
    "one column": ("Reaction ~ Days + I(Days**2) + (1 | Subject)", sleep),
    "indicators": ("Reaction ~ half + (0 + half | Subject)", sleep),
    "ar1": ("Reaction ~ Days + ar1(0 + pair | Subject)", sleep),
    "cs": ("Reaction ~ Days + cs(0 + pair | Subject)", sleep),
    "many": ("Reaction ~ 0 + half + (0 + pair | Subject) + (0 + Days | Subject)", sleep),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin),
    "nested": ("strength ~ 1 + (1 | batch / cask)", load_pastes),
    "levels": (f"{PUPILS}(ses | class_) + (1 | school)", pupils),
    "crossed slopes": (f"{PUPILS}(ses | class_) + (1 | item)", pupils),
}


@pytest.fixture(scope="module", params=MODELS, ids=str)
def results(request):
    formula, data = MODELS[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return mixedlm(formula, data())


@pytest.fixture(scope="module")
def slopes():
    return mixedlm("Reaction ~ Days + (Days | Subject)", sleep())


@pytest.fixture(scope="module")
def levels():
    return mixedlm(*(part() if callable(part) else part for part in MODELS["levels"]))


def lines(found: Equation) -> list[str]:
    return found.latex.split("\n")


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_latex_is_well_formed(results, form, values):
    latex = equation(results, form, values=values).latex
    plain = re.sub(r"\\[{}]", "", latex)
    depth = np.cumsum([(c == "{") - (c == "}") for c in plain])
    assert depth.min() >= 0
    assert depth[-1] == 0
    begun = re.findall(r"\\begin\{(\w+)\}", latex)
    ended = re.findall(r"\\end\{(\w+)\}", latex)
    assert sorted(begun) == sorted(ended)
    assert latex.count(r"\left(") == latex.count(r"\right)")
    assert latex.count(r"\bigl(") == latex.count(r"\bigr)")
    assert "nan" not in latex
    for line in re.sub(r"\\begin\{pmatrix\}.*?\\end\{pmatrix\}", "M", latex).split(r"\\"):
        assert line.count("&") - line.count(r"\&") <= 1


@pytest.mark.parametrize("form", FORMS)
def test_every_coefficient_comes_once(results, form):
    latex = equation(results, form).latex
    found = re.findall(r"\\beta_\{(\d+)\}", latex)
    first = 0 if "Intercept" in results.params else 1
    assert sorted(map(int, found)) == list(range(first, first + len(results.params)))


def test_every_random_effect_comes_once_in_the_mean(results):
    mean = equation(results).latex.split("&\\sim")[0]
    for effects, letter, index in zip(results.fit.random, "bc", "jk", strict=False):
        found = re.findall(rf"{letter}_\{{(?:\d+,)?{index}\[i\]\}}", mean)
        assert len(found) == len(set(found)) == len(effects.effect_names)


def test_conditional_of_correlated_slopes(slopes):
    first, second, third = lines(equation(slopes))[1:-1]
    assert first == (
        r"\mathrm{Reaction}_i &= \beta_{0} + \beta_{1} \, \mathrm{Days}_i + b_{0,j[i]} "
        r"+ b_{1,j[i]} \, \mathrm{Days}_i + \varepsilon_i \\"
    )
    assert r"\tau_{0}^2 & \rho \tau_{0} \tau_{1} \\ \rho \tau_{0} \tau_{1} & \tau_{1}^2" in second
    assert r"j = 1, \dots, 18 \;(\mathrm{Subject})" in second
    assert third == r"\varepsilon_i &\sim \mathcal{N}(0,\; \sigma^2)"


def test_values_are_the_estimates(slopes):
    """Those of lme4: 251.405 and 10.467; variances 612.10, 35.07, 654.94, covariance 9.60."""
    latex = equation(slopes, values=True).latex
    assert r"251.41 + 10.47 \, \mathrm{Days}_i" in latex
    assert r"612.1 & 9.604 \\ 9.604 & 35.07" in latex
    assert r"\mathcal{N}(0,\; 654.9)" in latex


def test_marginal_covariance_is_that_of_the_model(slopes):
    """Put numbers into the equation of two rows, and compare with the model's matrix."""
    latex = equation(slopes, "marginal", values=True).latex
    days = r"\\mathrm\{Days\}"
    variance = re.search(
        rf"Var.*?&= ([\d.]+) \+ ([\d.]+) .*?{days}_i \+ ([\d.]+) .*?"
        rf"{days}_i\^2 \+ ([\d.]+)",
        latex,
    )
    a, b, c, s = map(float, variance.groups())
    covariance = re.search(r"\\bigl\( ([\d.]+) \+ ([\d.]+) .*? \+ ([\d.]+) ", latex)
    d, e, f = map(float, covariance.groups())
    model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(sleep())
    rows = pd.DataFrame({"Days": [2.0, 7.0], "Subject": ["308", "308"]})
    expected = model.marginal_covariance(rows)
    assert_allclose(a + 2 * b + 4 * c + s, expected[0, 0], rtol=1e-3)
    assert_allclose(d + e * (2 + 7) + f * 14, expected[0, 1], rtol=1e-3)


def test_hierarchical_puts_columns_where_they_are_constant(levels):
    found = lines(equation(levels, "hierarchical"))
    numbers = {term: j for j, term in enumerate(levels.params.index)}
    level_1, level_2, level_3 = (
        next(i for i, line in enumerate(found) if f"Level {k}" in line) for k in (1, 2, 3)
    )
    rows, classes = found[level_1 + 1 : level_2], found[level_2 + 1 : level_3]
    assert r"\mathrm{ses}_i" in rows[0]
    assert rf"\beta_{{{numbers['size']}}} \, \mathrm{{size}}_j" in classes[0]
    assert rf"\beta_{{{numbers['ses:size']}}} \, \mathrm{{size}}_j" in classes[1]
    sector = r"\mathbf{1}\{\mathrm{sector}_j = \mathrm{public}\}"
    assert sector in classes[1]
    assert r"\gamma_{0,k[j]}" in classes[0]
    assert sector.replace("_j", "_k") in found[level_3 + 1]


def test_hierarchical_without_rows_has_every_term_at_level_1(levels):
    results = MixedLM(formula=levels.formula).fit(pupils()).results_
    text = equation(results, "hierarchical").latex
    level_1 = text.split("Level 2")[0]
    assert r"\mathrm{size}_i" in level_1
    assert r"\mathrm{size}_j" not in text


def test_crossed_factors_share_a_level():
    results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    found = lines(equation(results, "hierarchical"))
    assert r"\alpha_{0,j,k} &= \beta_{0} + b_{j} + c_{k} \\" in found


def test_weights_divide_the_residual_variance():
    data = sleep().assign(w=np.random.default_rng(0).uniform(1, 2, 180))
    results = mixedlm("Reaction ~ Days + (1 | Subject)", data, weights="w")
    assert r"\sigma^2 / w_i" in equation(results).latex
    model = MixedLM(formula="Reaction ~ Days + (1 | Subject)").fit(data, sample_weight=data["w"])
    assert r"\sigma^2 / w_i" in equation(model.results_).latex


def test_offset_stands_in_the_mean():
    results = mixedlm("Reaction ~ Days + offset(Days) + (1 | Subject)", sleep())
    assert equation(results).latex.count(r"\mathrm{Days}_i") == 2


def test_estimates_leave_out_what_is_set_to_zero():
    with pytest.warns(UserWarning, match="rank deficient"):
        results = mixedlm(
            "Reaction ~ Days + twice + (1 | Subject)", sleep().assign(twice=lambda d: 2 * d["Days"])
        )
    assert "twice" in equation(results).latex
    assert "twice" not in equation(results, values=True).latex


def test_without_groups():
    with pytest.warns(NoGroupsWarning):
        model = MixedLM().fit(sleep()[["Days"]], sleep()["Reaction"])
    for form in FORMS:
        assert r"\beta_{1} \, \mathrm{Days}_i" in equation(model.results_, form).latex


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("Days", r"\mathrm{Days}"),
        ("log_x", r"\mathrm{log\_x}"),
        ("50 %", r"\mathrm{50\ \%}"),
        ("a&b#c$", r"\mathrm{a\&b\#c\$}"),
        ("{x}", r"\mathrm{\{x\}}"),
        ("half[T.b]", r"\mathrm{half[T{.}b]}"),
        ("x-1", r"\mathrm{x\text{-}1}"),
        ("C:\\x", r"\mathrm{C{:}\backslash x}"),
    ],
)
def test_names_are_escaped(text, latex):
    assert name(text) == latex


def test_shown_in_a_notebook(slopes):
    found = equation(slopes)
    assert found._repr_latex_() == f"$$\n{found.latex}\n$$"
    assert str(found) == found.latex


def test_unknown_form_is_refused(slopes):
    with pytest.raises(ValueError, match=r"form must be one of .* got 'level'"):
        equation(slopes, "level")
