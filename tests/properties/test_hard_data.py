"""What holds for any data: a fit that is finite and consistent, or a ValueError that says why not.

SKMIXED_FUZZ_SEED and SKMIXED_FUZZ_CASES choose other samples, and more of them.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from skmixed import mixedlm
from skmixed.results import MixedLMResults

from .hard_data import HardSample, hard_sample

pytestmark = pytest.mark.exhaustive(11)

SEED = int(os.environ.get("SKMIXED_FUZZ_SEED", "20261121"))
CASES = range(int(os.environ.get("SKMIXED_FUZZ_CASES", "300")))
# Every so many samples are fitted again, in other units and in another order.
REFITTED = 5


@contextmanager
def blamed_on(sample: HardSample) -> Iterator[None]:
    """Name the sample in whatever goes wrong."""
    try:
        yield
    except Exception as error:
        raise AssertionError(f"sample {sample.name}\n{sample.formula}\n{error!r}") from error


def fitted(sample: HardSample, frame: pd.DataFrame | None = None) -> MixedLMResults:
    """Fit a sample, or other rows by its model; warnings for the user are welcome."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixedlm(
            sample.formula,
            sample.frame if frame is None else frame,
            weights=sample.weights,
            method=sample.method,
        )


@pytest.mark.parametrize("case", CASES)
def test_a_fit_is_finite_and_consistent_or_refused_in_words(case: int) -> None:
    sample = hard_sample(SEED, case)
    with blamed_on(sample):
        try:
            results = fitted(sample)
        except ValueError as refusal:
            assert_explains(str(refusal))
            return
        assert_estimates_are_finite(results)
        assert_tables_are_made(results)
        scale = max(1.0, abs(results.llf))
        assert abs(results.objective(results.theta) + 2.0 * results.llf) <= 1e-7 * scale
        own = results.predict(sample.frame, include_random_effects=True)
        np.testing.assert_allclose(own, results.fittedvalues, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CASES[::REFITTED])
def test_units_and_order_of_rows_change_nothing(case: int) -> None:
    sample = hard_sample(SEED, case)
    frame = sample.frame
    reordered = frame.iloc[np.random.default_rng(case).permutation(len(frame))]
    with blamed_on(sample):
        results = fitted(sample)
        tolerance = 1e-6 + rounding_of_llf(results, frame)
        assert abs(fitted(sample, reordered).llf - results.llf) <= tolerance
        other = fitted(sample, frame.assign(y=1e3 * frame["y"] + 7.0))
        assert abs(other.llf + results.fit.nu * np.log(1e3) - results.llf) <= tolerance


def rounding_of_llf(results: MixedLMResults, frame: pd.DataFrame) -> float:
    """Bound how much the last digit of y is worth where the errors are hardly larger.

    The sums Z'WZ of a slope are known to a last digit too: that is more of a column's variation
    within groups than of the column, by the square of their ratio.
    """
    precise = results.sigma / np.sqrt(frame["w"].max())
    spacing = np.spacing(np.abs(frame["y"]).max())
    of_response = 3.0 * np.sqrt(len(frame)) * spacing / precise
    if not any("x" in effects.effect_names for effects in results.fit.random):
        return float(of_response)
    varying = (frame["x"].groupby(frame["g"]).std() / np.abs(frame["x"]).max()).replace(0.0, np.nan)
    return float(of_response + np.nan_to_num(np.finfo(float).eps / varying.min() ** 2))


def assert_explains(message: str) -> None:
    assert " " in message
    assert message.endswith((".", "?", "!"))


def assert_estimates_are_finite(results: MixedLMResults) -> None:
    assert np.isfinite(results.llf)
    assert np.isfinite(results.sigma)
    aliased = results.fit.fixed.aliased
    assert np.isfinite(results.params).all()
    assert np.isfinite(results.bse[~aliased]).all()
    assert np.isfinite(results.fittedvalues).all()
    for table in (results.random_effects, results.random_effects_sd, results.group_coefficients):
        assert all(np.isfinite(of_factor.to_numpy()).all() for of_factor in table.values())


def assert_tables_are_made(results: MixedLMResults) -> None:
    components = results.variance_components
    single = components["name2"].isna()
    assert np.isfinite(components.loc[single, "vcov"]).all()
    assert (components.loc[single, "vcov"] >= 0.0).all()
    assert len(results.tidy()) == len(results.params)
    assert "Random effects" in str(results.summary())
