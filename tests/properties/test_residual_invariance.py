"""A fit with a residual structure does not depend on order, labels, units, or ways to weight."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from skmixed import mixedlm
from skmixed.residual import VARIANCES, Correlation, KnownVariance
from skmixed.results import MixedLMResults

from .residual_models import RESIDUALS, by_group, sample

pytestmark = pytest.mark.exhaustive(17)

# Structures that say something else than random intercepts do, beside these too.
BESIDE_EFFECTS = ("ar1", "arma(0, 2)", "heterogeneous", "variance power", "ar1 x strata")
MODELS = [
    *((name, "y ~ x") for name in RESIDUALS),
    *((name, "y ~ x + (1 | g)") for name in BESIDE_EFFECTS),
    *((name, "y ~ x + (1 | above)") for name in BESIDE_EFFECTS),
]
METHODS = ["reml", "ml"]


def fit(
    name: str, formula: str, method: str, frame: pd.DataFrame, **weights: object
) -> MixedLMResults:
    """Fit a model; warnings about the covariance are no matter here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return mixedlm(
            formula, frame, residual=by_group(RESIDUALS[name]), method=method, tol=1e-10, **weights
        )


@pytest.fixture(scope="module", params=MODELS, ids=" ".join)
def model(request):
    return request.param


@pytest.fixture(scope="module", params=METHODS)
def method(request):
    return request.param


@pytest.fixture(scope="module")
def base(model, method):
    return fit(*model, method, sample(n_groups=60))


def assert_same(
    found: MixedLMResults, base: MixedLMResults, *, llf: float = 0.0, y: float = 1.0
) -> None:
    """Check that two fits are one, up to the log-likelihood of units and the unit of y."""
    assert found.converged == base.converged
    assert_allclose(found.llf + llf, base.llf, rtol=1e-9)
    assert_allclose(found.sigma / y, base.sigma, rtol=1e-5)
    assert_allclose(found.bse["x"] / y, base.bse["x"], rtol=1e-5)
    error = base.bse["x"]
    assert_allclose((found.params["x"] / y - base.params["x"]) / error, 0.0, atol=1e-5)


def assert_same_parameters(found: MixedLMResults, base: MixedLMResults) -> None:
    """Check the parameters of R by name, unless the rows leave some of them undetermined."""
    assert found.residual_parameters.keys() == base.residual_parameters.keys()
    if not base.fit.residual.undetermined.any():
        expected = pytest.approx(base.residual_parameters, rel=1e-4, abs=1e-5)
        assert found.residual_parameters == expected


def test_order_of_rows(model, method, base):
    frame = sample(n_groups=60)
    order = np.random.default_rng(3).permutation(len(frame))
    found = fit(*model, method, frame.iloc[order])
    assert_same(found, base)
    assert_same_parameters(found, base)


def test_names_of_groups(model, method, base):
    frame = sample(n_groups=60)
    labels = frame["g"].unique()
    names = np.random.default_rng(4).permutation(len(labels)) + 0.5
    renamed = frame.assign(
        g=frame["g"].map(dict(zip(labels, names, strict=True))), above=-frame["above"]
    )
    found = fit(*model, method, renamed)
    assert_same(found, base)
    assert_same_parameters(found, base)


def test_unit_and_origin_of_the_response(model, method, base):
    unit = 1e3
    if isinstance(RESIDUALS[model[0]], KnownVariance):
        frame = sample(n_groups=60).assign(variance=lambda one: one["variance"] * unit**2)
    else:
        frame = sample(n_groups=60)
    found = fit(*model, method, frame.assign(y=unit * frame["y"] - 50.0))
    p = len(base.params) if method == "reml" else 0
    y = 1.0 if isinstance(RESIDUALS[model[0]], KnownVariance) else unit
    assert_allclose(found.llf + (len(frame) - p) * np.log(unit), base.llf, rtol=1e-9)
    assert_allclose(found.sigma / y, base.sigma, rtol=1e-5)
    assert_allclose(found.bse / unit, base.bse, rtol=1e-5)
    assert_same_parameters(found, base)


def test_unit_and_origin_of_a_covariate(model, method, base):
    unit = 1e-4
    frame = sample(n_groups=60)
    found = fit(*model, method, frame.assign(x=unit * frame["x"] + 3.0))
    gained = np.log(unit) if method == "reml" else 0.0
    assert_allclose(found.llf + gained, base.llf, rtol=1e-9)
    assert_allclose(found.params["x"] * unit, base.params["x"], rtol=1e-4)
    assert_allclose(found.bse["x"] * unit, base.bse["x"], rtol=1e-5)
    assert_same_parameters(found, base)


def test_unit_and_origin_of_times_and_places(model, method, base):
    """Visits are moved; where distances count, they are in another unit too."""
    frame = sample(n_groups=60)
    kinds = {one.axis_kind for one in RESIDUALS[model[0]].factors if isinstance(one, Correlation)}
    if "real" in kinds:
        frame["time"] = 24.0 * frame["time"] + 1e4
    elif kinds <= {"integer", "occasion"}:
        frame["time"] += 2000
    frame["east"], frame["north"] = 1e3 * frame["north"] - 7.0, 1e3 * frame["east"]
    found = fit(*model, method, frame)
    assert_same(found, base)


def test_unit_of_the_covariate_of_a_variance(model, method, base):
    if model[0] == "variance power by stratum":
        pytest.skip("with powers of their own, the strata are equal at a covariate of 1")
    frame = sample(n_groups=60)
    found = fit(*model, method, frame.assign(covariate=30.0 * frame["covariate"]))
    assert_allclose(found.llf, base.llf, rtol=1e-9)
    assert_allclose(found.bse["x"], base.bse["x"], rtol=1e-5)


def test_a_common_precision_changes_nothing_but_sigma(model, method, base):
    if isinstance(RESIDUALS[model[0]], KnownVariance):
        pytest.skip("known variances are known of a row of weight 1")
    frame = sample(n_groups=60)
    found = fit(*model, method, frame, weights=np.full(len(frame), 2.0))
    assert_allclose(found.sigma, np.sqrt(2.0) * base.sigma, rtol=1e-5)
    assert_allclose(found.llf, base.llf, rtol=1e-9)
    assert_allclose(found.bse, base.bse, rtol=1e-5)
    assert_same_parameters(found, base)


def test_groups_of_weight_2_are_there_twice(model, method):
    frame = sample(n_groups=60)
    if model[0] in VARIANCES and "|" not in model[1]:
        pytest.skip("without correlations and random effects there are no groups")
    cluster = "above" if "above" in model[1] else "g"
    number = pd.factorize(frame[cluster])[0]
    twice = number % 3 == 0
    again = frame[twice].assign(
        g=lambda one: one["g"] + " again", above=lambda one: one["above"] + 100
    )
    written = fit(*model, method, pd.concat([frame, again], ignore_index=True))
    counted = fit(*model, method, frame, group_weights=np.where(twice, 2.0, 1.0))
    assert_same(counted, written)
    assert_same_parameters(counted, written)


def test_rows_of_weight_0_are_not_there(model, method):
    frame = sample(n_groups=60)
    weights = np.random.default_rng(5).uniform(0.5, 2.0, len(frame))
    weights[::5] = 0.0
    kept = weights > 0.0
    dropped = fit(*model, method, frame[kept], weights=weights[kept])
    found = fit(*model, method, frame, weights=weights)
    assert_same(found, dropped)
    assert_same_parameters(found, dropped)
