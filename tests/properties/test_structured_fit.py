"""Fits with AR(1) and compound symmetry: simulated occasions, crossed with another factor."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from skmixed import MixedLM, SingularFitWarning
from skmixed.covariance import AR1, CompoundSymmetry, CovarianceStructure
from skmixed.fitting.standardise import standardised
from skmixed.likelihood.profiled import ProfiledObjective

pytestmark = pytest.mark.exhaustive(7)

STRUCTURES = [AR1(), CompoundSymmetry(), CompoundSymmetry(equal_variances=True)]
OCCASIONS = ["first", "second", "third", "fourth"]


def covariance_of(structure: CovarianceStructure, rng: np.random.Generator) -> np.ndarray:
    """Draw a covariance of the effects of four occasions."""
    if isinstance(structure, AR1):
        return rng.uniform(-0.5, 0.95) ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    rho = rng.uniform(-0.2, 0.95)
    sd = np.ones(4) if structure.equal_variances else rng.uniform(0.2, 2.0, 4)
    return np.outer(sd, sd) * (rho + (1.0 - rho) * np.eye(4))


def simulate(
    structure: CovarianceStructure, seed: int, *, ratio: float = 1.0, n: int = 240
) -> pd.DataFrame:
    """Simulate subjects at four occasions, each row judged by one of some raters."""
    rng = np.random.default_rng(seed)
    occasion = rng.integers(4, size=n)
    subject = rng.permutation(np.arange(n) % 20)
    rater = rng.permutation(np.arange(n) % 8)
    effects = rng.multivariate_normal(
        np.zeros(4), covariance_of(structure, rng), size=20, method="cholesky"
    )
    x = rng.normal(size=n)
    y = x + ratio * effects[subject, occasion] + rng.normal(size=8)[rater] + rng.normal(size=n)
    columns = pd.DataFrame(np.eye(4)[occasion], columns=OCCASIONS)
    return columns.assign(x=x, subject=subject, rater=rater, one=1.0, y=y)


def model_of(structure: CovarianceStructure, *, crossed: bool, **options) -> MixedLM:
    slopes = {"subject": OCCASIONS} | ({"rater": ["one"]} if crossed else {})
    return MixedLM(
        list(slopes),
        random_slopes=slopes,
        random_intercept=False,
        fit_intercept=False,
        covariance={"subject": structure},
        **options,
    )


def fitted(data: pd.DataFrame, structure: CovarianceStructure, *, crossed: bool, **options):
    columns = [*OCCASIONS, "x", "subject", *(["rater", "one"] if crossed else [])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        warnings.filterwarnings("ignore", message="X is rank deficient")
        return model_of(structure, crossed=crossed, **options).fit(data[columns], data["y"])


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_crossed_designs_converge(structure, seed):
    model = fitted(simulate(structure, seed), structure, crossed=True)
    assert model.converged_
    # The best optimum of some is found from an extreme start, and a few steps later.
    assert model.n_iter_ <= (25 if isinstance(structure, CompoundSymmetry) else 20)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_no_other_start_leads_further(structure, crossed, seed):
    """The optimum is that of SciPy's L-BFGS-B from several starts, on the same objective."""
    data = simulate(structure, seed, n=120)
    model = fitted(data, structure, crossed=crossed, method="ml")
    columns = [*OCCASIONS, "x", "subject", *(["rater", "one"] if crossed else [])]
    design, covariance, _ = model._design(data[columns], data["y"], None)
    products = standardised(design, covariance)[1].products()
    objective = ProfiledObjective(products, covariance, reml=False)
    found = objective(model.lmm_fit_.convergence.theta)
    lower = covariance.lower_bounds
    bounds = None if lower is None else [(bound, None) for bound in lower]
    rng = np.random.default_rng(seed)
    for _ in range(5):
        start = rng.uniform(0.1, 1.5, len(found.theta))
        other = minimize(
            lambda t: (objective(t).value, objective(t).gradient),
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
        )
        assert found.value <= other.fun + 1e-6


@pytest.mark.parametrize("ratio", [1e-3, 1e3, 1e5])
@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_extreme_ratios_converge(structure, crossed, ratio):
    model = fitted(simulate(structure, 3, ratio=ratio), structure, crossed=crossed)
    assert model.converged_
    if ratio > 1.0:
        table = model.variance_components_.set_index("name1")["sdcor"]
        assert 0.1 * ratio < table["second"].iloc[0] / model.sigma_ < 10.0 * ratio


@pytest.mark.parametrize("crossed", [False, True])
@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_units_of_y_and_of_the_columns(structure, crossed):
    data = simulate(structure, 5)
    base = fitted(data, structure, crossed=crossed, tol=1e-10)
    moved = data.assign(**(1e6 * data[[*OCCASIONS, "x"]]), y=1e-4 * data["y"])
    other = fitted(moved, structure, crossed=crossed, tol=1e-10)
    assert_allclose(other.sigma_, 1e-4 * base.sigma_, rtol=1e-8)
    assert_allclose(other.coef_[:5], 1e-10 * base.coef_[:5], rtol=1e-7)
    ours, theirs = (
        model.variance_components_[model.variance_components_["name1"].isin(OCCASIONS)]
        for model in (other, base)
    )
    single = theirs["name2"].isna().to_numpy()
    unit = np.where(single, 1e-10, 1.0)
    assert_allclose(ours["sdcor"], unit * theirs["sdcor"], rtol=1e-5, atol=1e-12)


def test_only_ar1_minds_the_order_of_the_columns():
    for structure in STRUCTURES:
        data = simulate(structure, 1)
        base = fitted(data, structure, crossed=True)
        shuffled = data.rename(columns={"first": "third", "third": "first"})
        other = fitted(shuffled, structure, crossed=True)
        same = abs(other.log_likelihood_ - base.log_likelihood_) < 1e-8
        assert same == (not isinstance(structure, AR1))
    reversed_names = dict(zip(OCCASIONS, OCCASIONS[::-1], strict=True))
    data = simulate(AR1(), 1)
    backwards = fitted(data.rename(columns=reversed_names), AR1(), crossed=True)
    forwards = fitted(data, AR1(), crossed=True)
    assert_allclose(backwards.log_likelihood_, forwards.log_likelihood_, rtol=1e-12)


def test_effects_without_any_variance_are_found_on_the_boundary():
    """The response has the same mean for every subject and occasion."""
    rng = np.random.default_rng(0)
    for structure in STRUCTURES:
        data = simulate(structure, 0)
        noise = pd.Series(rng.normal(size=len(data)))
        cells = [data["subject"], data[OCCASIONS].to_numpy().argmax(axis=1)]
        data["y"] = noise - noise.groupby(cells).transform("mean")
        model = fitted(data, structure, crossed=False)
        assert model.converged_
        assert model.is_singular_
        table = model.variance_components_
        variances = table[(table["group"] == "subject") & table["name2"].isna()]
        assert variances["vcov"].tolist() == [0.0] * 4


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
@pytest.mark.parametrize("crossed", [False, True])
def test_a_correlation_of_one_is_found_on_the_boundary(structure, crossed):
    """Subjects have one effect at all occasions, and less of it differs than by chance."""
    data = simulate(structure, 2)
    rng = np.random.default_rng(1)
    subject = data["subject"].to_numpy()
    occasion = data[OCCASIONS].to_numpy().argmax(axis=1)
    noise = pd.Series(rng.normal(size=len(data)))
    noise -= noise.groupby([subject, occasion]).transform("mean")
    data["y"] = 3.0 * rng.normal(size=20)[subject] + noise
    model = fitted(data, structure, crossed=crossed)
    assert model.converged_
    assert model.is_singular_
    table = model.variance_components_
    correlations = table[(table["group"] == "subject") & table["name2"].notna()]
    assert_allclose(correlations["sdcor"], 1.0, atol=1e-7)
