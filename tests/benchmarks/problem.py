"""One model on one set of rows, as every library is given it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from model import Model

__all__ = ["Answer", "Fit", "Problem", "load_problem", "small_problem"]

# What the stopwatch needs: a call that fits, and one that reads the answer off the fit.
Fit = tuple[Callable[[], Any], Callable[[Any], "Answer"]]


@dataclass(frozen=True)
class Answer:
    """Hold the estimates that libraries are compared by.

    Attributes
    ----------
    log_likelihood : float
    beta : list of float
    sigma : float
    random_sd : list of float
        Standard deviations of the random effects, in any order.
    monte_carlo_error : list of float
        Standard errors that a stochastic solver reports of its estimates; empty from the others.
    """

    log_likelihood: float
    beta: list[float]
    sigma: float
    random_sd: list[float]
    monte_carlo_error: list[float] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Problem:
    """Hold columns y, x0, x1, ... and labels, and say which model is wanted."""

    frame: pd.DataFrame
    model: Model

    @property
    def response(self) -> np.ndarray:
        """Return y."""
        return self.frame["y"].to_numpy()

    @property
    def predictors(self) -> np.ndarray:
        """Return the covariates of the fixed effects, rows x covariates."""
        return self.frame[self.model.predictors].to_numpy()


def load_problem(path: Path, model: Model) -> Problem:
    """Read the columns that ``data.py`` wrote; strings are Python's, with pyarrow or without."""
    pd.set_option("mode.string_storage", "python")
    with path.open("rb") as file:
        return Problem(pd.DataFrame(pickle.load(file)), model)


def small_problem(problem: Problem) -> Problem:
    """Return a problem of the same kind with 200 rows, to pay for imports and first calls."""
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(20), 10)
    frame = pd.DataFrame({name: rng.normal(size=200) for name in problem.model.predictors})
    effects = rng.normal(size=(2, 20))[:, codes]
    frame.insert(0, "y", effects[0] + (1 + effects[1]) * frame["x0"] + rng.normal(size=200))
    for name in problem.model.labels:
        number = pd.api.types.is_integer_dtype(problem.frame[name])
        frame[name] = codes if number else codes.astype(str)
        codes = rng.integers(0, 5, 200)
    return replace(problem, frame=frame)
