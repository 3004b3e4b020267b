"""Small data sets to try mixed models on, and generators of simulated ones."""

from __future__ import annotations

from skmixed.datasets.bundled import (
    load_dyestuff,
    load_dyestuff2,
    load_fev,
    load_orthodont,
    load_pastes,
    load_penicillin,
    load_sleepstudy,
)
from skmixed.datasets.crossed import make_crossed_regression
from skmixed.datasets.growth import make_gpa, make_pigs
from skmixed.datasets.institutions import make_nurses, make_pupils
from skmixed.datasets.outcomes import make_speed_dating, make_ticks
from skmixed.datasets.simulation import make_mixed_regression
from skmixed.datasets.studies import load_study

__all__ = [
    "load_dyestuff",
    "load_dyestuff2",
    "load_fev",
    "load_orthodont",
    "load_pastes",
    "load_penicillin",
    "load_sleepstudy",
    "load_study",
    "make_crossed_regression",
    "make_gpa",
    "make_mixed_regression",
    "make_nurses",
    "make_pigs",
    "make_pupils",
    "make_speed_dating",
    "make_ticks",
]
