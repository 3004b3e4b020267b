"""Simulated data from a linear mixed model whose parameters are known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from skmixed.datasets.common import (
    RandomSource,
    as_generator,
    check_beta,
    check_sigma,
    draw_effects,
    pack,
)


def make_mixed_regression(
    n_groups: int = 30,
    group_size: int | ArrayLike = 10,
    *,
    beta: ArrayLike = (0.0, 1.0),
    re_cov: ArrayLike = 1.0,
    sigma: float = 1.0,
    group_covariates: int | ArrayLike = 0,
    gamma: ArrayLike | None = None,
    shuffle: bool = True,
    coef: bool = False,
    as_frame: bool = False,
    random_state: RandomSource = None,
) -> Any:
    r"""Generate rows of groups that share a regression, each with deviations of its own.

    Row :math:`i` of group :math:`g` follows the hierarchical model of [1]_

    .. math::

        y_{gi} = c_{g0} + \sum_j c_{gj} x_{gij} + e_{gi}, \qquad
        c_g = \beta + \Gamma a_g + b_g, \qquad
        b_g \sim N(0, G), \quad e_{gi} \sim N(0, \sigma^2),

    with independent standard normal features :math:`x`. The first :math:`k` coefficients, the
    intercept and the slopes of the first :math:`k - 1` features, differ between groups; the others
    are the same in all of them.

    Parameters
    ----------
    n_groups : int, default=30
        Number of groups, labelled 0 to ``n_groups - 1``.
    group_size : int or array-like of int of shape (n_groups,), default=10
        Rows of every group, or of each; 1 makes a singleton.
    beta : array-like of shape (1 + n_features,), default=(0.0, 1.0)
        Mean intercept, then the mean slope of each feature: its length sets the number of features.
    re_cov : float or array-like of shape (k, k), default=1.0
        Covariance :math:`G` of the deviations, in squared units of ``y`` (per unit of a feature); a
        number is the variance of the intercept, and 0 makes groups that do not differ.
    sigma : float, default=1.0
        Standard deviation of the residuals, in units of ``y``.
    group_covariates : int or array-like of shape (n_groups, n_covariates), default=0
        Covariates :math:`a` that are constant within a group: how many to draw from the standard
        normal distribution, or their values. They are the last columns of ``X``.
    gamma : array-like of shape (k, n_covariates), default=None
        Matrix :math:`\Gamma`: what one unit of each group covariate adds to the intercept (first
        row) and to the slopes. All ones by default.
    shuffle : bool, default=True
        Whether the rows of a group are scattered; if False they are contiguous.
    coef : bool, default=False
        Whether the true parameters are returned too.
    as_frame : bool, default=False
        Whether the data are returned as one DataFrame.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers. An int gives the same data in every call; a Generator or
        RandomState advances; None takes fresh entropy, never NumPy's global state.

    Returns
    -------
    X : ndarray of shape (n_rows, n_features + n_covariates)
        Features, then the group covariates. Left out with ``as_frame=True``.
    y : ndarray of shape (n_rows,)
        Response. Left out with ``as_frame=True``.
    groups : ndarray of int of shape (n_rows,)
        Group labels. Left out with ``as_frame=True``.
    frame : pandas.DataFrame
        Columns ``y``, ``x1`` ..., ``a1`` ... (group covariates) and ``group``. Only with
        ``as_frame=True``, in the place of the three arrays.
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, ``gamma``, ``re_cov`` and ``sigma``, in full shape;
        ``group_covariates`` of shape (n_groups, n_covariates); ``random_effects`` of shape
        (n_groups, k), the deviations :math:`b_g`; ``group_coef`` of shape (n_groups,
        1 + n_features), the coefficients :math:`c_g`. Row ``g`` belongs to the label ``g``.

    Raises
    ------
    ValueError
        If an argument has the wrong shape, a size or ``sigma`` is out of range, or ``re_cov`` is
        not a covariance matrix.

    References
    ----------
    .. [1] Raudenbush, S. W. and Bryk, A. S. (2002). Hierarchical Linear Models, 2nd ed. Sage,
       chapter 2.

    Examples
    --------
    >>> from skmixed.datasets import make_mixed_regression
    >>> X, y, groups = make_mixed_regression(n_groups=3, group_size=[1, 2, 4], random_state=0)
    >>> X.shape, y.shape, sorted(groups.tolist())
    ((7, 1), (7,), [0, 1, 1, 2, 2, 2, 2])

    Schools whose level and slope both depend on a covariate of the school:

    >>> frame, truth = make_mixed_regression(
    ...     n_groups=50, beta=[10, 2], re_cov=[[4, 1], [1, 1]], group_covariates=1,
    ...     gamma=[[3], [0.5]], coef=True, as_frame=True, random_state=0)
    >>> list(frame.columns)
    ['y', 'x1', 'a1', 'group']
    >>> truth.group_coef.shape
    (50, 2)
    """
    generator = as_generator(random_state)
    truth = _draw_truth(n_groups, beta, re_cov, sigma, group_covariates, gamma, generator)
    groups = np.repeat(np.arange(n_groups), _check_sizes(group_size, n_groups))
    if shuffle:
        groups = generator.permutation(groups)
    features = generator.standard_normal((groups.size, truth.beta.size - 1))
    intercepts, slopes = truth.group_coef[groups, 0], truth.group_coef[groups, 1:]
    residuals = truth.sigma * generator.standard_normal(groups.size)
    y = intercepts + np.sum(slopes * features, axis=1) + residuals

    matrices = {"x": features, "a": truth.group_covariates[groups]}
    return pack(y, matrices, groups, truth, as_frame=as_frame, coef=coef)


def _draw_truth(
    n_groups: int,
    beta: ArrayLike,
    re_cov: ArrayLike,
    sigma: float,
    group_covariates: int | ArrayLike,
    gamma: ArrayLike | None,
    generator: np.random.Generator,
) -> Bunch:
    """Validate the parameters, and draw the coefficients of every group."""
    if n_groups < 1:
        raise ValueError(f"n_groups must be at least 1, got {n_groups}.")
    sigma = check_sigma(sigma)
    beta = check_beta(beta)
    re_cov = _check_re_cov(re_cov, n_features=beta.size - 1)
    n_effects = len(re_cov)
    A = _draw_group_covariates(group_covariates, n_groups, generator)
    gamma = _check_gamma(gamma, shape=(n_effects, A.shape[1]))
    b = draw_effects(re_cov, n_groups, generator)
    group_coef = np.tile(beta, (n_groups, 1))
    group_coef[:, :n_effects] += A @ gamma.T + b
    return Bunch(
        beta=beta,
        gamma=gamma,
        re_cov=re_cov,
        sigma=sigma,
        group_covariates=A,
        random_effects=b,
        group_coef=group_coef,
    )


def _draw_group_covariates(
    group_covariates: int | ArrayLike, n_groups: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Draw as many group covariates as asked for, or check the given ones."""
    if isinstance(group_covariates, (int, np.integer)):
        if group_covariates < 0:
            raise ValueError(f"group_covariates must be a number >= 0, got {group_covariates}.")
        return generator.standard_normal((n_groups, int(group_covariates)))
    A = np.array(group_covariates, dtype=np.float64)
    if A.ndim != 2 or len(A) != n_groups:
        raise ValueError(
            "group_covariates must be an integer or have one row per group, shape "
            f"({n_groups}, n_covariates), got shape {A.shape}."
        )
    return A


def _check_re_cov(re_cov: ArrayLike, *, n_features: int) -> NDArray[np.float64]:
    """Return the covariance of the random effects as a matrix."""
    G = np.array(re_cov, dtype=np.float64)
    if G.ndim == 0:
        G = G.reshape(1, 1)
    if G.ndim != 2 or G.shape[0] != G.shape[1] or not 1 <= len(G) <= n_features + 1:
        raise ValueError(
            "re_cov must be a variance, or a square matrix for the intercept and the slopes of at "
            f"most {n_features} feature(s), got shape {G.shape}; a longer beta has more features."
        )
    scale = np.abs(G).max()
    if not np.allclose(G, G.T, rtol=0, atol=1e-10 * scale):
        raise ValueError(f"re_cov must be symmetric, got {G.tolist()}.")
    smallest = np.linalg.eigvalsh(G).min()
    if smallest < -1e-10 * scale:
        raise ValueError(
            f"re_cov must have no negative eigenvalue, got {smallest:.3g}; its covariances are "
            "too large for its variances."
        )
    return G


def _check_gamma(gamma: ArrayLike | None, *, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return the effects of the group covariates on the random effects, ones by default."""
    if gamma is None:
        return np.ones(shape)
    matrix = np.array(gamma, dtype=np.float64)
    if matrix.shape != shape:
        raise ValueError(
            "gamma must have one row per random effect and one column per group covariate, shape "
            f"{shape}, got shape {matrix.shape}."
        )
    return matrix


def _check_sizes(group_size: int | ArrayLike, n_groups: int) -> NDArray[np.intp]:
    """Return the number of rows of every group."""
    sizes = np.asarray(group_size)
    if sizes.shape not in ((), (n_groups,)):
        raise ValueError(
            f"group_size must be an integer or one integer for each of the {n_groups} groups, got "
            f"shape {sizes.shape}."
        )
    if not np.issubdtype(sizes.dtype, np.integer) or sizes.min() < 1:
        raise ValueError(f"group_size must hold integers >= 1, got {sizes.tolist()}.")
    return np.broadcast_to(sizes, n_groups)
