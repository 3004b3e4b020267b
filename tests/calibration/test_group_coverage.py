"""Intervals of groups hold effects and coefficients as often as promised, in samples."""

from __future__ import annotations

import pytest

from calibration.groups import coverage

pytestmark = pytest.mark.slow

SAMPLES, LEVEL = 1_000, 0.95


@pytest.mark.parametrize(
    "study", [("slopes", 18), ("intercepts, sd 1", 10), ("intercepts, sd 1", 30)], ids=str
)
def test_intervals_with_uncertain_variances(study: tuple[str, int]) -> None:
    found = coverage(study, SAMPLES).drop(index="effect, beta known", level="what")
    for key, line in found.iterrows():
        error = 4.0 * line["delta error"]
        # Degrees of freedom that are estimated make the intervals of the slopes' study too wide.
        assert -error < line["delta"] - LEVEL < 0.015 + error, key
        assert line["none"] < line["delta"]


@pytest.mark.parametrize("study", [("slopes", 18), ("intercepts, sd 1", 10)], ids=str)
def test_intervals_with_known_variances_are_too_narrow(study: tuple[str, int]) -> None:
    found = coverage(study, SAMPLES)
    assert (found["none"] < LEVEL - 4.0 * found["none error"]).all()
    known = found.loc["effect, beta known"]
    assert (known < found.loc["effect"])[["none", "delta"]].all(axis=None)


def test_an_effect_whose_variance_is_estimated_as_0_is_missed() -> None:
    """No more of them than there are such samples, but for those whose estimate is near 0."""
    found = coverage(("intercepts, sd 0.5", 10), SAMPLES).loc["effect"].iloc[0]
    assert found["singular"] > 0.05
    assert LEVEL - found["singular"] - 0.02 < found["delta"] < LEVEL
