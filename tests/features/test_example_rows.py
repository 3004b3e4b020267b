"""Rows of the promised features that are told as stories: the scripts of examples/, executed."""

from __future__ import annotations

import ast
import runpy
import warnings
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.metrics import root_mean_squared_error

from skmixed.datasets import load_study, make_speed_dating

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def story(tmp_path_factory) -> Any:
    """Execute an example once, in an empty directory, and return its variables."""
    found: dict[str, dict[str, Any]] = {}

    def run(name: str) -> dict[str, Any]:
        if name not in found:
            with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
                patch.chdir(tmp_path_factory.mktemp(name))
                patch.delenv("SKMIXED_DATA", raising=False)
                warnings.filterwarnings("ignore", "FigureCanvasAgg")
                found[name] = runpy.run_path(str(EXAMPLES / f"{name}.py"))
            plt.close("all")
        return found[name]

    return run


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_example_has_a_title_and_prose(path) -> None:
    text = path.read_text(encoding="utf-8")
    title, underline, blank, *_ = ast.get_docstring(ast.parse(text)).splitlines()
    assert underline == "=" * len(title)
    assert not blank
    assert text.count("\n# %%\n") >= 2


def line(x, y) -> np.ndarray:
    """Return intercept and slope by least squares."""
    return np.linalg.lstsq(np.column_stack([np.ones(len(x)), x]), y, rcond=None)[0]


def test_row_19_least_squares_without_groups(story) -> None:
    told = story("03_pooling")
    expected = line(told["train"]["price"], told["train"]["sales"])
    assert_allclose([told["pooled"].intercept_, *told["pooled"].coef_], expected)
    assert_allclose(told["coefficients"]["pooled"], np.tile(expected, (40, 1)))


def test_row_20_a_dummy_for_each_group(story) -> None:
    told = story("03_pooling")
    train = told["train"]
    centred = train[["price", "sales"]] - train.groupby("shop")[["price", "sales"]].transform(
        "mean"
    )
    slope = centred["price"] @ centred["sales"] / (centred["price"] @ centred["price"])
    means = train.groupby("shop")[["price", "sales"]].mean()
    found = told["coefficients"]["intercept for each"]
    assert_allclose(found[:, 1], slope)
    assert_allclose(found[:, 0], means["sales"] - slope * means["price"])


def test_row_21_a_regression_for_each_group(story) -> None:
    told = story("03_pooling")
    expected = [line(rows["price"], rows["sales"]) for _, rows in told["train"].groupby("shop")]
    assert_allclose(told["coefficients"]["separate"], expected)
    errors = told["table"]["slope"]
    assert (errors.loc["partially pooled"] < errors.loc["separate"]).all()


@pytest.mark.slow
def test_row_52_prediction_is_biased_given_the_groups_and_better(story) -> None:
    told = story("10_biased_and_better")
    theta, blue, blup = (told[name] for name in ("theta", "blue", "blup"))
    variance = told["SIGMA"] ** 2 / told["SIZE"]
    monte_carlo = np.sqrt(variance / told["N_SAMPLES"])
    assert np.abs(np.mean(blue - theta, axis=0)).max() < 5 * monte_carlo
    assert_allclose(np.mean((blue - theta) ** 2), variance, rtol=0.1)
    bias = np.mean(blup - theta, axis=0)
    assert np.corrcoef(bias, theta)[0, 1] < -0.95
    assert np.abs(bias).max() > 10 * monte_carlo
    # With known variances the expected squared error is tau^2 (sigma^2/n) / (tau^2 + sigma^2/n).
    tau2 = told["TAU"] ** 2
    best = tau2 * variance / (tau2 + variance)
    assert best * 0.9 < np.mean((blup - theta) ** 2) < 0.75 * variance
    # Over groups that are drawn anew there is no bias.
    assert abs(told["means"].mean()) < 5 * told["means"].std() / np.sqrt(told["N_SAMPLES"])


def test_row_65_predictions_of_least_squares_and_of_the_mixed_model(story) -> None:
    told = story("04_growth")
    pooled, mixed = told["predicted"].values()
    assert len(np.unique(np.round(pooled, 12))) == 6
    assert root_mean_squared_error(told["y"], mixed) < root_mean_squared_error(told["y"], pooled)
    for panel, predicted in zip(told["panels"], (pooled, mixed), strict=True):
        points = np.asarray(panel.collections[0].get_offsets())
        assert_allclose(points, np.column_stack([predicted, told["y"]]))


@pytest.mark.slow
def test_row_68_a_hierarchical_model_is_recovered(story) -> None:
    told = story("08_cross_level")
    table = told["table"]
    assert table.loc["x:a", "truth"] == 1.5
    assert (np.abs(table["estimate"] - table["truth"]) < 4 * table["se"]).all()
    # More groups help, whatever their size.
    assert (told["errors"].diff().iloc[1:] < 0).all(axis=None)
    assert told["covered"]["(x | school)"] > told["covered"]["(1 | school)"]


@pytest.mark.slow
def test_row_69_table_of_true_and_estimated_slopes(story) -> None:
    told = story("09_true_slopes")
    slopes = told["slopes"]
    assert list(slopes.columns) == ["true", "separate", "mixed"]
    expected = [line(rows["x1"], rows["y"])[1] for _, rows in told["data"].groupby("group")]
    assert_allclose(slopes["separate"], expected)
    assert_allclose(slopes["true"], told["truth"].group_coef[:, 1])
    errors = slopes[["separate", "mixed"]].sub(slopes["true"], axis=0).pow(2).mean()
    assert errors["mixed"] < errors["separate"]


@pytest.mark.slow
def test_row_76_scatter_of_true_against_estimated_slopes(story) -> None:
    told = story("09_true_slopes")
    for panel, name in zip(told["panels"], ("separate", "mixed"), strict=True):
        points = np.asarray(panel.collections[0].get_offsets())
        assert_allclose(points, told["slopes"][["true", name]])


def test_row_78_two_students_and_all_students(story) -> None:
    told = story("04_growth")
    slopes = told["growth"].random_effects["student"]["occasion"]
    assert list(told["pair"].groups) == [slopes.idxmax(), slopes.idxmin()]
    assert len(told["everyone"].groups) == 200


@pytest.mark.slow
def test_row_80_growth_with_autocorrelation_and_unequal_variances(story) -> None:
    told = story("12_correlated_growth")
    assert told["by_sex"].aic < told["equal"].aic - 10
    errors = told["errors"]
    assert errors.loc["girls", "two variances"] < errors.loc["girls", "one variance"]
    assert errors.loc["boys", "two variances"] > errors.loc["boys", "one variance"]
    assert told["aic"].idxmin() == "AR(1), two variances"
    assert_allclose(told["table"]["estimate"], told["table"]["truth"], rtol=0.1)
    spread = told["calibration"].mean()
    assert spread["independent"] > 2
    assert abs(spread["AR(1), two variances"] - 1) < 0.1


@pytest.mark.slow
def test_row_82_forecast_of_a_known_child(story) -> None:
    """Worth most for the next month, and nothing after half a year."""
    rmse = story("12_correlated_growth")["rmse"]
    gain = rmse["line, AR(1)"] / rmse["line and wave"]
    assert gain.iloc[0] > 1.15
    assert abs(gain.iloc[-1] - 1) < 0.05


@pytest.mark.slow
def test_row_81_trial_from_data_to_the_answer(story) -> None:
    told = story("13_clinical_trial")
    answer = told["differences"].iloc[-1]
    assert answer["AVISIT"] == "VIS4"
    assert_allclose(answer[["estimate", "se"]].astype(float), [4.3985, 1.6934], atol=1e-4)
    errors = told["answers"]["se"].astype(float)
    assert errors[["toep", "ar1", "cs"]].max() < 0.75 * errors[["us", "toeph", "ar1h", "csh"]].min()
    simulated = told["simulated"]
    monte_carlo = simulated.std() / np.sqrt(len(simulated))
    assert abs(simulated["model"].mean()) < 4 * monte_carlo["model"]
    assert simulated["t test"].mean() > 4 * monte_carlo["t test"]


@pytest.mark.slow
def test_row_17_decisions_of_crossed_raters_and_partners(story) -> None:
    """The fit finds the parameters of the twin, and knowing who decides is worth most."""
    told = story("14_speed_dating")
    truth = make_speed_dating(coef=True, random_state=0)[1]
    results = told["results"]
    error = (results.params - truth.beta[results.params.index]) / results.bse
    assert error.abs().max() < 3
    limits = told["limits"].set_index("parameter")
    for name, sd in zip(("iid", "partner_id"), truth.re_sd, strict=True):
        lower, upper = limits.loc[f"sd_Intercept|{name}", ["lower", "upper"]]
        assert lower < sd < upper
    loss = told["scores"].summary()["log_loss"].to_numpy()
    assert loss[1] > 1.2 * loss[0]
    assert loss[2] < 1.06 * loss[0]


@pytest.mark.slow
def test_row_85_counts_of_ticks(story) -> None:
    told = story("15_ticks")
    aic = {name: fit.aic for name, fit in told["models"].items()}
    assert aic["Poisson"] > aic["negative binomial"] + 100
    assert abs(aic["negative binomial"] - aic["Poisson, row effects"]) < 5
    ratios = told["ratios"].astype(float)
    width = np.log(ratios["upper"] / ratios["lower"])
    assert_allclose(ratios["estimate"].iloc[:3], 2.0, rtol=0.03)
    assert width["Poisson, no groups"] < 0.3 * width.iloc[:3].min()
    known = told["coverage"].iloc[0]
    assert known["poisson"] < 0.95 < known["negative_binomial"]


@pytest.mark.slow
def test_row_88_averaged_probabilities_are_calibrated(story) -> None:
    told = story("16_calibrated_classifier")
    scores, share = told["scores"], told["y"].mean()
    new, known = scores.loc["new patients"], scores.loc["known patients"]
    assert abs(new.loc["averaged", "mean probability"] - share) < 0.02
    assert new.loc["plugged in", "mean probability"] < share - 0.08
    assert new.loc["plugged in", "log loss"] > new.loc["averaged", "log loss"] + 0.03
    assert abs(new.loc["averaged", "log loss"] - new.loc["no patients", "log loss"]) < 0.01
    assert known.loc["averaged", "log loss"] < known["log loss"].drop("averaged").min()
    costs = told["costs"]
    assert costs["new patients", "plugged in"] > costs["new patients", "no patients"] > 0
    assert costs["known patients", "averaged"] < 0.8 * costs["known patients", "no patients"]


def test_row_79_studies_that_may_not_be_bundled_have_twins_of_their_size() -> None:
    """The other data sets of the row are bundled, or drawn by the two generators."""
    sizes = {
        "pigs": 432,
        "gpa": 1200,
        "pupils": 1000,
        "nurses": 1000,
        "speed_dating": 7092,
        "ticks": 404,
    }
    for name, n_rows in sizes.items():
        frame = load_study(name)
        assert len(frame) == n_rows
        assert "simulated" in frame.attrs["origin"]
