"""What users choose of a prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skmixed.prediction.new_columns import Include
from skmixed.prediction.predict import Kind
from skmixed.prediction.related import ResidualMemory
from skmixed.prediction.uncertainty import Scale, VarianceUncertainty, check_kind, check_scale

__all__ = ["PredictionSwitches"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionSwitches:
    """Hold the arguments that all predictions of new rows share.

    Attributes
    ----------
    include_random_effects : bool, str, sequence of str or None
        None is the default of the model, as it is for ``average``.
    """

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
        check_kind(self.kind)
        check_scale(self.scale)
