"""Every family and link, by name."""

from __future__ import annotations

from skmixed.families.beta import Beta
from skmixed.families.binomial import Binomial
from skmixed.families.distribution import Distribution
from skmixed.families.gamma import Gamma
from skmixed.families.gaussian import Gaussian
from skmixed.families.inverse_gaussian import InverseGaussian
from skmixed.families.links import Identity, Inverse, InverseSquared, Log, Sqrt
from skmixed.families.negative_binomial import NegativeBinomial
from skmixed.families.negative_binomial_1 import NegativeBinomial1
from skmixed.families.poisson import Poisson
from skmixed.families.probability_links import PROBABILITY_LINKS

__all__ = ["FAMILIES", "LINKS"]

FAMILIES: dict[str, type[Distribution]] = {
    family.name: family
    for family in (
        Binomial,
        Poisson,
        NegativeBinomial,
        NegativeBinomial1,
        Gamma,
        InverseGaussian,
        Beta,
        Gaussian,
    )
}
LINKS: dict[str, type] = {
    link.name: link for link in (Identity, Log, *PROBABILITY_LINKS, Inverse, InverseSquared, Sqrt)
}
