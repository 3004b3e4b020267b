"""Formula and data frame to results of a generalised model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from skmixed.design.weights import Weights
from skmixed.estimators.formula_arguments import values_or_column
from skmixed.estimators.formula_input import train_data
from skmixed.estimators.mixed_lm import formula_structures
from skmixed.families.reading import family_from
from skmixed.fitting.glmm_model import ExtraColumns, GLMMModel
from skmixed.formula import parse_formula
from skmixed.prediction.fitted_model import FittedModel
from skmixed.prediction.kept_rows import KeptRows
from skmixed.results.glmm_results import MixedGLMResults

__all__ = ["mixedglm"]


def mixedglm(
    formula: str,
    data: Any,
    *,
    family: Any = "binomial",
    link: Any = None,
    weights: Any = None,
    n_quadrature: int = 1,
) -> MixedGLMResults:
    """Fit a generalised linear mixed model to a data frame."""
    parsed = parse_formula(formula)
    design, form = train_data(parsed, data)
    structures = formula_structures(parsed, design, form)
    weights = values_or_column(data, weights, "weights")
    if weights is not None:
        design = replace(design, weights=Weights(np.asarray(weights, dtype=float)))
    chosen = family_from(family, link)
    model = GLMMModel(
        design,
        structures,
        chosen,
        tuple(ExtraColumns.constant(design.n_rows) for _ in chosen.extra_names),
        trials=weights is not None and chosen.name == "binomial",
        n_quadrature=n_quadrature,
    )
    fitted = FittedModel(
        model.fit(),
        form,
        KeptRows(model, data, data, weights),
        formula=formula,
        df_method="normal",
    )
    return MixedGLMResults(fitted)
