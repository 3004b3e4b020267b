"""Trained terms as arrays and texts, and back.

patsy's objects refuse to be pickled. They are made again by patsy's constructors, from what
training learned; functions that formulas know are saved by their name.
"""

from __future__ import annotations

import importlib
import pickle
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import pandas as pd
import patsy

from skmixed.formula.expression import Expression, stateful_class
from skmixed.formula.functions import FUNCTIONS
from skmixed.saving.labels import PlainLabels

__all__ = ["restored_terms", "saved_terms"]

Trained = tuple[Expression, dict[str, Any]]


def saved_terms(designs: Sequence[Any], singles: Sequence[Trained]) -> dict[str, Any]:
    """Return what training learned as plain containers."""
    infos = {info.factor: info for design in designs for info in design.factor_infos.values()}
    return {
        "factors": {
            factor.code: {
                "state": _saved_state(info.state),
                "n_columns": info.num_columns,
                "categories": None
                if info.categories is None
                else PlainLabels(pd.Index(info.categories, tupleize_cols=False)),
            }
            for factor, info in infos.items()
        },
        "designs": [_saved_design(design) for design in designs],
        "singles": [(expression.code, _saved_state(state)) for expression, state in singles],
    }


def restored_terms(saved: Mapping[str, Any]) -> tuple[list[Any], list[Trained]]:
    """Return the designs and single expressions that `saved_terms` took apart."""
    infos = {
        Expression(code): _restored_factor(code, factor)
        for code, factor in saved["factors"].items()
    }
    singles = [(Expression(code), _restored_state(state)) for code, state in saved["singles"]]
    return [_restored_design(design, infos) for design in saved["designs"]], singles


def _saved_design(design: Any) -> dict[str, Any]:
    """Return names of columns, and the coding of each term."""
    return {
        "names": list(design.column_names),
        "terms": [
            (
                [factor.code for factor in term.factors],
                [_saved_coding(coding) for coding in codings],
            )
            for term, codings in design.term_codings.items()
        ],
    }


def _restored_design(saved: Mapping[str, Any], infos: Mapping[Expression, Any]) -> Any:
    """Make a design of its terms; designs share what they have in common of the factors."""
    codings: OrderedDict[Any, list[Any]] = OrderedDict(
        (
            patsy.Term([Expression(code) for code in codes]),
            [_restored_coding(coding) for coding in term],
        )
        for codes, term in saved["terms"]
    )
    used = dict.fromkeys(factor for term in codings for factor in term.factors)
    return patsy.DesignInfo(saved["names"], {factor: infos[factor] for factor in used}, codings)


def _saved_coding(coding: Any) -> dict[str, Any]:
    """Return how one product of factors is coded."""
    return {
        "factors": [factor.code for factor in coding.factors],
        "contrasts": [
            (factor.code, contrast.matrix, list(contrast.column_suffixes))
            for factor, contrast in coding.contrast_matrices.items()
        ],
        "n_columns": int(coding.num_columns),
    }


def _restored_coding(saved: Mapping[str, Any]) -> Any:
    """Make the coding of one product of factors."""
    contrasts = {
        Expression(code): patsy.ContrastMatrix(matrix, suffixes)
        for code, matrix, suffixes in saved["contrasts"]
    }
    return patsy.SubtermInfo(
        [Expression(code) for code in saved["factors"]], contrasts, saved["n_columns"]
    )


def _restored_factor(code: str, saved: Mapping[str, Any]) -> Any:
    """Make one factor: numbers in columns, or categories."""
    state = _restored_state(saved["state"])
    if saved["categories"] is None:
        return patsy.FactorInfo(
            Expression(code), "numerical", state, num_columns=saved["n_columns"]
        )
    categories = saved["categories"].index.tolist()
    return patsy.FactorInfo(Expression(code), "categorical", state, categories=categories)


def _saved_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the state of a trained expression, what formulas know by its name alone."""
    known, own = [], {}
    for key, value in state["constants"].items():
        if FUNCTIONS.get(_name(key)) is value:
            known.append(key)
        else:
            own[key] = _saved_constant(value)
    return {
        "known": known,
        "own": own,
        "stateful": sorted(state["stateful"]),
        "transforms": {
            key: _saved_transform(transform) for key, transform in state["transforms"].items()
        },
    }


def _restored_state(saved: Mapping[str, Any]) -> dict[str, Any]:
    """Make the state of a trained expression."""
    known = {key: FUNCTIONS[_name(key)] for key in saved["known"]}
    own = {
        key: value()
        if isinstance(value, partial) and value.func is importlib.import_module
        else value
        for key, value in saved["own"].items()
    }
    return {
        "constants": known | own,
        "stateful": frozenset(saved["stateful"]),
        "transforms": {
            key: _restored_transform(transform) for key, transform in saved["transforms"].items()
        },
    }


def _saved_constant(value: Any) -> Any:
    """Return an object of the user's; a module as the call that imports it."""
    if isinstance(value, ModuleType):
        return partial(importlib.import_module, value.__name__)
    if isinstance(value, FunctionType) and "<" in value.__qualname__:
        raise pickle.PicklingError(
            f"The formula calls {value.__qualname__!r} of module {value.__module__!r}, which "
            "cannot be pickled: expected a function that can be imported. Define it with 'def' at "
            "the top of a module."
        )
    return value


def _saved_transform(transform: Any) -> Any:
    """Return a trained transform; one of patsy's as its name (else its class) and attributes."""
    kind = type(transform)
    if not kind.__module__.startswith("patsy."):
        return transform
    names = [name for name, function in FUNCTIONS.items() if stateful_class(function) is kind]
    return (names[0] if names else kind, vars(transform))


def _restored_transform(saved: Any) -> Any:
    """Make a trained transform."""
    if not isinstance(saved, tuple):
        return saved
    kind, attributes = saved
    kind = stateful_class(FUNCTIONS[kind]) if isinstance(kind, str) else kind
    transform = object.__new__(kind)
    vars(transform).update(attributes)
    return transform


def _name(key: str) -> str:
    """Return the name behind a key of `skmixed.formula.program`."""
    return key.removesuffix("()").removesuffix(".")
