"""Methods by which an estimator learns: they change it when they succeed, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

__all__ = ["all_or_nothing", "forget_columns"]

P = ParamSpec("P")
Estimator = TypeVar("Estimator")


def all_or_nothing(
    method: Callable[Concatenate[Estimator, P], Any],
) -> Callable[Concatenate[Estimator, P], Estimator]:
    """Make a method that learns leave its estimator as it was, should it fail or be interrupted.

    It runs on a shallow copy, whose attributes the estimator takes over by a single assignment, so
    that it never has the columns of one fit with the coefficients of another.
    """

    @wraps(method)
    def learn(estimator: Estimator, /, *args: P.args, **kwargs: P.kwargs) -> Estimator:
        learner: Estimator = object.__new__(type(estimator))
        vars(learner).update(vars(estimator))
        method(learner, *args, **kwargs)
        estimator.__dict__ = vars(learner)
        return estimator

    return learn


def forget_columns(estimator: Any) -> None:
    """Forget the columns of an earlier fit, which those of the next one need not replace."""
    for name in ("n_features_in_", "feature_names_in_"):
        vars(estimator).pop(name, None)
