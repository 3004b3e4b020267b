"""Warnings that skmixed gives: each names something the user can act on."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from types import FrameType

import sklearn.exceptions

__all__ = [
    "FractionalResponseWarning",
    "GroupDtypeWarning",
    "GroupsNotPassedWarning",
    "InconsistentVersionWarning",
    "NoGroupsWarning",
    "SingularFitWarning",
    "warn_user",
    "warn_user_once_of_each",
]

# Packages whose lines say nothing to the user: this one, and those that call it for the user.
_INSIDE = {"skmixed", "sklearn", "joblib", "pickle", "skops"}


class NoGroupsWarning(UserWarning):
    """Warn that a model was fitted without any group, as ordinary least squares."""


class GroupsNotPassedWarning(UserWarning):
    """Warn that a model fitted with group labels predicts without them."""


class GroupDtypeWarning(UserWarning):
    """Warn that no label was seen in fit and that the type of the labels has changed."""


class SingularFitWarning(UserWarning):
    """Warn that a covariance of random effects is on its boundary, or cannot be estimated."""


class FractionalResponseWarning(UserWarning):
    """Warn that counts are not whole numbers, or that proportions come without their trials."""


class InconsistentVersionWarning(sklearn.exceptions.InconsistentVersionWarning):
    """Warn that a model was saved by another version of skmixed."""

    def __init__(self, message: str) -> None:
        UserWarning.__init__(self, message)

    def __str__(self) -> str:
        return str(self.args[0])


def warn_user(message: str, category: type[Warning]) -> None:
    """Give a warning at the user's line that led to it, be it through tools of scikit-learn."""
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame) in _INSIDE:
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)


def warn_user_once_of_each(found: Iterable[tuple[type[Warning], str]]) -> None:
    """Give warnings that several fits have in common once, at the user's line.

    Parameters
    ----------
    found : iterable of (type of Warning, str)
        Categories and messages, as they were recorded.
    """
    for category, message in dict.fromkeys(found):
        warn_user(message, category)


def _package(frame: FrameType) -> str:
    """Name the package whose code a frame runs."""
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
