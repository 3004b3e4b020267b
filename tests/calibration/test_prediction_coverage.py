"""Intervals of predictions hold what they promise, in simulated samples."""

from __future__ import annotations

import pytest

from calibration.prediction import STUDIES, coverage

pytestmark = pytest.mark.slow

SAMPLES, BOOTSTRAPPED, REPLICATES = 400, 60, 150
LEVEL = 0.95


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("n_groups", [6, 12])
def test_coverage_of_predictions(study: str, n_groups: int) -> None:
    """Known, unseen and half-known rows, with few groups."""
    found = coverage(study, n_groups, SAMPLES, BOOTSTRAPPED, REPLICATES)
    for (row, kind), line in found.iterrows():
        for method in ("delta", "bootstrap"):
            # Degrees of freedom that are estimated make limits of the mean of a new group of six
            # too wide; nothing makes them too narrow by more than the second order leaves.
            allowed = 0.01 + 4.0 * line[f"{method} error"]
            above = 0.03 if (row, kind) == ("unseen", "mean") else 0.0
            assert -allowed < line[method] - LEVEL < allowed + above, (row, kind, method)
        # What the variances leave out is missed, and by how much is the point of the others.
        assert line["none"] < line["delta"]


def test_variances_taken_as_known_are_too_narrow_for_the_mean_of_a_new_group() -> None:
    found = coverage("one factor", 6, SAMPLES)
    line = found.loc[("unseen", "mean")]
    assert line["none"] < LEVEL - 4.0 * line["none error"]
