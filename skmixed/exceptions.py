"""Warnings that skmixed gives: each names something the user can act on."""

from __future__ import annotations

__all__ = [
    "GroupDtypeWarning",
    "GroupsNotPassedWarning",
    "NoGroupsWarning",
    "SingularFitWarning",
]


class NoGroupsWarning(UserWarning):
    """Warn that a model was fitted without any group, as ordinary least squares."""


class GroupsNotPassedWarning(UserWarning):
    """Warn that a model fitted with group labels predicts without them."""


class GroupDtypeWarning(UserWarning):
    """Warn that no label was seen in fit and that the type of the labels has changed."""


class SingularFitWarning(UserWarning):
    """Warn that a covariance of random effects is estimated on its boundary."""
