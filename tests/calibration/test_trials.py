"""Kenward and Roger's test keeps the level in small trials."""

from __future__ import annotations

import pytest

from .run import LEVEL, standard_error
from .trials import type_one_errors

N_SAMPLES = 400


@pytest.mark.slow
def test_kenward_roger_keeps_the_level() -> None:
    shares = type_one_errors(10, N_SAMPLES)
    assert abs(shares["kenward-roger"] - LEVEL) <= 4.0 * standard_error(LEVEL, N_SAMPLES)
    # Rounding decides a sample at the limit, differently from processor to processor.
    one = 1.0 / N_SAMPLES
    assert shares["kenward-roger"] - one <= shares["satterthwaite"] <= shares["normal"] + one
    assert shares["failed"] <= 0.05
