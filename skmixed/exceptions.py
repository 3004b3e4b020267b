"""Warnings that skmixed gives: each names something the user can act on."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

__all__ = [
    "GroupDtypeWarning",
    "GroupsNotPassedWarning",
    "NoGroupsWarning",
    "SingularFitWarning",
    "warn_user",
]

_PACKAGE = str(Path(__file__).parent)


class NoGroupsWarning(UserWarning):
    """Warn that a model was fitted without any group, as ordinary least squares."""


class GroupsNotPassedWarning(UserWarning):
    """Warn that a model fitted with group labels predicts without them."""


class GroupDtypeWarning(UserWarning):
    """Warn that no label was seen in fit and that the type of the labels has changed."""


class SingularFitWarning(UserWarning):
    """Warn that a covariance of random effects is estimated on its boundary."""


def warn_user(message: str, category: type[Warning]) -> None:
    """Give a warning at the line outside of this package that led to it.

    Parameters
    ----------
    message : str
    category : type of Warning
    """
    level = 2
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
        level += 1
    warnings.warn(message, category, stacklevel=level)
