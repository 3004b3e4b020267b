"""Replicates of a fit: a row of parameters, or a statistic, for each response or model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.parallel import Parallel, delayed

from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.lockstep import LockstepModel, can_step_together
from skmixed.fitting.many_fits import WarmModel, can_start_warm
from skmixed.fitting.model import LMMModel
from skmixed.inference.inputs import refitted_like
from skmixed.inference.replication.parameters import (
    parameter_names,
    values_of_fit,
    values_of_many,
)

__all__ = ["Refitter", "Statistic"]

FloatArray = NDArray[np.float64]
Statistic = Callable[[Any], Any]
Records = dict[str, NDArray[Any]]

# Responses, or models, that one task of a worker fits; and numbers that its responses may have.
TASK, ROOM = 16, 2**24


@dataclass(frozen=True, slots=True, eq=False)
class Refitter:
    """Fit a model again to other responses, or with other groups, and keep what is asked for."""

    fitted: Any
    fit: LMMFit
    model: LMMModel
    statistic: Statistic | None
    n_jobs: int | None
    verbose: int

    @property
    def parameters(self) -> list[str]:
        """Name what a replicate estimates."""
        if self.statistic is None:
            return parameter_names(self.fit)
        return list(_named(self.statistic(refitted_like(self.fitted, self.fit, self.model))))

    def estimates(self) -> pd.Series:
        """Return the parameters, or the statistic, of the fit itself."""
        record = self._record_of(self.fit, self.model)
        return pd.Series({name: float(record[name][0]) for name in self.parameters})

    def of_responses(self, n: int, draw: Callable[[int], FloatArray]) -> pd.DataFrame:
        """Return a row for each of n responses."""
        if self.statistic is None and can_step_together(self.fit):
            together = LockstepModel(self.model, self.fit)
            if together.pays:
                size = min(together.batch, n if not self.verbose else max(1, n // 10))
                batches = (draw(m) for m in _sizes(n, size))
                return self._joined(map(partial(self._many, together), batches), n)
        task: Callable[[FloatArray], Records] = self._one_by_one
        if self.statistic is None and can_start_warm(self.fit):
            task = partial(self._many, WarmModel(self.model, self.fit))
        size = max(1, min(TASK, ROOM // self.model.design.n_rows))
        return self._joined(self._parallel(task, (draw(m) for m in _sizes(n, size))), n)

    def of_models(self, models: Sequence[Callable[[], LMMModel | GLMMModel]]) -> pd.DataFrame:
        """Return a row for each model, made when it is needed."""
        n = len(models)
        parts = (models[i : i + TASK] for i in range(0, n, TASK))
        return self._joined(self._parallel(self._of_models, parts), n)

    def _many(self, many: LockstepModel | WarmModel, responses: FloatArray) -> Records:
        """Fit responses together, and by themselves where that did not converge."""
        fits = many.fit(responses)
        columns = values_of_many(self.fit, fits)
        columns["converged"] = fits.converged.copy()
        for i in np.flatnonzero(~fits.converged):
            model = self.model.with_response(responses[i])
            for name, value in self._record_of(model.fit(), model).items():
                columns[name][i] = value[0]
        return columns

    def _one_by_one(self, responses: FloatArray) -> Records:
        """Fit each response by itself, from the estimates where the search is in all parameters."""
        start = None
        # The search might not come back from the boundary.
        if isinstance(self.fit, GLMMFit) and not self.fit.singular:
            start = self.fit.joint.parameters
        elif self.fit.residual is not None and not self.fit.singular:
            start = np.append(self.fit.convergence.theta, self.fit.residual.rho)
        return self._of_models((partial(self.model.with_response, y) for y in responses), start)

    def _of_models(
        self, made: Iterable[Callable[[], LMMModel | GLMMModel]], start: FloatArray | None = None
    ) -> Records:
        """Make and fit each model."""
        models = (make() for make in made)
        return _stacked([self._record_of(model.fit(start), model) for model in models])

    def _record_of(self, fit: LMMFit, model: LMMModel | GLMMModel) -> Records:
        """Return one row of one fit."""
        named: Mapping[str, Any]
        if self.statistic is not None:
            named = _named(self.statistic(refitted_like(self.fitted, fit, model)))
        else:
            named = values_of_fit(fit, self.fit)
        record = {name: np.array([float(value)]) for name, value in named.items()}
        record["singular"] = np.array([fit.singular])
        record["converged"] = np.array([fit.convergence.converged])
        return record

    def _parallel(self, task: Callable[[Any], Records], parts: Iterable[Any]) -> Iterator[Records]:
        """Run tasks in processes, in order; without n_jobs, here."""
        if self.n_jobs in (None, 1):
            return map(task, parts)
        results: Iterator[Records] = Parallel(n_jobs=self.n_jobs, return_as="generator")(
            delayed(task)(part) for part in parts
        )
        return results

    def _joined(self, records: Iterable[Records], n: int) -> pd.DataFrame:
        """Join the rows of all tasks, and show how far they have come."""
        start, done, found = time.perf_counter(), 0, []
        for record in records:
            found.append(record)
            before, done = done, done + len(record["converged"])
            if self.verbose and (done == n or done * 10 // n > before * 10 // n):
                seconds = time.perf_counter() - start
                sys.stdout.write(f"replicate {done} of {n}, {seconds:.1f} s\n")
                sys.stdout.flush()
        draws = pd.DataFrame(_stacked(found))
        draws.index.name = "replicate"
        return draws


def _sizes(n: int, batch: int) -> list[int]:
    """Split n into batches."""
    return [min(batch, n - first) for first in range(0, n, batch)]


def _stacked(records: Sequence[Records]) -> Records:
    """Join records that have the same names."""
    return {name: np.concatenate([one[name] for one in records]) for name in records[0]}


def _named(statistic: Any) -> dict[str, Any]:
    """Return what a statistic returned as numbers with names."""
    if isinstance(statistic, pd.Series):
        statistic = statistic.to_dict()
    if isinstance(statistic, Mapping):
        return {str(name): value for name, value in statistic.items()}
    values = np.asarray(statistic, dtype=np.float64)
    if values.ndim == 0:
        return {"statistic": values}
    return {f"statistic[{i}]": value for i, value in enumerate(values.ravel())}
