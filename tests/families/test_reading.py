"""From names and statsmodels' objects to families."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from skmixed.families.binomial import Binomial
from skmixed.families.gamma import Gamma
from skmixed.families.gaussian import Gaussian
from skmixed.families.inverse_gaussian import InverseGaussian
from skmixed.families.links import Identity, Inverse, InverseSquared, Log, Sqrt
from skmixed.families.negative_binomial import NegativeBinomial
from skmixed.families.negative_binomial_1 import NegativeBinomial1
from skmixed.families.poisson import Poisson
from skmixed.families.probability_links import Cauchit, CLogLog, Logit, LogLog, Probit
from skmixed.families.reading import FAMILIES, family_from
from skmixed.families.zero_inflation import ZeroInflated


@pytest.mark.parametrize("name", FAMILIES)
def test_each_family_has_its_first_link_by_default(name: str) -> None:
    family = family_from(name)
    assert isinstance(family, FAMILIES[name])
    assert type(family.link) is FAMILIES[name].links[0]
    for link in FAMILIES[name].links:
        assert family_from(name, link.name).link == link()


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Bernoulli", Binomial()),
        ("nbinom2", NegativeBinomial()),
        ("nbinom1", NegativeBinomial1()),
        ("Gamma", Gamma()),
        ("inverse.gaussian", InverseGaussian()),
        ("NegativeBinomial", NegativeBinomial()),
        (" normal ", Gaussian()),
        (Poisson, Poisson()),
        (Poisson(Sqrt()), Poisson(Sqrt())),
    ],
)
def test_other_names(name: Any, family: Any) -> None:
    assert family_from(name) == family


@pytest.mark.parametrize(
    ("link", "expected"),
    [("1/mu^2", InverseSquared()), (Inverse, Inverse()), (Log(), Log())],
)
def test_links_by_name_class_or_object(link: Any, expected: Any) -> None:
    assert family_from("inverse_gaussian", link) == InverseGaussian(expected)
    inflated = ZeroInflated(Poisson())
    assert family_from(inflated) == inflated
    assert family_from(inflated, "sqrt") == ZeroInflated(Poisson(Sqrt()))


def test_families_of_statsmodels_bring_their_links() -> None:
    sm = pytest.importorskip("statsmodels.genmod.families")
    assert family_from(sm.Binomial()) == Binomial()
    assert family_from(sm.Poisson()) == Poisson()
    assert family_from(sm.NegativeBinomial(alpha=0.3)) == NegativeBinomial()
    assert family_from(sm.Gamma()) == Gamma(Inverse())
    assert family_from(sm.Gamma) == Gamma(Log())
    assert family_from(sm.Gamma(), "log") == Gamma(Log())
    assert family_from(sm.InverseGaussian()) == InverseGaussian(InverseSquared())
    assert family_from(sm.Gaussian()) == Gaussian(Identity())
    assert family_from(sm.Poisson(sm.links.Sqrt())) == Poisson(Sqrt())
    links = {
        "Probit": Probit(),
        "CLogLog": CLogLog(),
        "LogLog": LogLog(),
        "Cauchy": Cauchit(),
        "Logit": Logit(),
    }
    for name, link in links.items():
        kind = getattr(sm.links, name)
        assert family_from(sm.Binomial(kind())) == Binomial(link)
        assert family_from("binomial", kind()) == Binomial(link)
        assert family_from("binomial", kind) == Binomial(link)
    with pytest.raises(ValueError, match=r"no family like Tweedie of statsmodels.*expected one of"):
        family_from(sm.Tweedie())
    with pytest.raises(ValueError, match=r"no link like Power of statsmodels"):
        family_from("gaussian", sm.links.Power(3.0))


@pytest.mark.parametrize(
    ("family", "link", "error", "message"),
    [
        ("poison", None, ValueError, r"Unknown family 'poison': .*Did you mean 'poisson'\?"),
        (
            "zzz",
            None,
            ValueError,
            r"Unknown family 'zzz': expected one of \['binomial', [^?]*\]\.$",
        ),
        ("binomial", "probbit", ValueError, r"Unknown link 'probbit'.*Did you mean 'probit'\?"),
        ("poisson", "logit", ValueError, r"'poisson' has no link 'logit': expected one of \['id"),
        (3, None, TypeError, r"family must be a name, one of .*got int"),
        (None, None, TypeError, r"got NoneType"),
        ("poisson", 3, TypeError, r"link must be a name, one of .*got int"),
    ],
)
def test_errors_say_what_there_is(family: Any, link: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        family_from(family, link)


def test_reading_names_imports_neither_statsmodels_nor_scipy_stats() -> None:
    code = (
        "import sys\nfrom skmixed.families.reading import family_from\n"
        "family_from('gamma', 'log')\n"
        "assert not {'statsmodels', 'scipy.stats'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
