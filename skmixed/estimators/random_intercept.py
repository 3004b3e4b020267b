"""The random-intercept regressor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from skmixed.covariance import DirectSum, JointCovariance, Unstructured
from skmixed.design.design import Design
from skmixed.estimators.array_input import ArrayInput, train_arrays
from skmixed.estimators.linear import LinearMixedModel

__all__ = ["RandomInterceptRegressor"]


class RandomInterceptRegressor(LinearMixedModel):
    """Regress on X with an intercept for each group that is drawn from a normal distribution.

        y_ij = intercept + x_ij' coef + b_i + e_ij,  b_i ~ N(0, tau^2),  e_ij ~ N(0, sigma^2 / w_ij)

    for row j of group i (Bates, Maechler, Bolker and Walker 2015). tau^2 is ``group_variance_``,
    sigma^2 is ``residual_variance_``.

    Parameters
    ----------
    groups : str, int, list of one of these, or callable, optional
        Column of X that holds the labels: its name, the end of its name behind ``"__"``, its
        position, or a callable as in ColumnTransformer. By default labels are passed to fit as an
        array.
    fit_intercept : bool, default=True
        Whether the fixed effects have an intercept.
    method : {"reml", "ml"}, default="reml"
        Criterion: restricted or ordinary maximum likelihood.
    include_random_effects : bool, default=True
        Whether predict adds the intercepts of known groups.
    unseen_groups : {"population", "error"}, default="population"
        What predict does with a label that was not fitted.
    missing_groups : {"error", "population"}, default="error"
        What predict does with a missing label (None, NaN, NA, NaT): it is an error, or the row is
        predicted as one of an unseen group. Fit and adapt always refuse it.
    weight_type : {"precision", "frequency", "sampling"}, default="precision"
        Meaning of ``sample_weight``: Var(e) = sigma^2 / weight, the number of times a row counts,
        or the inverse probability of a row in its group being sampled (``group_weight`` is then
        that of the group; needs ``method="ml"``).
    weight_scaling : {"size", "effective", "none"}, default="size"
        What inverse probabilities are scaled to in each group: its number of rows (method A), its
        effective number of rows (method B), or nothing.
    tol : float, default=1e-8
        Distance from the optimum at which to stop, in standard errors of the variance parameters.
    max_iter : int, default=100
        Largest number of evaluations of the likelihood.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fixed columns.
    intercept_ : float
    group_variance_, residual_variance_ : float
    shrinkage_ : Series of length n_levels
        Weight of the group's own mean in its estimate, n_i / (n_i + sigma^2 / tau^2).
    random_effects_ : dict
        Factor to DataFrame of the intercepts' deviations, levels x effects.
    converged_ : bool
    n_iter_ : int
    n_features_in_ : int
        Columns of X, that of the labels included.
    feature_names_in_ : ndarray of str

    See Also
    --------
    MixedLM : With random slopes, other covariances, or a formula.

    Examples
    --------
    >>> from skmixed import RandomInterceptRegressor
    >>> from skmixed.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> model = RandomInterceptRegressor(groups="Subject")
    >>> model = model.fit(data[["Days", "Subject"]], data["Reaction"])
    >>> round(model.intercept_, 2), model.coef_.round(3)
    (251.41, array([10.467]))
    >>> round(model.group_variance_, 1), round(model.residual_variance_, 1)
    (1378.2, 960.5)
    """

    def __init__(
        self,
        groups: Any = None,
        *,
        fit_intercept: bool = True,
        method: str = "reml",
        include_random_effects: bool = True,
        unseen_groups: str = "population",
        missing_groups: str = "error",
        weight_type: str = "precision",
        weight_scaling: str = "size",
        tol: float = 1e-8,
        max_iter: int = 100,
    ) -> None:
        self.groups = groups
        self.fit_intercept = fit_intercept
        self.method = method
        self.include_random_effects = include_random_effects
        self.unseen_groups = unseen_groups
        self.missing_groups = missing_groups
        self.weight_type = weight_type
        self.weight_scaling = weight_scaling
        self.tol = tol
        self.max_iter = max_iter

    @property
    def group_variance_(self) -> float:
        """Variance of the groups' intercepts, 0 without groups."""
        random = self.lmm_fit_.random
        return float(random[0].effect_covariance[0, 0]) if random else 0.0

    @property
    def shrinkage_(self) -> pd.Series:
        """Weight of each group's own mean, n_i / (n_i + sigma^2 / tau^2)."""
        (effects,) = self.lmm_fit_.random
        between = effects.effect_covariance[0, 0] * effects.precision
        total = between + self.lmm_fit_.sigma**2
        values = np.divide(between, total, out=np.zeros_like(between), where=total > 0)
        index = effects.levels.labels.rename(effects.name)
        return pd.Series(values, index=index, name="shrinkage")

    def _design(self, X: Any, y: Any, groups: Any) -> tuple[Design, JointCovariance, ArrayInput]:
        """Return the design with an intercept for each group."""
        design, learned = train_arrays(
            self, X, y, groups, random_slopes=None, random_intercept=True
        )
        if len(design.blocks) > 1:
            raise ValueError(
                f"RandomInterceptRegressor takes one grouping factor, got {len(design.blocks)}: "
                f"{learned.factor_names}. MixedLM takes several."
            )
        one = DirectSum((Unstructured(),), (1,))
        return design, JointCovariance((one,) * len(design.blocks)), learned
