"""Generalised linear mixed models as a regressor: counts, proportions, positive amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pandas.api.types import infer_dtype
from sklearn.base import clone

from skmixed.estimators.generalised_model import inflated_family, outcome_of
from skmixed.estimators.learning import all_or_nothing, forget_columns
from skmixed.estimators.response_predictions import ResponsePredictor
from skmixed.families.base import Family
from skmixed.fitting.glmm_model import GLMMModel

__all__ = ["MixedGLM"]

FloatArray = NDArray[np.float64]


class MixedGLM(ResponsePredictor):
    """Fit a generalised linear mixed model: counts, proportions, positive amounts.

        g(E[y | b]) = X beta + Z b + offset,  b ~ N(0, Psi)

    with a link g and a distribution of y from a family, by maximum likelihood. Random effects are
    integrated out by Laplace's approximation, or by adaptive Gauss-Hermite quadrature.

    Parameters
    ----------
    groups : str, int, list of these, or callable, optional
        Columns of X that hold the labels of groups, as in ``MixedLM``. By default they are passed
        to fit, as an array or as a data frame with a column for each factor.
    family : str, Distribution, or family of statsmodels, default="gaussian"
        Distribution of the response given the random effects: "binomial", "poisson",
        "negative_binomial" (variance mu + alpha mu^2), "negative_binomial_1" (variance mu (1 +
        alpha)), "gamma", "inverse_gaussian", "beta" or "gaussian".
    link : str, Link, or link of statsmodels, optional
        What turns the mean into the linear predictor, such as "log" or "probit"; by default that of
        the family.
    random_slopes : str, int, list of these, callable, or dict, optional
        Columns of X whose coefficients vary from group to group; they stay among the fixed
        effects. A dict gives the columns of each factor by its name.
    random_intercept : bool, default=True
        Whether the intercept varies from group to group.
    covariance : str, CovarianceStructure, or dict, default="unstructured"
        Covariance of the effects of a group, as in ``MixedLM``.
    formula : str, optional
        lme4's language, ``"y ~ x + offset(log(t)) + (1 + x | g)"``; X is then a data frame, and the
        arguments above but for family and link are left alone. A binomial response may be
        ``successes / trials`` or ``cbind(successes, failures)``.
    zero_inflation : str, optional
        A formula of columns of X without a response, ``"~ 1"`` or ``"~ 1 + x"``: the logit of the
        probability that a count is 0 whatever its mean. X is then a data frame.
    dispersion : str, optional
        A formula of columns of X without a response, ``"~ x"``, for the logarithm of the
        dispersion, in glmmTMB's convention; by default the dispersion is the same in all rows.
    fit_intercept : bool, default=True
        Whether the fixed effects have an intercept; a formula says it itself.
    include_random_effects : bool or list of str, default=True
        Whether predictions use the random effects of known groups, or of which factors.
    unseen_groups : {"population", "error"}, default="population"
        What becomes of a label that was not fitted: a group of which nothing is known, or an error.
    missing_groups : {"error", "population"}, default="error"
        What becomes of a missing label when predicting. Fit always refuses it.
    average : bool, default=True
        Whether the predicted mean is averaged over what is not known of a group's effects: over
        their distribution given the data for groups that were fitted, and over all groups for
        others. Else the most likely effects are plugged in, and 0 for groups that were not fitted:
        the mean of a typical group.
    n_quadrature : int, default=1
        Nodes for each random effect of a group; 1 is Laplace's approximation. More need one
        grouping factor, with up to three effects.
    penalty : float or Penalty, optional
        Keeps estimates finite where the data do not: a ridge on the coefficients of standardised
        columns, or a ``Penalty`` with priors of the standard deviations too.
    tol : float, default=1e-8
        Distance from the optimum at which to stop, in standard errors of the parameters.
    max_iter : int, default=500
        Largest number of evaluations of the likelihood.
    solver : {"auto", "direct", "iterative"}, default="auto"
        How several large grouping factors are fitted: exactly, or with traces estimated from random
        probes, as for ``MixedLM``.
    verbose : int, default=0
        1 shows a line for each evaluation of the likelihood.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fixed columns, on the scale of the link.
    intercept_ : float
    dispersion_ : float
        The family's parameter beside the mean, such as alpha of a negative binomial; 1 for
        families without.
    family_ : Distribution or ZeroInflated
    random_effects_, random_effects_sd_, group_coef_ : dict
        Factor to DataFrame, levels x effects.
    variance_components_ : DataFrame
    theta_ : ndarray of shape (n_parameters,)
    log_likelihood_, aic_, bic_ : float
    is_singular_, converged_ : bool
    n_iter_ : int
    results_ : MixedGLMResults
        The fit under statsmodels' names.
    n_features_in_ : int
        Columns of X, that of the labels included.
    feature_names_in_ : ndarray of str

    See Also
    --------
    MixedLogisticRegression : Two classes, as a classifier.
    mixedglm : Formula and data frame to results.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed import MixedGLM
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(np.arange(40), 20)
    >>> X = np.column_stack([rng.normal(size=800), groups])
    >>> counts = rng.poisson(np.exp(0.3 * X[:, 0] + 0.5 * rng.normal(size=40)[groups]))
    >>> model = MixedGLM(groups=1, family="poisson").fit(X, counts)
    >>> model.coef_.round(2), model.predict(X[:2]).round(2)
    (array([0.23]), array([1.09, 1.02]))
    """

    def __init__(
        self,
        groups: Any = None,
        *,
        family: Any = "gaussian",
        link: Any = None,
        random_slopes: Any = None,
        random_intercept: bool = True,
        covariance: Any = "unstructured",
        formula: str | None = None,
        zero_inflation: str | None = None,
        dispersion: str | None = None,
        fit_intercept: bool = True,
        include_random_effects: bool | Sequence[str] = True,
        unseen_groups: str = "population",
        missing_groups: str = "error",
        average: bool = True,
        n_quadrature: int = 1,
        penalty: Any = None,
        tol: float = 1e-8,
        max_iter: int = 500,
        solver: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.groups = groups
        self.family = family
        self.link = link
        self.random_slopes = random_slopes
        self.random_intercept = random_intercept
        self.covariance = covariance
        self.formula = formula
        self.zero_inflation = zero_inflation
        self.dispersion = dispersion
        self.fit_intercept = fit_intercept
        self.include_random_effects = include_random_effects
        self.unseen_groups = unseen_groups
        self.missing_groups = missing_groups
        self.average = average
        self.n_quadrature = n_quadrature
        self.penalty = penalty
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.verbose = verbose

    @all_or_nothing
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> MixedGLM:
        """Fit the model.

        If it fails or is interrupted, the estimator stays as it was before.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            Fixed effects, and the column of labels if ``groups`` in the constructor names one.
        y : array-like of shape (n,), optional
            The response; a formula may name it instead, as a column of X. With a binomial family
            proportions of successes, whose numbers of trials are ``sample_weight``, or 0 and 1.
        groups : array-like of shape (n,), optional
            Labels of any type, if the constructor names no column for them.
        sample_weight : array-like of shape (n,), optional
            How many times each row counts, or the trials of proportions; a row of weight 0 is
            dropped.
        offset : array-like of shape (n,), optional
            Known parts of the linear predictor, beside those of a formula.
        exposure : array-like of shape (n,), optional
            Time, area or persons at risk, by which the mean is multiplied: the logarithm is added
            to the offset. It needs the log link.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument cannot be used, values are missing, or the family cannot have the
            response.
        """
        forget_columns(self)
        known = {"offset": offset, "exposure": exposure}
        return self.fit_model(self._training_model(X, y, groups, sample_weight, **known))

    def training_model(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        offset: Any = None,
        exposure: Any = None,
    ) -> GLMMModel:
        """Return the model that ``fit`` fits, with its rows: what refits start from.

        The estimator stays as it is.

        Parameters
        ----------
        X, y, groups, sample_weight, offset, exposure
            As for ``fit``.
        """
        known = {"offset": offset, "exposure": exposure}
        return clone(self)._training_model(X, y, groups, sample_weight, **known)

    def _family(self) -> Family:
        """Return the chosen family, with more zeros if there is a formula for them."""
        return inflated_family(self.family, self.link, self.zero_inflation)

    def _numbers(self, y: Any) -> FloatArray:
        """Return the response as finite numbers, or say what takes labels."""
        proportions = outcome_of(self._family()) == "proportions"
        if proportions and infer_dtype(np.ravel(np.asarray(y)), skipna=True) in ("string", "mixed"):
            raise ValueError(
                "y holds labels: expected 0 and 1, or proportions of successes. Use "
                "MixedLogisticRegression, a classifier, or name the labels in a formula."
            )
        return super()._numbers(y)
