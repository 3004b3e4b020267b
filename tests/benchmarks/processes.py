"""Start the processes that write data and fit models, and read what they report."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cases import Case, Contender
from exit_status import ABSENT, NOT_INSTALLED

__all__ = ["HERE", "Processes", "interpreter"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
R_REPEATS = 20


@dataclass(frozen=True)
class Processes:
    """Know the interpreter of each library, and where data are kept.

    Attributes
    ----------
    folder : Path
        For the data.
    scale : float
        Factor on the numbers of rows and levels.
    seconds : float
        Time for the repetitions of a warm fit.
    limit : float
        Seconds after which a process is stopped.
    interpreters : dict
        Library to interpreter, where it is not this one.
    """

    folder: Path
    scale: float
    seconds: float
    limit: float
    interpreters: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which skmixed is the one of this source tree."""
        return {**os.environ, "PYTHONPATH": str(ROOT)}

    def write(self, case: Case, *, csv: bool) -> Path:
        """Write the rows of a case, unless an earlier case has the same.

        Raises
        ------
        LookupError
            If they are real data that are not there.
        """
        words = [str(size) for size in case.scaled(self.scale)]
        if case.data == "groups":
            words += [f"--covariates={case.model.n_covariates}", *["--slope"] * case.model.slope]
        path = self.folder / ("_".join([case.data, *words]) + ".pickle")
        if not path.exists() or (csv and not path.with_suffix(".csv").exists()):
            try:
                self.python("skmixed", "data.py", case.data, str(path), *words, *["--csv"] * csv)
            except subprocess.CalledProcessError as error:
                if error.returncode == ABSENT:
                    raise LookupError(error.stderr.strip()) from error
                sys.stderr.write(error.stderr)
                raise
        return path

    def measure(self, case: Case, contender: Contender, path: Path) -> dict[str, Any] | str:
        """Return one report, or why there is none."""
        try:
            if contender.library == "lme4":
                return self._measure_lme4(case, path)
            job = {
                "library": contender.library,
                "way": contender.way,
                "path": str(path),
                "model": asdict(case.model),
                "warm": case.warm,
                "seconds": self.seconds,
            }
            return json.loads(self.python(contender.library, "measure.py", json.dumps(job)))
        except FileNotFoundError:
            return "not installed"
        except subprocess.TimeoutExpired:
            return f"over {self.limit:.0f} s"
        except subprocess.CalledProcessError as error:
            if error.returncode == NOT_INSTALLED:
                return "not installed"
            return "failed: " + (error.stderr.strip().splitlines() or ["no message"])[-1]

    def evaluations(self, n_groups: int, sizes: list[int]) -> dict[str, list[float]]:
        """Return the times of the objective for several numbers of rows."""
        words = [str(size) for size in (self.seconds, n_groups, *sizes)]
        return json.loads(self.python("skmixed", "evaluation.py", *words))

    def rscript(self, script: str, *words: str) -> str:
        """Run a script beside this one under R; return its last line.

        Raises
        ------
        FileNotFoundError
            If there is no R.
        """
        rscript = self.interpreters.get("lme4", "Rscript")
        if shutil.which(rscript) is None:
            raise FileNotFoundError(rscript)
        return self._run([rscript, str(HERE / script), *words], dict(os.environ))

    def python(self, library: str, script: str, *words: str) -> str:
        """Run a script beside this one under the library's interpreter; return its last line."""
        python = self.interpreters.get(library, sys.executable)
        environment = self.environment
        if library != "skmixed":
            environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        return self._run([python, str(HERE / script), *words], environment)

    def _measure_lme4(self, case: Case, path: Path) -> dict[str, Any]:
        """Return the report of lme4, which must be told the columns."""
        words = [case.model.formula, case.model.method, str(R_REPEATS if case.warm else 1)]
        return json.loads(self.rscript("with_lme4.R", str(path.with_suffix(".csv")), *words))

    def _run(self, command: list[str], environment: dict[str, str]) -> str:
        """Run a command within the limit; its last line of output is what it reports."""
        run = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=self.limit
        )
        return (run.stdout.strip().splitlines() or [""])[-1]


def interpreter(text: str) -> tuple[str, str]:
    """Split LIBRARY=PATH.

    Raises
    ------
    argparse.ArgumentTypeError
        If there is no equals sign.
    """
    library, found, path = text.partition("=")
    if not found:
        raise argparse.ArgumentTypeError(f"expected LIBRARY=PATH, got {text!r}")
    return library, path
