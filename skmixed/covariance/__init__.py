"""Structures for the covariance of random effects."""

from __future__ import annotations

from skmixed.covariance.ar1 import AR1
from skmixed.covariance.base import CovarianceStructure, needs_ordered_effects
from skmixed.covariance.compound_symmetry import CompoundSymmetry
from skmixed.covariance.diagonal import Diagonal
from skmixed.covariance.direct_sum import DirectSum
from skmixed.covariance.identity import Identity
from skmixed.covariance.joint import JointCovariance
from skmixed.covariance.natural import NaturalParameter, ParameterValue
from skmixed.covariance.unstructured import Unstructured

__all__ = [
    "AR1",
    "STRUCTURES",
    "CompoundSymmetry",
    "CovarianceStructure",
    "Diagonal",
    "DirectSum",
    "Identity",
    "JointCovariance",
    "NaturalParameter",
    "ParameterValue",
    "Unstructured",
    "covariance_structure",
    "needs_ordered_effects",
]

STRUCTURES: dict[str, CovarianceStructure] = {
    "unstructured": Unstructured(),
    "diagonal": Diagonal(),
    "identity": Identity(),
    "compound_symmetry": CompoundSymmetry(),
    "ar1": AR1(),
}
_ALIASES = {"us": "unstructured", "diag": "diagonal", "cs": "compound_symmetry"}


def covariance_structure(specification: str | CovarianceStructure) -> CovarianceStructure:
    """Return the structure that a name or an object stands for."""
    if isinstance(specification, str):
        name = _ALIASES.get(specification, specification)
        if name in STRUCTURES:
            return STRUCTURES[name]
        raise ValueError(
            f"Unknown covariance structure {specification!r}: expected one of "
            f"{sorted(STRUCTURES)}, or an object of skmixed.covariance."
        )
    if isinstance(specification, type) or not isinstance(specification, CovarianceStructure):
        raise TypeError(
            f"covariance must be one of {sorted(STRUCTURES)}, or an object such as "
            f"skmixed.covariance.Diagonal(), got {specification!r}."
        )
    return specification
