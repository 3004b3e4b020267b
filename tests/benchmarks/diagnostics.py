"""Time the diagnostics of many groups against the fit that they belong to.

Run as ``python diagnostics.py SECONDS GROUPS``: one line of JSON, median seconds by function. The
rows, 1 to 19 for each group, are simulated with a random slope and two covariates.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
import pandas as pd
from measure import warm

from skmixed import mixedlm
from skmixed.inference.diagnostics.deletion import group_influence
from skmixed.inference.diagnostics.row_diagnostics import cooks_distance, leverage, residuals
from skmixed.inference.diagnostics.sandwich import robust_covariance

FORMULA = "y ~ x + z + (x | g)"


def simulated(n_groups: int) -> pd.DataFrame:
    """Return rows of so many groups."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(n_groups), rng.integers(1, 20, n_groups))
    x, z, e = rng.normal(size=(3, len(groups)))
    intercepts, slopes = rng.normal(size=(2, n_groups))
    y = 1.0 + x + 0.2 * z + intercepts[groups] + 0.5 * slopes[groups] * x + e
    return pd.DataFrame({"y": y, "x": x, "z": z, "g": groups})


def main() -> None:
    """Print the times."""
    room, n_groups = float(sys.argv[1]), int(sys.argv[2])
    data = simulated(n_groups)
    results = mixedlm(FORMULA, data)
    functions: dict[str, Callable[[], object]] = {
        "mixedlm": lambda: mixedlm(FORMULA, data),
        "fit": results.model.fit,
        "group_influence": lambda: group_influence(results),
        "leverage": lambda: leverage(results),
        "cooks_distance": lambda: cooks_distance(results),
        "decorrelated": lambda: residuals(results, kind="decorrelated"),
        "CR0": lambda: robust_covariance(results, kind="CR0").tidy(),
        "CR2": lambda: robust_covariance(results, kind="CR2").tidy(),
    }
    seconds = {name: warm(function, room)[0] for name, function in functions.items()}
    print(json.dumps({"rows": len(data), "groups": n_groups, "seconds": seconds}))


if __name__ == "__main__":
    main()
