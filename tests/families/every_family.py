"""Every family with every link, and rows that follow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from skmixed.families.distribution import Distribution
from skmixed.families.positive import CountFamily
from skmixed.families.probability_links import ProbabilityLink
from skmixed.families.reading import FAMILIES
from skmixed.families.zero_inflation import ZeroInflated

FloatArray = NDArray[np.float64]
AnyFamily = Distribution | ZeroInflated


def _families() -> dict[str, AnyFamily]:
    families: dict[str, AnyFamily] = {}
    for kind in FAMILIES.values():
        for link in kind.links:
            family = kind(link())
            families[f"{family.name} {family.link.name}"] = family
            if isinstance(family, CountFamily):
                families[f"zero-inflated {family.name} {family.link.name}"] = ZeroInflated(family)
    return families


EVERY = _families()
every_family = pytest.mark.parametrize("family", EVERY.values(), ids=EVERY)


@dataclass(frozen=True)
class Rows:
    """Hold predictors, and responses drawn from them."""

    y: FloatArray
    eta: FloatArray
    extra: tuple[FloatArray, ...]


def rows_of(family: AnyFamily, n: int = 60, seed: int = 0) -> Rows:
    """Return rows with means that the link has, and moderate dispersions."""
    rng = np.random.default_rng(seed)
    share = isinstance(family.link, ProbabilityLink)
    mean = rng.uniform(0.2, 0.8, n) if share else rng.uniform(0.2, 4.0, n)
    eta = family.link.predictor(mean)
    # Shares with a small precision have much of their probability next to 0 and 1.
    low, high = (2.0, 4.0) if family.name == "beta" else (-0.5, 1.5)
    extra = tuple(rng.uniform(low, high, n) for _ in family.extra_names)
    return Rows(family.simulate(eta, extra, rng), eta, extra)
