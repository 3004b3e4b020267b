"""One model on one set of rows, as every library is given it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Answer", "Fit", "Problem", "load_problem", "small_problem"]

# What the stopwatch needs: a call that fits, and one that reads the answer off the fit.
Fit = tuple[Callable[[], Any], Callable[[Any], "Answer"]]


@dataclass(frozen=True)
class Answer:
    """Hold the estimates that libraries are compared by."""

    log_likelihood: float
    beta: list[float]
    sigma: float


@dataclass(frozen=True, eq=False)
class Problem:
    """Hold columns y, x0, x1, ... and labels g, and say which model is wanted."""

    frame: pd.DataFrame
    slope: bool
    reml: bool

    @property
    def predictors(self) -> list[str]:
        """Name the fixed effects."""
        return [name for name in self.frame.columns if name.startswith("x")]

    @property
    def fixed_formula(self) -> str:
        """Write the fixed part in the language of R."""
        return "y ~ " + " + ".join(self.predictors)

    @property
    def formula(self) -> str:
        """Write the model in the language of lme4."""
        return f"{self.fixed_formula} + ({'1 + x0' if self.slope else '1'} | g)"

    @property
    def method(self) -> str:
        """Name the criterion."""
        return "reml" if self.reml else "ml"


def load_problem(path: Path, *, slope: bool, reml: bool) -> Problem:
    """Read the columns that ``data.py`` wrote; strings are Python's, with pyarrow or without."""
    pd.set_option("mode.string_storage", "python")
    columns = pickle.loads(path.read_bytes())
    return Problem(pd.DataFrame(columns), slope, reml)


def small_problem(problem: Problem) -> Problem:
    """Return a problem of the same kind with 200 rows, to pay for imports and first calls."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(20), 10)
    frame = pd.DataFrame({name: rng.normal(size=200) for name in problem.predictors})
    effects = rng.normal(size=(2, 20))[:, codes]
    frame.insert(0, "y", effects[0] + (1 + effects[1]) * frame["x0"] + rng.normal(size=200))
    labels = codes if pd.api.types.is_integer_dtype(problem.frame["g"]) else codes.astype(str)
    return replace(problem, frame=frame.assign(g=labels))
