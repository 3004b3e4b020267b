"""Pickles of trained terms: patsy's objects refuse to be pickled, and are taken apart here."""

from __future__ import annotations

import importlib
import io
import pickle
from types import FunctionType, ModuleType
from typing import Any

__all__ = ["TermsPickler", "TermsUnpickler"]


class TermsPickler(pickle.Pickler):
    """Pickle modules by name and patsy's objects as class and attributes.

    Functions and classes of ``__main__`` are set aside for the pickler outside: joblib's sends
    them to its workers by value.
    """

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol=protocol)
        self.of_main: list[Any] = []

    def persistent_id(self, obj: Any) -> int | None:
        """Return the place of an object that is set aside."""
        if not isinstance(obj, (FunctionType, type)) or obj.__module__ != "__main__":
            return None
        if isinstance(obj, FunctionType):
            _raise_if_unreachable(obj)
        self.of_main.append(obj)
        return len(self.of_main) - 1

    def reducer_override(self, obj: Any) -> Any:
        """Return how to rebuild an object that the plain pickler would refuse."""
        if isinstance(obj, ModuleType):
            return importlib.import_module, (obj.__name__,)
        if isinstance(obj, FunctionType):
            _raise_if_unreachable(obj)
        elif not isinstance(obj, type) and type(obj).__module__.partition(".")[0] == "patsy":
            return object.__new__, (type(obj),), vars(obj)
        return NotImplemented


class TermsUnpickler(pickle.Unpickler):
    """Unpickle with the objects that were set aside."""

    def __init__(self, file: io.BytesIO, of_main: tuple[Any, ...]) -> None:
        super().__init__(file)
        self._of_main = of_main

    def persistent_load(self, pid: Any) -> Any:
        """Return an object that was set aside."""
        return self._of_main[pid]


def _raise_if_unreachable(function: FunctionType) -> None:
    """Raise if a function has no name by which another process could import it."""
    if "<" in function.__qualname__:
        raise pickle.PicklingError(
            f"The formula calls {function.__qualname__!r} of module {function.__module__!r}, which "
            "cannot be pickled: expected a function that can be imported. Define it with 'def' at "
            "the top of a module."
        )
