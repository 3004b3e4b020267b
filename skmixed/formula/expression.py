"""One expression of a formula, such as ``np.log(x)``: training and evaluation.

`Expression` follows patsy's factor protocol, so that patsy multiplies and codes expressions without
evaluating them itself. The state of a training holds no rows and none of patsy's environments.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, cast

import numpy as np
import pandas as pd

from skmixed.formula.checks import check_accesses
from skmixed.formula.columns import Columns, unknown_name
from skmixed.formula.functions import FUNCTIONS
from skmixed.formula.identifiers import attribute_key, call_key, python_name, same_name
from skmixed.formula.program import compiled, names_in

__all__ = ["Expression", "resolve", "stateful_class"]


@dataclass(frozen=True, slots=True)
class Expression:
    """Hold the text of one expression; equal texts are equal expressions.

    The methods are patsy's factor protocol; ``state`` is the dict that one training fills.
    """

    code: str

    @property
    def origin(self) -> None:
        """Return no position: messages name the expression itself."""
        return None

    def name(self) -> str:
        """Return the text, after which patsy names the columns."""
        return self.code

    def memorize_passes_needed(self, state: dict[str, Any], eval_env: Any) -> int:
        """Prepare the state; return how many passes over the data the training takes."""
        names, known = names_in(self.code), eval_env.namespace
        stateful = {
            name: transform
            for name in names.called
            if (transform := stateful_class(known[call_key(name)])) is not None
        }
        keys = [
            *names.variables,
            *(call_key(name) for name in names.called if name not in stateful),
            *(attribute_key(name) for name in names.attributed),
        ]
        state["constants"] = {key: known[key] for key in keys if key in known}
        state["stateful"] = frozenset(stateful)
        passes = compiled(self.code, state["stateful"]).passes if stateful else ()
        state["transforms"] = {key: stateful[name]() for calls in passes for key, name, _ in calls}
        return len(passes)

    def memorize_chunk(self, state: dict[str, Any], which_pass: int, data: Columns) -> None:
        """Train the transforms of one pass."""
        for _, _, code in compiled(self.code, state["stateful"]).passes[which_pass]:
            self._run(code, state, data)

    def memorize_finish(self, state: dict[str, Any], which_pass: int) -> None:
        """Finish the transforms of one pass."""
        calls = compiled(self.code, state["stateful"]).passes[which_pass]
        try:
            for key, _, _ in calls:
                state["transforms"][key].memorize_finish()
        except Exception as error:
            raise self._failure(error) from error

    def eval(self, state: dict[str, Any], data: Columns) -> np.ndarray | pd.Categorical:
        """Evaluate the expression on columns; the result has their number of rows."""
        column = names_in(self.code).column
        if column is not None and column in data:
            value: Any = data[column]
        else:
            value = self._run(compiled(self.code, state["stateful"]).evaluation, state, data)
            # Without an index: rows go by position.
            if isinstance(value, pd.Series) and isinstance(value.dtype, pd.CategoricalDtype):
                value = value.array
            elif isinstance(value, (pd.Series, pd.DataFrame)):
                value = value.to_numpy()
        if getattr(value, "dtype", None) is not None and value.dtype.kind in "mM":
            raise ValueError(
                f"The expression {self.code!r} of the formula gives dates or times, which have no "
                "natural unit: expected numbers or categories. Convert it first, for instance "
                "(t - t.min()) / pandas.Timedelta('1D')."
            )
        return value

    def _run(self, code: Any, state: dict[str, Any], data: Columns) -> Any:
        """Run compiled code with the names of this training."""
        names, constants = names_in(self.code), state["constants"]
        # Again for every run: the state of a loaded model is what its file says.
        check_accesses(names.accesses, self.code, constants)
        local = {**constants, **state["transforms"]}
        local |= {name: data[name] for name in names.variables if name not in constants}
        for name in names.attributed:
            if attribute_key(name) not in constants:
                local[attribute_key(name)] = data[name]
        try:
            return eval(code, {}, local)
        except Exception as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> ValueError:
        """Say that this expression cannot be evaluated, and why."""
        what = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        if isinstance(error, NotImplementedError) and "outermost knots" in what:
            what = (
                "some values lie outside of those that were fitted, where this spline is not "
                "defined. State its range as lower_bound= and upper_bound=, or use cr(), which "
                "goes on as a straight line"
            )
        return ValueError(f"The expression {self.code!r} of the formula: {what}.")


def resolve(
    expressions: Iterable[Expression],
    columns: Iterable[Any],
    environment: Mapping[str, Any],
) -> tuple[list[str], dict[str, Any]]:
    """Return the columns that the expressions use, and what their other names mean, by key.

    A column goes before anything else of its name used as a variable, and what is the user's
    before what every formula knows; what is called is never a user's mere variable.
    """
    columns = dict.fromkeys(columns)
    # Never merged: the environment of a notebook is large, and a formula uses few names of it.
    known = ChainMap(cast(dict[str, Any], environment), cast(dict[str, Any], FUNCTIONS))
    variables: dict[str, None] = {}
    constants: dict[str, Any] = {}
    for expression in expressions:
        names = names_in(expression.code)
        for name in names.variables:
            _resolve_variable(name, name, columns, known, variables, constants)
        for name in names.attributed:
            key = attribute_key(name)
            if _is_known(name, known) and isinstance(known[python_name(name)], ModuleType):
                constants[key] = known[python_name(name)]
            else:
                _resolve_variable(name, key, columns, known, variables, constants)
        for name in names.called:
            user_function = environment.get(name)
            if not callable(user_function) and name not in FUNCTIONS:
                raise ValueError(_unknown(name, columns, "a known function"))
            constants[call_key(name)] = (
                user_function if callable(user_function) else FUNCTIONS[name]
            )
    return list(variables), constants


def _resolve_variable(
    name: str,
    key: str,
    columns: Iterable[Any],
    known: Mapping[str, Any],
    variables: dict[str, None],
    constants: dict[str, Any],
) -> None:
    """Note a variable as a column, or else as a constant."""
    if name in columns or same_name(name, columns) is not None:
        variables[name] = None
    elif _is_known(name, known):
        constants[key] = known[python_name(name)]
    else:
        raise ValueError(_unknown(name, columns, "a column of the data nor a known variable"))


def _is_known(name: str, known: Mapping[str, Any]) -> bool:
    """Tell whether the environment or every formula knows a name; never one with an underscore."""
    read = python_name(name)
    return read in known and not read.startswith("_")


def _unknown(name: str, columns: Iterable[Any], what: str) -> str:
    """Say that a name of the formula means nothing."""
    return f"In the formula, {unknown_name(name, columns, what)}"


def stateful_class(value: Any) -> Any:
    """Return the class of a stateful transform, ours or patsy's; None for other functions."""
    if isinstance(value, type) and hasattr(value, "memorize_chunk"):
        return value
    return getattr(value, "__patsy_stateful_transform__", None)
