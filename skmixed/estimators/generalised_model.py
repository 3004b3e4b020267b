"""The training model of a generalised model: its response, weights, offsets and predictors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.covariance import JointCovariance
from skmixed.design.design import Design
from skmixed.design.offsets import total_offset
from skmixed.design.response import ReadResponse
from skmixed.design.weights import Weights
from skmixed.families.base import Family
from skmixed.fitting.glmm_model import ExtraColumns, GLMMModel

__all__ = ["generalised_model", "outcome_of"]

FloatArray = NDArray[np.float64]


def outcome_of(family: Family) -> str:
    """Return what the responses of a family are: proportions, counts or numbers."""
    if family.name == "binomial":
        return "proportions"
    return "counts" if family.is_discrete else "numbers"


def generalised_model(
    design: Design,
    structures: JointCovariance,
    family: Family,
    response: ReadResponse,
    extra: tuple[ExtraColumns, ...],
    *,
    offset: Any = None,
    exposure: Any = None,
    options: Mapping[str, Any],
) -> GLMMModel:
    """Return a model of the rows that count.

    Parameters
    ----------
    design : Design
        Its response and its weights are not read.
    extra : tuple of ExtraColumns
        One for each of the family's ``extra_names``.
    offset, exposure : array-like of shape (n,), optional
    options : mapping
        Further fields of the model.

    Raises
    ------
    ValueError
        If no row counts, the family cannot have the response, or offsets cannot be used.
    """
    known = total_offset(design.n_rows, design.offset, offset, exposure, link=family.link.name)
    weights, trials = _row_weights(response)
    kept = np.ones(design.n_rows, dtype=bool) if weights is None else weights > 0.0
    if not kept.any():
        raise ValueError("No row is left: every row has weight 0, or no trials.")
    family.check(response.values[kept])
    kind = "precision" if trials else "frequency"
    design = replace(design, response=response.values, offset=known, weights=Weights(weights, kind))
    model = GLMMModel(design, structures, family, extra, trials=trials, **options)
    return model if kept.all() else model.select(kept)


def _row_weights(response: ReadResponse) -> tuple[FloatArray | None, bool]:
    """Return what multiplies the rows' log densities, and whether it counts trials."""
    weights, trials = response.weights, response.trials
    if trials is None or weights is None:
        return response.row_weights, trials is not None
    if not np.isin(weights, (0.0, 1.0)).all():
        raise ValueError(
            f"The response {response.name!r} brings its numbers of trials, and weights= were given "
            "beside them: expected one of them, or weights of 0 and 1, which choose rows. Leave "
            "the weights out, or repeat the rows that count more than once."
        )
    return response.row_weights, True
