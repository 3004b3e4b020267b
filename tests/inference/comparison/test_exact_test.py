"""Exact tests of one variance: RLRsim's figures, a closed form, and what cannot be tested."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from parity.reference import shared_case
from scipy import stats

from inference.comparison.comparison_cases import COMPARISON
from skmixed import mixedlm
from skmixed.datasets import load_dyestuff, load_dyestuff2, load_pastes, load_sleepstudy
from skmixed.inference import exact_lrt, exact_rlrt
from skmixed.inference.comparison.null_distribution import (
    Spectrum,
    simulate_likelihood_ratio,
    spectrum_of,
)

N_SIM = 100_000
# Standard errors that two simulations may differ by; the seeds are fixed.
TOLERANCE = 3.5

# Case to one on the same data.
SHARED = {
    "dyestuff_rlrt": "dyestuff",
    "pastes_rlrt_batch": "pastes",
    "sleep_rlrt_slope": "sleep_rs",
    "orth_rlrt_slope": "orth_rs",
    "gpa_rlrt": "gpa_ri",
}


def assert_same_share(ours: float, theirs: float, n_theirs: int, n_ours: int = N_SIM) -> None:
    """Check two simulated probabilities, to their Monte-Carlo error."""
    pooled = max((ours * n_ours + theirs * n_theirs) / (n_ours + n_theirs), 1.0 / n_ours)
    error = np.sqrt(pooled * (1.0 - pooled) * (1.0 / n_ours + 1.0 / n_theirs))
    assert abs(ours - theirs) < TOLERANCE * error


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
@pytest.mark.exhaustive(5)
def test_figures_of_rlrsim(name: str, shared: Path) -> None:
    text = (shared / "reference" / "reference.json").read_text(encoding="utf-8")
    figures = json.loads(text)["cases"][name]
    data = shared_case(shared, SHARED[name]).data
    formulas = [figures[f"formula_{which}"] for which in ("tested", "full", "null")]
    models = [None if formula is None else mixedlm(formula, data) for formula in formulas]
    test = exact_rlrt(*models, n_sim=N_SIM, random_state=1).iloc[0]
    assert_allclose(test["statistic"], figures["statistic"], rtol=1e-8)
    assert_same_share(test["p_value"], figures["p"], figures["nsim"])
    draws = simulate_likelihood_ratio(spectrum_of(models[0].fit), N_SIM, np.random.default_rng(2))
    assert_same_share((draws < 1e-8).mean(), figures["null_prob_zero"], figures["nsim"])
    for level in (75, 90, 95, 99):
        quantile = figures["null_quantiles"][f"{level}%"]
        assert_same_share((draws <= quantile).mean(), level / 100.0, figures["nsim"])


def bundled_tests() -> dict[str, pd.DataFrame]:
    """Return our tests by the names of R's."""
    pastes, dyestuff = load_pastes(), load_dyestuff()
    batch = mixedlm("Yield ~ 1 + (1 | Batch)", dyestuff)
    casks = mixedlm("strength ~ cask + (1 | batch)", pastes)
    settings = {"n_sim": N_SIM, "random_state": 5}
    return {
        "dyestuff_rlrt": exact_rlrt(batch, **settings),
        "dyestuff_lrt": exact_lrt(batch, **settings),
        "pastes_rlrt": exact_rlrt(
            mixedlm("strength ~ 1 + (1 | batch)", pastes),
            mixedlm("strength ~ 1 + (1 | sample) + (1 | batch)", pastes),
            mixedlm("strength ~ 1 + (1 | sample)", pastes),
            **settings,
        ),
        "casks_lrt": exact_lrt(casks, mixedlm("strength ~ cask", pastes), **settings),
        "casks_lrt_fixed": exact_lrt(casks, mixedlm("strength ~ 1", pastes), **settings),
    }


@pytest.mark.filterwarnings("ignore::skmixed.NoGroupsWarning")
def test_row_60_exact_tests_on_bundled_data() -> None:
    for name, found in bundled_tests().items():
        figures, test = COMPARISON["tests"][name], found.iloc[0]
        assert_allclose(test["statistic"], figures["statistic"], rtol=1e-7)
        assert_same_share(test["p_value"], figures["p_value"], 100_000)
        share = test["p_value"]
        assert_allclose(test["p_value_se"], np.sqrt(share * (1.0 - share) / N_SIM))
        assert test["method"] == ("REML" if name.endswith("rlrt") else "ML")
        assert test["refitted"] == name.endswith(("_lrt", "_fixed"))


def test_the_other_models_can_be_left_to_the_function() -> None:
    pastes = load_pastes()
    full = mixedlm("strength ~ 1 + (1 | sample) + (1 | batch)", pastes)
    named = exact_rlrt(full, term="(1 | batch)", random_state=0)
    given = exact_rlrt(
        mixedlm("strength ~ 1 + (1 | batch)", pastes),
        full,
        mixedlm("strength ~ 1 + (1 | sample)", pastes),
        random_state=0,
    )
    pd.testing.assert_frame_equal(named, given)


@pytest.mark.filterwarnings("ignore::skmixed.SingularFitWarning")
def test_a_variance_of_zero_has_p_value_one() -> None:
    test = exact_rlrt(mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2()), n_sim=100).iloc[0]
    assert test["statistic"] == 0.0
    assert test["p_value"] == test["p_value_upper"] == 1.0


@pytest.mark.parametrize(("n_groups", "n_residual"), [(5, 29), (17, 178), (199, 1198)])
def test_mass_at_zero_of_balanced_groups(n_groups: int, n_residual: int) -> None:
    # With equal eigenvalues the ratio is 0 where the mean square between groups is not above that
    # within: an F distribution.
    mu = np.full(n_groups, 3.0)
    spectrum = Spectrum(mu, mu, n_residual, n_residual)
    draws = simulate_likelihood_ratio(spectrum, N_SIM, np.random.default_rng(0))
    exact = stats.f.cdf(1.0, n_groups, n_residual - n_groups)
    assert_allclose((draws == 0.0).mean(), exact, atol=4.0 * np.sqrt(0.25 / N_SIM))


@pytest.mark.parametrize("n_groups", [5, 60])
def test_supremum_of_balanced_groups(n_groups: int) -> None:
    # The ratio is then a function of b, the share of the groups in the sum of squares.
    nu, n_sim = 4 * n_groups, 2000
    mu = np.ones(n_groups)
    draws = simulate_likelihood_ratio(Spectrum(mu, mu, nu, nu), n_sim, np.random.default_rng(7))
    generator = np.random.default_rng(7)
    w = generator.chisquare(n_groups, size=(n_sim, 1))[:, 0]
    b = w / (w + generator.chisquare(nu - n_groups, size=n_sim))
    exact = np.where(b > n_groups / nu, _ratio_of_balanced_groups(b, n_groups, nu), 0.0)
    assert_allclose(draws, exact, rtol=1e-4, atol=1e-4)


def _ratio_of_balanced_groups(b: np.ndarray, n_groups: int, nu: int) -> np.ndarray:
    """Return nu log(1 / nu) - K log(b / K) - (nu - K) log((1 - b) / (nu - K))."""
    rest = nu - n_groups
    return -nu * np.log(nu) - n_groups * np.log(b / n_groups) - rest * np.log((1.0 - b) / rest)


def test_weights_equal_transformed_rows() -> None:
    rng = np.random.default_rng(1)
    n, g = 60, np.repeat(np.arange(12), 5)
    x, w = rng.normal(size=n), rng.uniform(0.5, 3.0, n)
    y = x + 0.5 * rng.normal(size=12)[g] + rng.normal(size=n) / np.sqrt(w)
    data = pd.DataFrame({"y": y, "x": x, "g": g, "w": w, "root": np.sqrt(w)})
    weighted = exact_rlrt(mixedlm("y ~ x + (1 | g)", data, weights="w"), random_state=0)
    data["y"], data["x_root"] = data["y"] * data["root"], data["x"] * data["root"]
    formula = "y ~ 0 + root + x_root + (0 + root | g)"
    transformed = exact_rlrt(mixedlm(formula, data), random_state=0)
    columns = ["statistic", "p_value"]
    assert_allclose(weighted[columns], transformed[columns], rtol=1e-8)


def test_seeds() -> None:
    results = mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff())
    first = exact_rlrt(results, n_sim=1000, random_state=3)
    pd.testing.assert_frame_equal(first, exact_rlrt(results, n_sim=1000, random_state=3))
    generator = np.random.default_rng(3)
    pd.testing.assert_frame_equal(first, exact_rlrt(results, n_sim=1000, random_state=generator))


def test_no_draw_as_large_still_says_something() -> None:
    results = mixedlm("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
    test = exact_rlrt(results, n_sim=1000, random_state=0).iloc[0]
    assert test["p_value"] == test["p_value_se"] == 0.0
    assert_allclose(test["p_value_upper"], 1.0 - 0.025 ** (1.0 / 1000.0))


def test_what_cannot_be_tested() -> None:
    sleepstudy, pastes = load_sleepstudy(), load_pastes()
    several = mixedlm("strength ~ 1 + (1 | batch/cask)", pastes)
    with pytest.raises(ValueError, match="must have one random term, got 2"):
        exact_rlrt(several)
    with pytest.raises(ValueError, match="no random term 'batch'"):
        exact_rlrt(several, term="batch")
    with pytest.raises(ValueError, match="3 variance parameters"):
        exact_rlrt(mixedlm("Reaction ~ Days + (Days | Subject)", sleepstudy))
    one = mixedlm("strength ~ 1 + (1 | batch)", pastes)
    with pytest.raises(ValueError, match="full and null together"):
        exact_rlrt(one, several)
    with pytest.raises(ValueError, match="either term"):
        exact_rlrt(several, one, one, term="(1 | batch)")
    with pytest.raises(ValueError, match="same fixed effects"):
        exact_rlrt(one, several, mixedlm("strength ~ cask + (1 | sample)", pastes))
    with pytest.raises(ValueError, match="no random effects"):
        exact_lrt(one, one)
    with pytest.raises(ValueError, match="n_sim must be"):
        exact_rlrt(one, n_sim=0)
