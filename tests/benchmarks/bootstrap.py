"""Time 1,000 parametric refits of the sleepstudy slope model in skmixed, lme4 and mixedlm.

Run as ``python tests/benchmarks/bootstrap.py [--mixedlm PYTHON] [--rscript RSCRIPT]``. lme4 and
mixedlm make fewer replicates, and their time is scaled up. A library that is not there is left out.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).parent
FORMULA = "Reaction ~ Days + (Days | Subject)"
REPLICATES = 1000
FEWER = {"skmixed": REPLICATES, "lme4": 100, "mixedlm": 100}


def main() -> None:
    """Time each library in a process of its own and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mixedlm", default=sys.executable, help="interpreter that has mixedlm")
    parser.add_argument("--rscript", default="Rscript")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        print(measured(*given.measure))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sleepstudy.csv"
        importlib.import_module("skmixed.datasets").load_sleepstudy().to_csv(path, index=False)
        script = [str(Path(__file__).resolve()), "--measure"]
        commands = {
            "skmixed": [sys.executable, *script, "skmixed", str(path)],
            "lme4": [given.rscript, str(HERE / "bootstrap_with_lme4.R"), str(path), FORMULA, "100"],
            "mixedlm": [given.mixedlm, *script, "mixedlm", str(path)],
        }
        seconds = {library: seconds_of(library, commands[library]) for library in commands}
    print(f"{REPLICATES} parametric refits of {FORMULA}, REML")
    for library, value in seconds.items():
        if value is not None:
            print(f"{library:8s} {value:9.3f} s  {value / (seconds['skmixed'] or value):7.1f} x")


def seconds_of(library: str, command: list[str]) -> float | None:
    """Return the seconds for all replicates, None if the library is not there."""
    try:
        run = subprocess.run(command, check=True, capture_output=True, text=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        print(f"{library} was left out: {error}")
        return None
    return float(run.stdout.split()[-1]) * REPLICATES / FEWER[library]


def measured(library: str, path: str) -> float:
    """Return the seconds of one bootstrap, the second one in this process."""
    frame = importlib.import_module("pandas").read_csv(path, dtype={"Subject": str})
    refit = {"skmixed": _skmixed, "mixedlm": _mixedlm}[library](frame)
    refit(FEWER[library])
    start = time.perf_counter()
    refit(FEWER[library])
    return time.perf_counter() - start


def _skmixed(frame: object) -> Callable[[int], object]:
    results = importlib.import_module("skmixed").mixedlm(FORMULA, frame)
    bootstrap = importlib.import_module("skmixed.inference.replication.bootstrapping").bootstrap
    return lambda n: bootstrap(results, n, random_state=0)


def _mixedlm(frame: object) -> Callable[[int], object]:
    mixedlm = importlib.import_module("mixedlm")
    model = mixedlm.lmer(FORMULA, frame)
    return lambda n: mixedlm.bootMer(model, nsim=n, seed=0)


if __name__ == "__main__":
    main()
