"""The row of BEHAVIOUR.md on convergence: it is claimed where it is true, and nowhere else."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import ConvergenceWarning

from skmixed import MixedLM, RandomInterceptRegressor, SingularFitWarning


def unbalanced(seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(15), rng.integers(1, 9, 15))
    X = rng.normal(size=(len(groups), 2))
    effects = rng.normal(size=(2, 15))[:, groups]
    y = effects[0] + effects[1] * X[:, 0] + rng.normal(size=len(groups))
    return X, y, groups


def test_too_few_iterations_warn_once_and_say_where_and_what_next():
    X, y, groups = unbalanced(0)
    model = MixedLM(random_slopes=0, max_iter=1)
    with pytest.warns(ConvergenceWarning) as record:
        model.fit(X, y, groups=groups)
    assert len(record) == 1
    message = str(record[0].message)
    assert "max_iter=1" in message
    assert "theta[" in message
    assert "standard errors from the optimum" in message
    assert "increase max_iter" in message
    assert not model.converged_
    assert model.n_iter_ == 1


@pytest.mark.parametrize("max_iter", [1, 2, 3, 4, 100])
def test_converged_is_the_truth(max_iter):
    """Against a fit with a far smaller tolerance."""
    for seed in range(10):
        X, y, groups = unbalanced(seed)
        model, best = (
            MixedLM(random_slopes=0, max_iter=max_iter),
            MixedLM(random_slopes=0, tol=1e-12),
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", SingularFitWarning)
            model.fit(X, y, groups=groups)
            best.fit(X, y, groups=groups)
        assert model.n_iter_ <= max_iter
        assert model.log_likelihood_ <= best.log_likelihood_ + 1e-9
        if model.converged_:
            assert_allclose(model.log_likelihood_, best.log_likelihood_, rtol=0, atol=1e-9)
    assert model.converged_ == (max_iter == 100)


@pytest.mark.parametrize("name", ["max_iter", "tol"])
@pytest.mark.parametrize("value", [0, -1])
def test_controls_that_mean_nothing_are_refused(name, value):
    X, y, groups = unbalanced(0)
    with pytest.raises(ValueError, match=f"{name} must be"):
        RandomInterceptRegressor(**{name: value}).fit(X, y, groups=groups)
