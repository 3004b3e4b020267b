"""Models with R's figures, on simulated sites, on the bundled data and on the shared references."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from parity.checks import assert_agreement, assert_same_fit, assert_same_model
from parity.reference import Case, bundled_case, fit_case, fit_estimator, shared_case

from skmixed.results import MixedLMResults

__all__ = ["fit_as_in_r", "read_case", "read_sites", "site_case"]

FIXTURES = Path(__file__).parent / "fixtures"
FACTORS = ("site", "block", "plot", "item", "owner")


def read_sites() -> pd.DataFrame:
    """Return the simulated rows; their labels are categories in the order of the numbers."""
    data = pd.read_csv(FIXTURES / "sites.csv", dtype=dict.fromkeys(FACTORS, str))
    categories = {name: sorted(data[name].unique(), key=int) for name in FACTORS}
    return data.astype({name: pd.CategoricalDtype(found) for name, found in categories.items()})


def site_case(name: str) -> Case:
    """Return one model of the simulated sites."""
    cases = json.loads((FIXTURES / "lme4.json").read_text(encoding="utf-8"))["cases"]
    return Case(name, cases[name], read_sites(), None)


def read_case(source: str, name: str, shared: Path | None) -> Case:
    """Return one model of the sites, of the bundled data or of the shared references."""
    if source == "shared":
        assert shared is not None
        return shared_case(shared, name)
    return {"sites": site_case, "bundled": bundled_case}[source](name)


def fit_as_in_r(case: Case) -> MixedLMResults:
    """Fit a case by function and by estimator, and check that both give R's figures."""
    fitted = fit_case(case)
    assert_same_model(case, fitted)
    assert_agreement(case, fitted)
    assert_same_fit(fit_estimator(case).lmm_fit_, fitted.results.fit)
    return fitted.results
