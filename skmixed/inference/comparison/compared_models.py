"""Models side by side: are they fitted to the same rows, and what must be fitted again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmixed.design.design import Design
from skmixed.fitting.lmm_fit import LMMFit
from skmixed.inference.comparison.column_spaces import fixed_columns
from skmixed.inference.comparison.compared_families import densities_differ, require_no_penalty
from skmixed.inference.inputs import fitted_model_of, model_of
from skmixed.prediction.fitted_model import FittedModel

__all__ = [
    "ComparedModel",
    "compared_model",
    "compared_models",
    "refitted",
    "require_same_rows",
    "same_fixed_effects",
]

FloatArray = NDArray[np.float64]

REFITS = (None, "ml", "reml")


@dataclass(frozen=True, slots=True, eq=False)
class ComparedModel:
    """Hold one of the models that are compared, perhaps fitted again by another criterion."""

    name: str
    model: Any
    fitted_model: FittedModel
    refitted: bool = False

    @property
    def fit(self) -> LMMFit:
        """Return the fit."""
        return self.fitted_model.fit

    def row(self) -> dict[str, Any]:
        """Return what a table of tests by term says of the model."""
        fit = self.fit
        return {
            "term": self.name,
            "n_parameters": fit.n_parameters,
            "log_likelihood": fit.log_likelihood,
            "aic": fit.aic,
        }

    def by_criterion(self, *, reml: bool) -> ComparedModel:
        """Return the model fitted by REML or ML; itself if it is so already."""
        if self.fit.reml == reml:
            return self
        if reml:
            self.fit.require_gaussian("REML", "compare by maximum likelihood (refit='ml')")
        model = self.model.with_criterion(reml=reml)
        fitted_model = self.fitted_model.refitted(model.fit(), model)
        return replace(self, model=model, fitted_model=fitted_model, refitted=True)

    @property
    def method(self) -> str:
        """Name the criterion."""
        return "REML" if self.fit.reml else "ML"


def compared_models(models: Sequence[Any] | Mapping[str, Any]) -> list[ComparedModel]:
    """Collect models under names: the keys of a mapping, or formulas, or their positions."""
    if isinstance(models, Mapping):
        return [compared_model(str(name), one) for name, one in models.items()]
    compared = [compared_model(f"model {i}", one) for i, one in enumerate(models, 1)]
    formulas = [one.fitted_model.formula for one in compared]
    if None in formulas or len(set(formulas)) < len(formulas):
        return compared
    return [replace(one, name=str(one.fitted_model.formula)) for one in compared]


def compared_model(name: str, fitted: Any) -> ComparedModel:
    """Return a model with its fit; one that is not fitted yet is."""
    model, found = model_of(fitted), fitted_model_of(fitted)
    found.fit.require_likelihood()
    require_no_penalty(found.fit)
    return ComparedModel(name, model, found)


def require_same_rows(models: Sequence[ComparedModel]) -> None:
    """Raise ValueError unless all models have the same response, row by row, and weights.

    Their densities must be of one kind too: those of counts are probabilities, others are not.
    """
    first = models[0]
    for other in models[1:]:
        difference = _difference(first.model.design, other.model.design)
        difference = difference or densities_differ(first.model, other.model)
        if difference is not None:
            raise ValueError(
                f"{first.name!r} and {other.name!r} cannot be compared: {difference}. Likelihoods "
                "are comparable for the same response in the same rows only. Drop the rows with "
                "missing values first, and fit all models to what is left."
            )


def _difference(one: Design, other: Design) -> str | None:
    """Say how the rows of two models differ, None if they do not."""
    if one.n_rows != other.n_rows:
        return f"they have {one.n_rows} and {other.n_rows} rows"
    if not np.array_equal(one.response, other.response):
        ordered = np.array_equal(np.sort(one.response), np.sort(other.response))
        return "their rows are in another order" if ordered else "their responses differ"
    a, b = one.weights, other.weights
    if not (_equal(a.precision, b.precision) and _equal(a.repetitions, b.repetitions)):
        return "their weights differ"
    return None if _equal(a.group_counts, b.group_counts) else "their group weights differ"


def _equal(one: FloatArray | None, other: FloatArray | None) -> bool:
    """Tell whether two sets of weights are the same; None is a weight of 1 for all."""
    if one is None or other is None:
        given = one if other is None else other
        return given is None or bool((given == 1.0).all())
    return np.array_equal(one, other)


def refitted(models: Sequence[ComparedModel], refit: str | None) -> list[ComparedModel]:
    """Return the models fitted by one criterion under which they can be compared.

    None keeps REML where all are REML fits of the same fixed effects, else takes ML.
    """
    if refit not in REFITS:
        raise ValueError(f"refit must be one of {list(REFITS)}, got {refit!r}.")
    same = all(same_fixed_effects(models[0], other) for other in models[1:])
    if refit == "reml" and not same:
        raise ValueError(
            "REML likelihoods of models with different fixed effects are not comparable: each is "
            "that of other contrasts of y. Use refit='ml'."
        )
    reml = refit == "reml" or (refit is None and same and all(one.fit.reml for one in models))
    return [one.by_criterion(reml=reml) for one in models]


def same_fixed_effects(one: ComparedModel, other: ComparedModel) -> bool:
    """Tell whether two models have the same columns of X, in any order.

    Another coding of the same effects changes the constant of REML: it counts as different.
    """
    a, b = (fixed_columns(model.model.design) for model in (one, other))
    # In an order that depends on the values of the columns only.
    a, b = (X[:, np.lexsort(X)] if X.size else X for X in (a, b))
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=1e-12, atol=0.0))
