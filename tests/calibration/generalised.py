"""Are estimates, intervals and probabilities of generalised models what they claim? Known truth.

    python tests/calibration/generalised.py

prints the tables of docs/calibration.md.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from skmixed import mixedglm
from skmixed.inference import bootstrap, confint

SEED = 20261121
SLOPE, SD = 1.0, 1.0
FORMULA = "y ~ x + (1 | g)"
WHICH = ("x", "sd_Intercept|g")


@dataclass(frozen=True)
class Sampling:
    """How samples of yes and no are drawn: groups, rows of each, and how rare a yes is."""

    n_groups: int
    n_rows: int
    intercept: float

    @property
    def events(self) -> str:
        """Say how often there is a yes."""
        return "balanced" if self.intercept == 0.0 else "rare"

    def draw(self, rng: np.random.Generator) -> pd.DataFrame:
        """Draw a sample, with the probability of each row."""
        g = np.repeat(np.arange(self.n_groups), self.n_rows)
        x = rng.normal(size=len(g))
        b = SD * rng.normal(size=self.n_groups)
        eta = self.intercept + SLOPE * x + b[g]
        y = (rng.random(len(g)) < expit(eta)).astype(float)
        return pd.DataFrame({"y": y, "x": x, "g": g, "probability": expit(eta)})

    def usable(self, rng: np.random.Generator) -> pd.DataFrame:
        """Draw a sample that has both outcomes."""
        while True:
            sample = self.draw(rng)
            if 0 < sample["y"].sum() < len(sample):
                return sample


def bias(sampling: Sampling, n_samples: int, n_quadrature: int) -> dict[str, object]:
    """Return the mean errors of slope and SD, and the coverage of Wald's limits of the slope."""
    rng = np.random.default_rng(SEED)
    slopes, sds, covered = [], [], []
    for _ in range(n_samples):
        results = mixedglm(FORMULA, sampling.usable(rng), n_quadrature=n_quadrature)
        slopes.append(results.params["x"])
        sds.append(np.sqrt(results.fit.random[0].effect_covariance[0, 0]))
        low, high = results.conf_int().loc["x"]
        covered.append(low < SLOPE < high)
    return {
        "groups": sampling.n_groups,
        "rows": sampling.n_rows,
        "events": sampling.events,
        "nodes": n_quadrature,
        "bias of slope": np.mean(slopes) - SLOPE,
        "bias of SD": np.mean(sds) - SD,
        "median of SD": np.median(sds),
        "Wald coverage": np.mean(covered),
    }


def coverage(sampling: Sampling, n_samples: int, n_replicates: int) -> list[dict[str, object]]:
    """Return how often limits hold the slope and the SD: Wald, profile, and bootstrap."""
    rng = np.random.default_rng(SEED)
    held: dict[tuple[str, str], list[bool]] = {}
    for _ in range(n_samples):
        results = mixedglm(FORMULA, sampling.usable(rng))
        tables = {
            method: confint(results, method, WHICH).set_index("parameter")[["lower", "upper"]]
            for method in ("wald", "profile")
        }
        if n_replicates:
            draws = bootstrap(results, n_replicates, random_state=int(rng.integers(2**31)))
            tables["bootstrap"] = draws.conf_int().set_index("parameter")
        for method, table in tables.items():
            for name, truth in zip(WHICH, (SLOPE, SD), strict=True):
                low, high = table.loc[name].iloc[-2:]
                held.setdefault((name, method), []).append(bool(low <= truth <= high))
    return [
        {
            "groups": sampling.n_groups,
            "rows": sampling.n_rows,
            "events": sampling.events,
            "parameter": name,
            "method": method,
            "coverage": np.mean(values),
        }
        for (name, method), values in held.items()
    ]


def probabilities(sampling: Sampling, n_samples: int) -> list[dict[str, object]]:
    """Compare averaged and plugged-in probabilities of new rows, in known groups and new ones."""
    rng = np.random.default_rng(SEED)
    errors: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for _ in range(n_samples):
        both = sampling.usable(rng)
        half = both.groupby("g").cumcount() < sampling.n_rows // 2
        results = mixedglm(FORMULA, both[half])
        strangers = sampling.draw(rng).assign(g=lambda d: d["g"] + 10_000)
        for whose, rows in (("known", both[~half]), ("new", strangers)):
            for how, average in (("averaged", True), ("plugged in", False)):
                p = np.asarray(results.predict(rows, average=average))
                errors.setdefault((whose, how), []).append(_scores(p, rows))
    return [
        {
            "rows": sampling.n_rows // 2,
            "events": sampling.events,
            "groups": whose,
            "probabilities": how,
            "log loss": np.mean([one[0] for one in found]),
            "calibration error": np.mean([one[1] for one in found]),
        }
        for (whose, how), found in errors.items()
    ]


def _scores(p: np.ndarray, rows: pd.DataFrame) -> tuple[float, float]:
    """Return the expected log loss, and how far the means of tenths are from the truth."""
    p = np.clip(p, 1e-12, 1.0 - 1e-12)
    truth = rows["probability"].to_numpy()
    loss = -np.mean(truth * np.log(p) + (1.0 - truth) * np.log1p(-p))
    tenths = pd.qcut(p, 10, duplicates="drop")
    means = pd.DataFrame({"p": p, "t": truth}).groupby(tenths, observed=True).mean()
    error = float((means["p"] - means["t"]).abs().mean())
    return float(loss), error


def shown(rows: list[dict[str, object]]) -> str:
    """Return rows as a table in Markdown."""
    frame = pd.DataFrame(rows).round(3)
    lines = (frame.columns, ["---"] * frame.shape[1], *frame.astype(str).to_numpy())
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n\n"


def main() -> None:
    """Print the tables."""
    warnings.simplefilter("ignore")
    rare = float(np.log(0.05 / 0.95))
    estimates = [
        bias(Sampling(50, n_rows, intercept), 300, nodes)
        for n_rows in (5, 20, 100)
        for intercept in (0.0, rare)
        for nodes in (1, 15)
    ]
    sys.stdout.write(shown(estimates))
    limits = [row for i in (0.0, rare) for row in coverage(Sampling(50, 20, i), 200, 0)]
    sys.stdout.write(shown([*limits, *coverage(Sampling(50, 20, 0.0), 150, 199)[-2:]]))
    calibration = [
        row
        for n_rows in (6, 40)
        for intercept in (0.0, rare)
        for row in probabilities(Sampling(100, n_rows, intercept), 60)
    ]
    sys.stdout.write(shown(calibration))


if __name__ == "__main__":
    main()
