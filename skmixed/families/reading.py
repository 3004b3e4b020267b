"""Every family and link by name, and what a user may call them otherwise."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, cast

from skmixed.families.base import Link
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
from skmixed.families.zero_inflation import ZeroInflated

__all__ = ["FAMILIES", "LINKS", "family_from"]

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

# What others call them, in lower case and with underscores.
FAMILY_ALIASES = {
    "bernoulli": "binomial",
    "nbinom2": "negative_binomial",
    "nbinom1": "negative_binomial_1",
    "negativebinomial": "negative_binomial",
    "negativebinomial1": "negative_binomial_1",
    "inversegaussian": "inverse_gaussian",
    "beta_family": "beta",
    "normal": "gaussian",
}
LINK_ALIASES = {
    "1/mu^2": "inverse_squared",
    "inverse_power": "inverse",
    "complementary_log_log": "cloglog",
}
# The classes of statsmodels, by what they are called there.
STATSMODELS = "statsmodels.genmod.families"
STATSMODELS_FAMILIES = {
    "Binomial": "binomial",
    "Poisson": "poisson",
    "NegativeBinomial": "negative_binomial",
    "Gamma": "gamma",
    "InverseGaussian": "inverse_gaussian",
    "Gaussian": "gaussian",
}
STATSMODELS_LINKS = {
    "Identity": "identity",
    "Log": "log",
    "Logit": "logit",
    "Probit": "probit",
    "CLogLog": "cloglog",
    "LogLog": "loglog",
    "Cauchy": "cauchit",
    "InversePower": "inverse",
    "InverseSquared": "inverse_squared",
    "Sqrt": "sqrt",
}


def family_from(family: Any, link: Any = None) -> Distribution | ZeroInflated:
    """Return the family that a user means.

    Parameters
    ----------
    family : str, Distribution, ZeroInflated, or a family of statsmodels
        An instance of a family of ``statsmodels.genmod.families`` brings its link, a class only its
        name. The dispersion is estimated here: the ``alpha`` of statsmodels' NegativeBinomial is
        not used.
    """
    if isinstance(family, ZeroInflated):
        return ZeroInflated(cast("Any", family_from(family.family, link)))
    kind, own = _kind_and_link(family)
    wanted = own if link is None else _link(link)
    if wanted is None:
        return kind()  # type: ignore[call-arg]
    if not isinstance(wanted, kind.links):
        allowed = [name for name, one in LINKS.items() if issubclass(one, kind.links)]
        raise ValueError(
            f"family={kind.name!r} has no link {wanted.name!r}: expected one of {allowed}."
        )
    return kind(wanted)


def _kind_and_link(family: Any) -> tuple[type[Distribution], Link | None]:
    """Return the class of a family, and the link that it brings, if it does."""
    if isinstance(family, Distribution):
        return type(family), family.link
    if isinstance(family, type) and issubclass(family, Distribution):
        return family, None
    if isinstance(family, str):
        return FAMILIES[_name(family, FAMILIES, FAMILY_ALIASES, "family")], None
    if _is_statsmodels(family):
        kind = family if isinstance(family, type) else type(family)
        own = None if isinstance(family, type) else _link(family.link)
        return FAMILIES[_translated(kind, STATSMODELS_FAMILIES, "family")], own
    raise TypeError(
        f"family must be a name, one of {list(FAMILIES)}, or a family of skmixed or statsmodels, "
        f"got {type(family).__name__}."
    )


def _link(link: Any) -> Link:
    """Return the link that a user means."""
    if isinstance(link, tuple(LINKS.values())):
        return cast("Link", link)
    if isinstance(link, type) and issubclass(link, tuple(LINKS.values())):
        return cast("Link", link())
    if isinstance(link, str):
        return cast("Link", LINKS[_name(link, LINKS, LINK_ALIASES, "link")]())
    if _is_statsmodels(link):
        kind = link if isinstance(link, type) else type(link)
        return cast("Link", LINKS[_translated(kind, STATSMODELS_LINKS, "link")]())
    raise TypeError(
        f"link must be a name, one of {list(LINKS)}, or a link of skmixed or statsmodels, "
        f"got {type(link).__name__}."
    )


def _is_statsmodels(given: Any) -> bool:
    """Return whether a family or link is one of statsmodels, which need not be imported."""
    kind = given if isinstance(given, type) else type(given)
    return kind.__module__.startswith(STATSMODELS)


def _translated(kind: type, names: Mapping[str, str], what: str) -> str:
    """Return our name of a class of statsmodels."""
    if kind.__name__ in names:
        return names[kind.__name__]
    raise ValueError(
        f"There is no {what} like {kind.__name__} of statsmodels here: expected one of "
        f"{list(names)}, or the name of a {what}."
    )


def _name(given: str, names: Collection[str], aliases: Mapping[str, str], what: str) -> str:
    """Return the name in full."""
    plain = given.strip().lower().replace(".", "_").replace("-", "_").replace(" ", "_")
    found = aliases.get(plain, plain)
    if found in names:
        return found
    close = difflib.get_close_matches(plain, [*names, *aliases], n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"Unknown {what} {given!r}: expected one of {list(names)}.{hint}")
