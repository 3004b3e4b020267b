"""The mixture of chi-squares of a test on the boundary, by what is added to a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from skmixed import mixedlm
from skmixed.inference.comparison.boundary_mixture import ChiSquaredMixture, boundary_mixture


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    n, n_groups = 240, 12
    g, h = rng.integers(0, n_groups, n), rng.integers(0, 8, n)
    x, z = rng.normal(size=(2, n))
    effects = rng.normal(size=(3, n_groups))
    y = x + effects[0, g] + effects[1, g] * x + effects[2, g] * z + rng.normal(size=n)
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": g, "same": g + 100, "h": h})


@pytest.mark.parametrize(
    ("small", "large", "degrees"),
    [
        ("y ~ x", "y ~ x + (1 | g)", (0, 1)),
        ("y ~ x + (1 | g)", "y ~ x + (1 | g) + (1 | h)", (0, 1)),
        ("y ~ x + (1 | same)", "y ~ x + (1 | g) + (1 | h)", (0, 1)),
        ("y ~ x + (1 | g)", "y ~ x + (x || g)", (0, 1)),
        ("y ~ x + (1 | g)", "y ~ x + (x | g)", (1, 2)),
        ("y ~ x + (x | g)", "y ~ x + (x + z | g)", (2, 3)),
        ("y ~ x + (1 | h) + (1 | g)", "y ~ x + (x | g) + (1 | h)", (1, 2)),
        ("y ~ 1 + (1 | g)", "y ~ x + (x | g)", (2, 3)),
        ("y ~ 1 + (1 | g)", "y ~ x + (1 | g)", (1,)),
        ("y ~ x + (x || g)", "y ~ x + (x | g)", (1,)),
        ("y ~ 1 + (x || g)", "y ~ x + (x | g)", (2,)),
        ("y ~ x", "y ~ x + (x | g)", None),
        ("y ~ x", "y ~ x + (1 | g) + (1 | h)", None),
        ("y ~ x + (1 | g)", "y ~ x + (x + z | g)", None),
        ("y ~ x + (1 | g)", "y ~ x + (1 | h) + (0 + x | h)", None),
        ("y ~ x + (x || g)", "y ~ x + (x + z | g)", None),
    ],
)
@pytest.mark.filterwarnings("ignore::skmixed.NoGroupsWarning")
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_what_is_added(data: pd.DataFrame, small: str, large: str, degrees) -> None:
    models = [mixedlm(one, data) for one in (small, large)]
    df = models[1].fit.n_parameters - models[0].fit.n_parameters
    found = boundary_mixture(models[0].model, models[1].model, df)
    assert (None if found is None else found.degrees) == degrees


def test_p_values_of_mixtures() -> None:
    assert_allclose(ChiSquaredMixture((0, 1)).p_value(2.7), 0.5 * stats.chi2.sf(2.7, 1))
    assert ChiSquaredMixture((0, 1)).p_value(0.0) == 1.0
    both = 0.5 * (stats.chi2.sf(3.0, 1) + stats.chi2.sf(3.0, 2))
    assert_allclose(ChiSquaredMixture((1, 2)).p_value(3.0), both)
    assert_allclose(ChiSquaredMixture((3,)).p_value(3.0), stats.chi2.sf(3.0, 3))
    # Stram and Lee 1994, section 3.1: 5 % points of 50 : 50 mixtures are 2.71 and 5.14.
    assert_allclose(ChiSquaredMixture((0, 1)).p_value(2.706), 0.05, atol=1e-4)
    assert_allclose(ChiSquaredMixture((1, 2)).p_value(5.138), 0.05, atol=1e-4)
