"""The fit that the tests of one case share; each module says what its cases are."""

from __future__ import annotations

import pytest

from .reference import Case, Fitted, fit_case


@pytest.fixture(scope="module")
def fitted(case: Case) -> Fitted:
    return fit_case(case)
