"""Selectors of scikit-learn, which read ``coef_`` as one number for each column of X."""

from __future__ import annotations

import sys

__all__ = ["refuse_selectors"]


def refuse_selectors() -> None:
    """Raise ValueError if a selector reads the attribute whose getter calls this function.

    Without a number for the columns of labels it would remove the wrong columns, and say nothing.
    """
    reader = str(sys._getframe(2).f_globals.get("__name__", ""))
    if reader.startswith("sklearn.feature_selection"):
        raise ValueError(
            "Selectors such as RFE and SelectFromModel need a number in coef_ for each column of "
            "X, and columns of labels have none. Name no column of labels in the estimator, and "
            "pass them beside X: RFE(MixedLM()).fit(X, y, groups=labels)."
        )
