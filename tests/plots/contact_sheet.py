"""Draw every display of skmixed.plots in all kinds on one sheet, to be looked at.

Run ``python tests/plots/contact_sheet.py sheet.png``, and name displays to draw only these. A new
display needs an entry in PICTURES, of which a test checks that none is missing.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skmixed import SingularFitWarning, mixedglm, mixedlm, plots
from skmixed.datasets import load_dyestuff2, load_penicillin, load_sleepstudy
from skmixed.residual import AR1, Heterogeneous

__all__ = ["PICTURES", "draw_sheet"]

DPI = 60
GAP, CAPTION, HEADING = 14, 16, 30
WIDTH = 2400


def simulated(n_groups: int, n_rows: int) -> pd.DataFrame:
    """Return rows of groups with long names and an effect of their own on the slope."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(n_groups), n_rows)
    x = rng.normal(size=len(codes))
    intercepts, slopes = rng.normal(size=(2, n_groups)) * [[1.0], [0.5]]
    y = 1.0 + intercepts[codes] + (2.0 + slopes[codes]) * x + rng.normal(size=len(codes))
    names = np.array([f"a municipality of a long name {i}" for i in range(n_groups)])
    return pd.DataFrame({"y": y, "x": x, "municipality": names[codes]})


def outcomes() -> pd.DataFrame:
    """Return a yes or no and a count in each of 1,500 rows of 50 groups."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"g": np.arange(1500) % 50, "x": rng.normal(size=1500)})
    eta = 0.8 * data["x"] + 1.2 * rng.normal(size=50)[data["g"]]
    data["bought"] = rng.random(1500) < 1.0 / (1.0 + np.exp(-eta))
    data["visits"] = rng.poisson(np.exp(0.5 + 0.5 * eta) * rng.gamma(2.0, 0.5, 1500))
    return data


@cache
def fitted(name: str) -> Any:
    """Return results: sleep, ar1, crossed, five (groups), many (5,000 groups) or singular.

    Generalised models are called by their response: bought (yes or no) or visits (counts).
    """
    if name in ("bought", "visits"):
        family = "binomial" if name == "bought" else "poisson"
        return mixedglm(f"{name} ~ x + (1 | g)", outcomes(), family=family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SingularFitWarning)
        if name == "sleep":
            return mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        if name == "ar1":
            data = load_sleepstudy()
            data["half"] = np.where(data["Days"] < 5, "first half", "second half")
            residual = AR1(time="Days") * Heterogeneous(by="half")
            return mixedlm("Reaction ~ Days + (1 | Subject)", data, residual=residual)
        if name == "crossed":
            return mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
        if name == "singular":
            return mixedlm("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
        n_groups, n_rows = (5, 12) if name == "five" else (5000, 6)
        formula = "y ~ x + (1 | municipality)" if name == "five" else "y ~ x + (x | municipality)"
        return mixedlm(formula, simulated(n_groups, n_rows))


@cache
def compared() -> dict[str, Any]:
    """Return models of the sleep study by name."""
    formulas = {
        "intercepts": "Reaction ~ Days + (1 | Subject)",
        "slopes": "Reaction ~ Days + (Days | Subject)",
        "uncorrelated": "Reaction ~ Days + (Days || Subject)",
        "a curved trend": "Reaction ~ Days + I(Days ** 2) + (Days | Subject)",
    }
    return {name: mixedlm(formula, load_sleepstudy()) for name, formula in formulas.items()}


def of(display: str, data: str, **options: Any) -> tuple[str, Callable[[], Any]]:
    """Return caption and call of one picture of a fitted model."""
    words = [data, *(f"{name}={value!r}" for name, value in options.items())]

    def draw() -> Any:
        return getattr(plots, display).from_results(fitted(data), **options)

    return ", ".join(words), draw


def small(display: str, data: str, **options: Any) -> tuple[str, Callable[[], Any]]:
    """Return caption and call of a picture in one of two small axes."""
    caption, _ = of(display, data, **options)

    def draw() -> Any:
        _, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), layout="constrained")
        axes[0].plot([0.0, 1.0])
        return getattr(plots, display).from_results(fitted(data), ax=axes[1], **options)

    return f"{caption}, in the right one of two axes", draw


def comparison(**options: Any) -> tuple[str, Callable[[], Any]]:
    """Return caption and call of a comparison of models."""
    words = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return words, partial(_compare, options)


def _compare(options: dict[str, Any]) -> Any:
    return plots.ModelComparisonDisplay.from_results(compared(), **options)


FOUR = ("five", "sleep", "crossed", "many")
THREE = ("five", "sleep", "many")

# For each display, captions and what draws the picture.
PICTURES: dict[str, list[tuple[str, Callable[[], Any]]]] = {
    "AutocorrelationDisplay": [
        *(of("AutocorrelationDisplay", data) for data in ("ar1", "sleep", "five")),
        of("AutocorrelationDisplay", "ar1", kind="normalised"),
        small("AutocorrelationDisplay", "ar1", kind="pearson"),
    ],
    "BinnedResidualsDisplay": [
        of("BinnedResidualsDisplay", "bought"),
        of("BinnedResidualsDisplay", "visits", by="x", n_bins=15),
        small("BinnedResidualsDisplay", "bought"),
    ],
    "GroupFitDisplay": [
        of("GroupFitDisplay", "bought"),
        *(of("GroupFitDisplay", data) for data in THREE),
        *(of("GroupFitDisplay", data, panels=False) for data in THREE),
        of("GroupFitDisplay", "sleep", levels=["308", "335"]),
        small("GroupFitDisplay", "sleep"),
    ],
    "MarginalCovarianceDisplay": [
        *(of("MarginalCovarianceDisplay", data) for data in FOUR),
        of("MarginalCovarianceDisplay", "sleep", rows=slice(180), correlation=True),
        of("MarginalCovarianceDisplay", "crossed", factor="sample", correlation=True),
        small("MarginalCovarianceDisplay", "five", rows=slice(60)),
    ],
    "ModelComparisonDisplay": [
        comparison(kind="criteria"),
        comparison(kind="criteria", criteria=("aic", "bic", "caic")),
        comparison(kind="coefficients"),
        comparison(kind="coefficients", terms=["Days"]),
    ],
    "PredictionComparisonDisplay": [
        *(of("PredictionComparisonDisplay", data) for data in FOUR),
        small("PredictionComparisonDisplay", "sleep"),
    ],
    "PredictionIntervalDisplay": [
        of("PredictionIntervalDisplay", "visits"),
        *(of("PredictionIntervalDisplay", data) for data in THREE),
        *(of("PredictionIntervalDisplay", data, kind="rows") for data in FOUR),
        small("PredictionIntervalDisplay", "sleep"),
    ],
    "ProbabilityCalibrationDisplay": [
        of("ProbabilityCalibrationDisplay", "bought"),
        of("ProbabilityCalibrationDisplay", "bought", include_random_effects=False, n_bins=15),
        small("ProbabilityCalibrationDisplay", "bought"),
    ],
    "ProfileDisplay": [
        of("ProfileDisplay", "visits"),
        *(of("ProfileDisplay", data) for data in FOUR),
        *(of("ProfileDisplay", data, kind="density") for data in FOUR),
        of("ProfileDisplay", "singular"),
        of("ProfileDisplay", "singular", kind="density"),
        of("ProfileDisplay", "sleep", which="Days"),
        small("ProfileDisplay", "sleep", which="random"),
    ],
    "RandomEffectsDisplay": [
        *(of("RandomEffectsDisplay", data) for data in FOUR),
        of("RandomEffectsDisplay", "sleep", effect="Days"),
        small("RandomEffectsDisplay", "crossed"),
    ],
    "ResidualsDisplay": [
        *(of("ResidualsDisplay", data) for data in ("bought", "visits")),
        of("ResidualsDisplay", "visits", kind="fitted", residual_kind="pearson"),
        *(of("ResidualsDisplay", data) for data in FOUR),
        *(of("ResidualsDisplay", data, kind="groups") for data in FOUR),
        *(of("ResidualsDisplay", data, kind="qq_random") for data in FOUR),
        of("ResidualsDisplay", "singular", kind="qq_random"),
        *(of("ResidualsDisplay", "sleep", kind=kind) for kind in ("fitted", "scale_location")),
        of("ResidualsDisplay", "sleep", kind="qq", residual_kind="response"),
        small("ResidualsDisplay", "sleep"),
    ],
    "RootogramDisplay": [
        of("RootogramDisplay", "visits"),
        of("RootogramDisplay", "visits", average=True, max_count=12),
        small("RootogramDisplay", "visits"),
    ],
    "SemivariogramDisplay": [
        *(of("SemivariogramDisplay", data) for data in ("ar1", "sleep", "five")),
        of("SemivariogramDisplay", "ar1", residual_kind="normalised"),
        small("SemivariogramDisplay", "ar1"),
    ],
    "ShrinkageDisplay": [
        *(
            of("ShrinkageDisplay", data, kind=kind)
            for kind in ("arrow", "density", "lines", "scatter")
            for data in FOUR
            if kind != "lines" or data in ("sleep", "many")
        ),
        small("ShrinkageDisplay", "sleep"),
    ],
    "SpreadByStratumDisplay": [
        of("SpreadByStratumDisplay", "ar1"),
        of("SpreadByStratumDisplay", "sleep", by="Days"),
        of("SpreadByStratumDisplay", "five", by="x"),
        small("SpreadByStratumDisplay", "five", by="x"),
    ],
    "TrajectoriesDisplay": [
        *(of("TrajectoriesDisplay", data) for data in THREE),
        of("TrajectoriesDisplay", "sleep", highlight=["308", "309"]),
        small("TrajectoriesDisplay", "sleep"),
    ],
}


def draw_sheet(path: str, names: list[str]) -> None:
    """Write one picture with all kinds of some displays.

    Parameters
    ----------
    path : str
    names : list of str
        Of displays; all of ``skmixed.plots`` where there are none.
    """
    pictures: list[tuple[int, int, Any, str]] = []
    y = 0
    for name in names or sorted(plots.__all__):
        pictures.append((0, y, None, name))
        x, y, lowest = 0, y + HEADING, y + HEADING
        for caption, draw in PICTURES[name]:
            image = _drawn(draw())
            height, width = image.shape[:2]
            if x and x + width > WIDTH:
                x, y = 0, lowest + GAP
            pictures.append((x, y, image, caption))
            x, lowest = x + width + GAP, max(lowest, y + CAPTION + height)
        y = lowest + 2 * GAP
    _write(path, pictures, y)


def _drawn(display: Any) -> Any:
    """Return a figure as pixels, and close it."""
    figure = display.figure_
    figure.set_dpi(DPI)
    figure.canvas.draw()
    image = np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()
    plt.close(figure)
    return image


def _write(path: str, pictures: list[tuple[int, int, Any, str]], height: int) -> None:
    """Write pictures at their places, counted from the top."""
    width = max(x + (0 if image is None else image.shape[1]) for x, _, image, _ in pictures)
    sheet = plt.figure(figsize=(width / 100.0, height / 100.0), dpi=100, facecolor="#E4E4E4")
    for x, y, image, text in pictures:
        heading = image is None
        sheet.text(
            (x + 2) / width,
            1.0 - (y + 2) / height,
            text,
            va="top",
            fontsize=15 if heading else 7,
            fontweight="bold" if heading else "normal",
        )
        if not heading:
            sheet.figimage(image, x, height - y - CAPTION - image.shape[0])
    sheet.savefig(path, dpi=100, facecolor=sheet.get_facecolor())
    plt.close(sheet)


if __name__ == "__main__":
    mpl.use("Agg")
    draw_sheet(sys.argv[1] if len(sys.argv) > 1 else "contact_sheet.png", sys.argv[2:])
