"""The search starts near the best of several optima, and survives far steps."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning


@pytest.mark.parametrize("seed", range(2, 40, 4))
def test_a_model_is_never_worse_than_one_that_it_contains(seed):
    """Slopes on a calendar year, far from 0, uncorrelated with intercepts: several optima."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(15), 8)
    year = 2000.0 + rng.integers(0, 10, 120)
    y = (year - 2005) * rng.normal(scale=0.5, size=15)[groups] + rng.normal(size=120)
    y += seed % 3 * rng.normal(size=15)[groups]
    X = year[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        both = MixedLM(random_slopes=0, covariance="diagonal").fit(X, y, groups=groups)
        slopes = MixedLM(random_slopes=0, random_intercept=False).fit(X, y, groups=groups)
        intercepts = RandomInterceptRegressor().fit(X, y, groups=groups)
        correlated = MixedLM(random_slopes=0).fit(X, y, groups=groups)
    assert both.converged_
    assert both.log_likelihood_ >= slopes.log_likelihood_ - 1e-6
    assert both.log_likelihood_ >= intercepts.log_likelihood_ - 1e-6
    assert correlated.log_likelihood_ >= both.log_likelihood_ - 1e-6


@pytest.mark.parametrize("method", ["ml", "reml"])
@pytest.mark.parametrize("seed", [10, 46, 72, 105])
def test_a_far_step_is_no_exception(seed, method):
    """One variance for columns of sizes 1000 and 1: far off, V^-1 X all but vanishes."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(3), [3, 3, 4])
    X = rng.normal(size=(10, 3)) * [1e3, 1.0, 1e-3]
    y = X[:, 0] * rng.normal(size=3)[groups] + rng.normal(size=10)
    model = MixedLM(random_slopes=[0, 1], covariance="identity", method=method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y, groups=groups)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.predict(X, groups=groups, return_std=True)[1]).all()
