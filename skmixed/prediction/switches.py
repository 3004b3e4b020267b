"""What users choose of a prediction, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skmixed.design.offsets import total_offset
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.formula.columns import n_rows
from skmixed.formula.values import row_numbers
from skmixed.prediction.mixture import VarianceDraws
from skmixed.prediction.predict import Include, Kind
from skmixed.prediction.related import ResidualMemory

__all__ = [
    "PredictionSwitches",
    "RepeatedEstimates",
    "VarianceUncertainty",
    "check_coverage",
    "check_probabilities",
    "read_variance_uncertainty",
]

FloatArray = NDArray[np.float64]
Scale = Literal["response", "link"]

KINDS = ("observation", "mean", "population")
SCALES = ("response", "link")
# Estimates of one model and of one set of rows agree better than this.
SAME = 1e-3


@runtime_checkable
class RepeatedEstimates(Protocol):
    """Estimates of a model from its data and from replicates of them, as ``BootstrapDraws``."""

    @property
    def estimates(self) -> pd.Series:
        """Return the parameters of the fit itself."""

    @property
    def draws(self) -> pd.DataFrame:
        """Return one row for each replicate."""


VarianceUncertainty: TypeAlias = Literal["delta"] | RepeatedEstimates | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSwitches:
    """Hold the arguments that all predictions of new rows share; None is the model's default."""

    groups: Any = None
    include_random_effects: Include | None = None
    kind: Kind = "observation"
    variance_uncertainty: VarianceUncertainty = None
    residual_memory: ResidualMemory = False
    average: bool | None = None
    scale: Scale = "response"
    offset: Any = None
    exposure: Any = None
    trials: Any = None

    def __post_init__(self) -> None:
        """Check the names among them."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {list(KINDS)}, got {self.kind!r}.")
        if self.scale not in SCALES:
            raise ValueError(f"scale must be one of {list(SCALES)}, got {self.scale!r}.")

    def beside_columns(self, X: Any, fit: LMMFit) -> tuple[FloatArray | None, FloatArray | None]:
        """Return what is added to the linear predictor of each row of X, and its trials."""
        if self.offset is None and self.exposure is None and self.trials is None:
            return None, None
        n = n_rows(X)
        offset = total_offset(n, None, self.offset, self.exposure, link=fit.link.name)
        return offset, None if self.trials is None else _checked_trials(self.trials, n)


def check_coverage(coverage: float) -> None:
    """Raise ValueError unless the probability of intervals is one."""
    if not 0.0 < coverage < 1.0:
        raise ValueError(f"coverage must be between 0 and 1, got {coverage!r}.")


def check_probabilities(quantiles: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities as an array; raise ValueError where one is not between 0 and 1."""
    probabilities = np.asarray(quantiles, dtype=np.float64)
    if probabilities.ndim != 1 or not ((probabilities > 0.0) & (probabilities < 1.0)).all():
        raise ValueError(
            f"quantiles must be a sequence of probabilities between 0 and 1, got {quantiles!r}."
        )
    return probabilities


def read_variance_uncertainty(fit: LMMFit, given: Any) -> Literal["delta"] | VarianceDraws | None:
    """Return how the uncertainty of the variances enters predictions."""
    if given is None:
        return None
    if isinstance(given, str) and given == "delta":
        return "delta"
    if not isinstance(given, RepeatedEstimates):
        raise ValueError(
            "variance_uncertainty must be None, 'delta' or the draws of "
            f"skmixed.inference.bootstrap, got {given!r}."
        )
    names = [*fit.theta_names, *fit.rho_names]
    there = [name for name in given.draws if str(name).startswith(("theta[", "rho["))]
    if "sigma" not in given.draws or there != names:
        raise ValueError(
            "variance_uncertainty got draws without the variance parameters of this model. Pass "
            "those of bootstrap(results) of the same model, without a statistic."
        )
    if not np.isclose(float(given.estimates["sigma"]), fit.sigma, rtol=SAME):
        raise ValueError(
            f"variance_uncertainty got draws of a fit with sigma {given.estimates['sigma']:.6g}, "
            f"but that of this fit is {fit.sigma:.6g}. Pass draws of the same fit."
        )
    if given.draws[fit.rho_names].isna().to_numpy().all() and fit.rho_names:
        raise ValueError(
            "variance_uncertainty got draws in which the residual structure has units of its own, "
            "as those of kind='case' or of variances that depend on the fitted values. Pass those "
            "of bootstrap(results, kind='parametric'), or 'delta'."
        )
    converged = given.draws["converged"].to_numpy(dtype=bool)
    values = given.draws.loc[converged, [*names, "sigma"]].to_numpy()
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        raise ValueError("variance_uncertainty got draws none of which has converged.")
    theta, rho = np.split(values[:, :-1], [len(fit.theta)], axis=1)
    return VarianceDraws(theta, values[:, -1], rho)


def _checked_trials(trials: Any, n: int) -> FloatArray:
    """Return numbers of trials, one of 1 or more for each row."""
    numbers = row_numbers(trials, "trials", n)
    wrong = ~((numbers >= 1.0) & (numbers == np.floor(numbers)) & np.isfinite(numbers))
    if wrong.any():
        raise ValueError(
            f"trials must be whole numbers of 1 or more, got {numbers[np.argmax(wrong)]:g} in row "
            f"{int(np.argmax(wrong))}. Leave trials= out for single trials."
        )
    return numbers
