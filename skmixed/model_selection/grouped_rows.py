"""Rows with their groups, and how the labels reach an estimator, a pipeline or neither."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn import get_config
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.validation import _num_samples, check_consistent_length

from skmixed.design.groups import GroupingFactor, factorise_interaction
from skmixed.design.rows import taken
from skmixed.estimators.columns import column_names, has_columns
from skmixed.estimators.factors import FactorColumns, factor_columns, given_factors
from skmixed.estimators.routing import GroupRoutingMixin
from skmixed.exceptions import SingularFitWarning
from skmixed.formula import parse_formula

__all__ = [
    "GroupedRows",
    "chosen_factor",
    "grouping_factors",
    "innermost",
    "names_columns",
    "takes_labels",
    "wrapped",
]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GroupedRows:
    """Hold rows as an estimator gets them, with labels beside X for one that takes them."""

    X: Any
    y: Any = None
    labels: Any = None
    sample_weight: Any = None

    def __len__(self) -> int:
        return int(_num_samples(self.X))

    def take(self, rows: NDArray[Any]) -> GroupedRows:
        """Return some of the rows."""
        parts = (self.X, self.y, self.labels, self.sample_weight)
        return GroupedRows(*(None if one is None else taken(one, rows) for one in parts))

    def fit_clone(self, estimator: Any) -> Any:
        """Fit a clone to what is a part of the data, whose singular fits are not worth a word."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularFitWarning)
            return self.fit(clone(estimator))

    def fit(self, estimator: Any) -> Any:
        """Fit an estimator to the rows, with their labels if it takes them."""
        parameters = {}
        name = _parameter(estimator, "fit", "groups")
        if self.labels is not None and name is not None:
            parameters[name] = self.labels
        if self.sample_weight is not None:
            parameters[_addressed(estimator, "sample_weight")] = self.sample_weight
        return estimator.fit(self.X, self.y, **parameters)

    def predict(self, fitted: Any, **options: Any) -> Any:
        """Return predictions of a fitted estimator, of known groups if there are labels."""
        return fitted.predict(self.X, **self._labels_for(fitted), **options)

    def predict_proba(self, fitted: Any) -> FloatArray:
        """Return the probabilities of the second class of a fitted classifier."""
        found = fitted.predict_proba(self.X, **self._labels_for(fitted))
        return np.asarray(found[:, 1], dtype=np.float64)

    def predict_interval(self, fitted: Any, coverage: float) -> FloatArray:
        """Return the limits of an estimator or of a pipeline's last step; NaN if it has none."""
        X, last = self.X, fitted
        if isinstance(fitted, Pipeline):
            last = fitted[-1]
            X = fitted[:-1].transform(X) if len(fitted) > 1 else X
        if not hasattr(last, "predict_interval"):
            return np.full((len(self), 2), np.nan)
        return np.asarray(
            last.predict_interval(X, coverage=coverage, **self._labels_for(fitted)),
            dtype=np.float64,
        )

    def _labels_for(self, fitted: Any) -> dict[str, Any]:
        """Return the labels as an argument of predict, if the estimator takes them."""
        if self.labels is None or _parameter(fitted, "predict", "groups") is None:
            return {}
        return {"groups": self.labels}


def innermost(estimator: Any) -> Any:
    """Return the model at the end of a pipeline, or inside a search or another wrapper."""
    while not names_columns(estimator):
        inner = wrapped(estimator)
        if inner is None:
            break
        estimator = inner
    return estimator


def wrapped(estimator: Any) -> Any:
    """Return the last step of a pipeline, the estimator in a wrapper, or else None."""
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    parameters = estimator.get_params(deep=False)
    return parameters.get("estimator", parameters.get("regressor"))


def names_columns(estimator: Any) -> bool:
    """Tell whether an estimator of ours says which columns of X hold the labels."""
    return isinstance(estimator, GroupRoutingMixin) and any(
        getattr(estimator, name, None) is not None for name in ("groups", "formula")
    )


def takes_labels(estimator: Any) -> bool:
    """Tell whether fit and predict of an estimator take labels beside X."""
    return _parameter(estimator, "predict", "groups") is not None


def grouping_factors(estimator: Any, X: Any, groups: Any = None) -> dict[str, GroupingFactor]:
    """Return the grouping factors of the rows by their names.

    The groups are labels, one factor or a data frame of several, or the name of a column of X; by
    default the estimator says which columns of X hold them.
    """
    if groups is None:
        factors, source = _factors_of(estimator, X), X
    elif isinstance(groups, str):
        factors, source = factor_columns(groups, X), X
    else:
        factors, source = _named(given_factors(groups), groups), groups
        check_consistent_length(X, groups)
    return {
        factor.name: factorise_interaction(factor.labels(source), factor.columns)
        for factor in factors
    }


def chosen_factor(name: str, factors: Mapping[str, GroupingFactor]) -> GroupingFactor:
    """Return the factor of that name, or raise ValueError if there is no such one."""
    if name not in factors:
        raise ValueError(f"factor={name!r} is no grouping factor; the factors are {list(factors)}.")
    return factors[name]


def _factors_of(estimator: Any, X: Any) -> list[FactorColumns]:
    """Return the factors whose labels the model finds among the columns of X."""
    model = innermost(estimator)
    if not names_columns(model):
        raise ValueError(
            f"Which rows belong together is not known: {type(model).__name__} names no column of "
            "labels. Pass groups=, an array of labels or the name of a column of X."
        )
    formula, groups = getattr(model, "formula", None), model.groups
    if formula is not None:
        terms = dict.fromkeys(term.factor for term in parse_formula(formula).random)
        if not terms:
            raise ValueError(f"The formula {formula!r} has no groups. Pass groups=.")
        return [_columns_of(term, X) for term in terms]
    several = groups if isinstance(groups, (list, tuple)) else [groups]
    if isinstance(estimator, Pipeline) and not all(isinstance(one, str) for one in several):
        raise ValueError(
            f"groups={groups!r} of {type(model).__name__} are columns of what the steps before it "
            "return, and need not be those of X. Pass groups=, an array of labels or the name of a "
            "column of X."
        )
    return factor_columns(groups, X)


def _columns_of(term: tuple[str, ...], X: Any) -> FactorColumns:
    """Return where the labels of a factor of a formula are."""
    names = column_names(X) or []
    absent = [name for name in term if name not in names]
    if absent:
        raise ValueError(
            f"The formula has the groups {':'.join(term)!r}, but {absent} are no columns of X, "
            f"which has {names}. Pass groups=."
        )
    return FactorColumns(term, tuple(names.index(name) for name in term))


def _named(factors: list[FactorColumns], groups: Any) -> list[FactorColumns]:
    """Give the only factor the name of its Series or column, if it has one."""
    if len(factors) > 1:
        return factors
    name = column_names(groups) if has_columns(groups) else [getattr(groups, "name", None)]
    if not name or name[0] is None or not isinstance(groups, (pd.Series, pd.DataFrame)):
        return factors
    return [FactorColumns((str(name[0]),), factors[0].positions)]


def _parameter(estimator: Any, method: str, name: str) -> str | None:
    """Return the argument by which labels reach the model, None if it takes none."""
    if get_config()["enable_metadata_routing"]:
        return name if get_routing_for_object(estimator).consumes(method, [name]) else None
    last = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, GroupRoutingMixin) or last._groups_are_columns():
        return None
    return _addressed(estimator, name) if method == "fit" else name


def _addressed(estimator: Any, name: str) -> str:
    """Return how an argument of fit reaches the last step of a pipeline."""
    if isinstance(estimator, Pipeline) and not get_config()["enable_metadata_routing"]:
        return f"{estimator.steps[-1][0]}__{name}"
    return name
