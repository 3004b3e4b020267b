"""Simulated data with crossed factors: ratings of films by users, answers of subjects to items."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from skmixed.datasets.common import RandomSource, as_generator, check_beta, check_sigma, pack
from skmixed.datasets.levels import draw_distinct_levels, draw_levels, draw_log_weights


def make_crossed_regression(
    n_samples: int = 1000,
    n_levels: ArrayLike = (50, 20),
    *,
    beta: ArrayLike = (0.0, 1.0),
    re_sd: float | ArrayLike = 1.0,
    sigma: float = 1.0,
    popularity: float | ArrayLike = 0.0,
    unique: bool = False,
    coef: bool = False,
    as_frame: bool = False,
    random_state: RandomSource = None,
) -> Any:
    r"""Generate rows that belong to a level of each of several crossed factors.

    A rating belongs to a user and a film, an answer to a subject and an item. Row :math:`i` has
    the level :math:`g_{fi}` of factor :math:`f` and follows [1]_

    .. math::

        y_i = \beta_0 + \sum_j \beta_j x_{ij} + \sum_f b_{f, g_{fi}} + e_i, \qquad
        b_{fl} \sim N(0, \tau_f^2), \quad e_i \sim N(0, \sigma^2),

    with independent standard normal features :math:`x`. Every level has at least one row. The
    other rows draw the level of each factor on its own, unless ``unique=True`` forbids it.

    Parameters
    ----------
    n_samples : int, default=1000
        Number of rows, at least as many as the levels of the largest factor.
    n_levels : array-like of int of shape (n_factors,), default=(50, 20)
        Number of levels of every factor, labelled from 0.
    beta : array-like of shape (1 + n_features,), default=(0.0, 1.0)
        Intercept, then the slope of each feature: its length sets the number of features.
    re_sd : float or array-like of shape (n_factors,), default=1.0
        Standard deviation :math:`\tau_f` of the effects of the levels, in units of ``y``: of all
        factors, or of each.
    sigma : float, default=1.0
        Standard deviation of the residuals, in units of ``y``.
    popularity : float or array-like of shape (n_factors,), default=0.0
        Skew of all factors, or of each: the level of rank :math:`j = 0, 1, \dots` is drawn with a
        probability proportional to :math:`(j + 1)^{-popularity}`. Ranks are given to the labels at
        random. 0 makes all levels alike, 1 is Zipf's law.
    unique : bool, default=False
        Whether no combination of levels occurs twice, as with ratings: rows that would repeat one
        are drawn again. ``n_samples`` equal to the product of ``n_levels`` gives a complete design.
    coef : bool, default=False
        Whether the true parameters are returned too.
    as_frame : bool, default=False
        Whether the data are returned as one DataFrame.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers. An int gives the same data in every call; a Generator or
        RandomState advances; None takes fresh entropy, never NumPy's global state.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Features. Left out with ``as_frame=True``.
    y : ndarray of shape (n_samples,)
        Response. Left out with ``as_frame=True``.
    groups : ndarray of int32 of shape (n_samples, n_factors)
        Labels, a column for each factor. Left out with ``as_frame=True``.
    frame : pandas.DataFrame
        Columns ``y``, ``x1`` ..., ``group1`` ... Only with ``as_frame=True``, in the place of the
        three arrays.
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, ``re_sd`` (one per factor) and ``sigma``;
        ``random_effects``, a list with the effects :math:`b_f` of every factor, each of shape
        (n_levels[f],). Element ``l`` belongs to the label ``l``.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, a number is out of range, or with ``unique=True`` the
        rows are more than the combinations, or so many and so skewed that hardly a draw is new.

    References
    ----------
    .. [1] Baayen, R. H., Davidson, D. J. and Bates, D. M. (2008). Mixed-effects modeling with
       crossed random effects for subjects and items. Journal of Memory and Language 59(4),
       390-412.

    Examples
    --------
    >>> from skmixed.datasets import make_crossed_regression
    >>> X, y, groups = make_crossed_regression(500, n_levels=[40, 25, 5], random_state=0)
    >>> X.shape, y.shape, groups.shape
    ((500, 1), (500,), (500, 3))

    Ratings of few popular films and of many others, none of them twice by the same user:

    >>> ratings, truth = make_crossed_regression(
    ...     2000, n_levels=[300, 100], re_sd=[0.4, 0.6], popularity=[0.5, 1.0], unique=True,
    ...     coef=True, as_frame=True, random_state=0)
    >>> list(ratings.columns)
    ['y', 'x1', 'group1', 'group2']
    >>> bool(ratings.duplicated(["group1", "group2"]).any())
    False
    >>> [effects.size for effects in truth.random_effects]
    [300, 100]
    """
    generator = as_generator(random_state)
    sizes = _check_levels(n_levels, n_samples, unique=unique)
    skew = _check_per_factor("popularity", popularity, sizes.size)
    truth = Bunch(
        beta=check_beta(beta),
        re_sd=_check_per_factor("re_sd", re_sd, sizes.size),
        sigma=check_sigma(sigma),
    )
    truth.random_effects = [
        sd * generator.standard_normal(size) for sd, size in zip(truth.re_sd, sizes, strict=True)
    ]
    draw = draw_distinct_levels if unique else draw_levels
    groups = draw(n_samples, draw_log_weights(sizes, skew, generator), generator)
    features = generator.standard_normal((n_samples, truth.beta.size - 1))
    y = generator.standard_normal(n_samples)
    y *= truth.sigma
    y += truth.beta[0] + features @ truth.beta[1:]
    for effects, labels in zip(truth.random_effects, groups.T, strict=True):
        y += effects[labels]
    return pack(y, {"x": features}, groups, truth, as_frame=as_frame, coef=coef)


def _check_levels(n_levels: ArrayLike, n_samples: int, *, unique: bool) -> NDArray[np.intp]:
    """Return the number of levels of every factor, each of which n_samples rows can have."""
    sizes = np.asarray(n_levels)
    if sizes.ndim != 1 or sizes.size == 0:
        raise ValueError(
            f"n_levels must be a vector of one integer per factor, got shape {sizes.shape}; [50] "
            "is one factor."
        )
    if not np.issubdtype(sizes.dtype, np.integer) or sizes.min() < 1:
        raise ValueError(f"n_levels must hold integers >= 1, got {sizes.tolist()}.")
    if n_samples < sizes.max():
        raise ValueError(
            f"n_samples must be at least {sizes.max()}, the largest of n_levels, so that every "
            f"level has a row, got {n_samples}."
        )
    if unique and n_samples > math.prod(sizes.tolist()):
        raise ValueError(
            f"n_samples must be at most {math.prod(sizes.tolist())}, the product of n_levels, with "
            f"unique=True, got {n_samples}."
        )
    return sizes.astype(np.intp)


def _check_per_factor(name: str, value: float | ArrayLike, n_factors: int) -> NDArray[np.float64]:
    """Return a number for each factor, none of them negative."""
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.shape not in ((), (n_factors,)):
        raise ValueError(
            f"{name} must be a number or one number for each of the {n_factors} factors, got shape "
            f"{numbers.shape}."
        )
    if not np.all((numbers >= 0) & (numbers < np.inf)):
        raise ValueError(f"{name} must be finite and >= 0, got {numbers.tolist()}.")
    return np.broadcast_to(numbers, (n_factors,)).copy()
