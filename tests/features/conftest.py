"""What the tests of the rows share."""

from __future__ import annotations

import pandas as pd
import pytest
from parity.reference import Case

from .cases import read_case, read_sites


@pytest.fixture
def case(request) -> Case:
    """Return the case of ``"source/name"``; one of the shared references may be absent."""
    source, _, name = request.param.partition("/")
    shared = request.getfixturevalue("shared") if source == "shared" else None
    return read_case(source, name, shared)


@pytest.fixture
def sites() -> pd.DataFrame:
    return read_sites()
