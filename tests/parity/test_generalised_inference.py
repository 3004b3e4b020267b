"""Inference with generalised models against the records of glmm_inference.json."""

from __future__ import annotations

import pytest

from .glmm_inference import RECORDS, left_out
from .inference_kinds import KINDS, numbers

PROFILES = [name for name, record in RECORDS.items() if record.kind == "profile_limits"]
# Many searches each; of the other records of these kinds, some are quick.
LONG = {*PROFILES, "grouse_nb1-r2_icc_nakagawa"} - set(PROFILES[::4])


@pytest.mark.usefixtures("shared")
def test_no_record_is_left_out():
    assert len(RECORDS) == 299
    assert sum(len(record.expected) for record in RECORDS.values()) == 4520
    assert {record.kind for record in RECORDS.values()} == set(KINDS)


@pytest.mark.parametrize(
    "name", [pytest.param(a, marks=pytest.mark.slow if a in LONG else ()) for a in RECORDS]
)
def test_record(name):
    record = RECORDS[name]
    reasons = left_out(record)
    wanted = [key for key in record.expected if key not in reasons]
    if not wanted:
        pytest.skip(next(iter(reasons.values())))
    found = numbers(record)
    assert not {
        key: (found.get(key), record.expected[key])
        for key in wanted
        if key not in found or not record.accepts(key, found[key])
    }
