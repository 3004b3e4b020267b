"""Small data sets to try mixed models on, and a generator of simulated ones."""

from __future__ import annotations

from skmixed.datasets.bundled import (
    load_dyestuff,
    load_dyestuff2,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from skmixed.datasets.simulation import make_mixed_regression

__all__ = [
    "load_dyestuff",
    "load_dyestuff2",
    "load_pastes",
    "load_penicillin",
    "load_sleepstudy",
    "make_mixed_regression",
]
