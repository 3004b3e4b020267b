"""Time imports in fresh processes, in turns."""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Mapping

__all__ = ["IMPORTS", "import_seconds"]

IMPORTS = {
    "sklearn.linear_model and pandas": "import sklearn.linear_model, pandas",
    "import skmixed": "import skmixed",
    "skmixed.RandomInterceptRegressor": "import skmixed; skmixed.RandomInterceptRegressor",
    "skmixed.MixedLM": "import skmixed; skmixed.MixedLM",
    "skmixed.mixedlm": "import skmixed; skmixed.mixedlm",
}

_TIMED = """
import time
start = time.perf_counter()
{statement}
print(time.perf_counter() - start)
"""


def import_seconds(python: str, environment: Mapping[str, str], *, rounds: int) -> dict[str, float]:
    """Return the median time of each statement in ``IMPORTS``.

    Parameters
    ----------
    python : str
        The interpreter.
    environment : mapping
        Its environment variables.
    rounds : int
        Processes for each statement, after one that fills the caches of the disk.
    """
    times: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(rounds + 1):
        for name, statement in IMPORTS.items():
            run = subprocess.run(
                [python, "-c", _TIMED.format(statement=statement)],
                env=dict(environment),
                check=True,
                capture_output=True,
                text=True,
            )
            times[name].append(float(run.stdout))
    return {name: statistics.median(found[1:]) for name, found in times.items()}
