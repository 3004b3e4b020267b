"""Logistic regression with random effects, as a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import column_or_1d

from skmixed.design.classes import binary_response, class_weighted
from skmixed.design.response import ReadResponse
from skmixed.estimators.class_predictions import ClassPredictor
from skmixed.estimators.learning import all_or_nothing, forget_columns
from skmixed.families.base import Family
from skmixed.families.reading import family_from
from skmixed.fitting.glmm_model import GLMMModel
from skmixed.formula.values import unmasked

__all__ = ["MixedLogisticRegression"]

FloatArray = NDArray[np.float64]


class MixedLogisticRegression(ClassPredictor):
    """Classify rows of groups: a logistic regression whose effects vary from group to group.

        log(p / (1 - p)) = X beta + Z b,  b ~ N(0, Psi)

    by maximum likelihood. Random effects are integrated out by Laplace's approximation, or by
    adaptive Gauss-Hermite quadrature.

    Parameters
    ----------
    groups : str, int, list of these, or callable, optional
        Columns of X that hold the labels of groups, as in ``MixedLM``. By default they are passed
        to fit, as an array or as a data frame with a column for each factor.
    random_slopes : str, int, list of these, callable, or dict, optional
        Columns of X whose coefficients vary from group to group; they stay among the fixed
        effects. A dict gives the columns of each factor by its name.
    random_intercept : bool, default=True
        Whether the intercept varies from group to group.
    covariance : str, CovarianceStructure, or dict, default="unstructured"
        Covariance of the effects of a group, as in ``MixedLM``.
    formula : str, optional
        lme4's language, ``"y ~ x + (1 + x | g)"``; X is then a data frame, and the arguments above
        are left alone. The response may be left out if y is given to fit.
    link : {"logit", "probit", "cloglog", "loglog", "cauchit"} or Link, default="logit"
        What turns a probability into the linear predictor.
    class_weight : {None, "balanced"} or dict, default=None
        Weights of the classes, as for scikit-learn's classifiers; they multiply
        ``sample_weight``.
    fit_intercept : bool, default=True
        Whether the fixed effects have an intercept; a formula says it itself.
    include_random_effects : bool or list of str, default=True
        Whether predictions use the random effects of known groups, or of which factors.
    unseen_groups : {"population", "error"}, default="population"
        What becomes of a label that was not fitted: a group of which nothing is known, or an error.
    missing_groups : {"error", "population"}, default="error"
        What becomes of a missing label when predicting. Fit always refuses it.
    average : bool, default=True
        Whether probabilities are averaged over what is not known of a group's effects: over their
        distribution given the data for groups that were fitted, and over all groups for others.
        Else the most likely effects are plugged in, and 0 for groups that were not fitted, which
        gives probabilities too near to 0 and 1.
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
    classes_ : ndarray of shape (2,)
        The second is the one whose probability is modelled.
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fixed columns, on the scale of the link: log odds.
    intercept_ : float
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
    MixedGLM : Counts, proportions and positive amounts, as a regressor.
    mixedglm : Formula and data frame to results.

    Notes
    -----
    For more than two classes, wrap it in ``sklearn.multiclass.OneVsRestClassifier``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed import MixedLogisticRegression
    >>> rng = np.random.default_rng(0)
    >>> groups = np.repeat(np.arange(40), 20)
    >>> X = np.column_stack([rng.normal(size=800), groups])
    >>> eta = X[:, 0] + 1.5 * rng.normal(size=40)[groups]
    >>> y = np.where(rng.uniform(size=800) < 1 / (1 + np.exp(-eta)), "yes", "no")
    >>> model = MixedLogisticRegression(groups=1).fit(X, y)
    >>> model.classes_, model.coef_.round(1)
    (array(['no', 'yes'], dtype='<U3'), array([0.9]))

    The probability in a group that was not fitted is averaged over all groups, or that of a typical
    one:

    >>> new = np.array([[2.0, -1.0]])
    >>> model.predict_proba(new).round(2), model.predict_proba(new, average=False).round(2)
    (array([[0.17, 0.83]]), array([[0.14, 0.86]]))
    """

    def __init__(
        self,
        groups: Any = None,
        *,
        random_slopes: Any = None,
        random_intercept: bool = True,
        covariance: Any = "unstructured",
        formula: str | None = None,
        link: Any = "logit",
        class_weight: Any = None,
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
        self.random_slopes = random_slopes
        self.random_intercept = random_intercept
        self.covariance = covariance
        self.formula = formula
        self.link = link
        self.class_weight = class_weight
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
        self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None
    ) -> MixedLogisticRegression:
        """Fit the model.

        If it fails or is interrupted, the estimator stays as it was before.

        Parameters
        ----------
        X : array-like or data frame of shape (n, n_columns)
            Fixed effects, and the column of labels if ``groups`` in the constructor names one.
        y : array-like of shape (n,), optional
            Two classes of any type; a formula may name them instead, as a column of X.
        groups : array-like of shape (n,), optional
            Labels of any type, if the constructor names no column for them.
        sample_weight : array-like of shape (n,), optional
            How many times each row counts; a row of weight 0 is dropped.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument cannot be used, values are missing, or there are not two classes.
        """
        forget_columns(self)
        return self.fit_model(self._training_model(X, y, groups, sample_weight))

    def training_model(
        self, X: Any, y: Any = None, *, groups: Any = None, sample_weight: Any = None
    ) -> GLMMModel:
        """Return the model that ``fit`` fits, with its rows: what refits start from.

        The estimator stays as it is.

        Parameters
        ----------
        X, y, groups, sample_weight
            As for ``fit``.
        """
        return clone(self)._training_model(X, y, groups, sample_weight)

    def _family(self) -> Family:
        """Return the binomial family with the chosen link."""
        return family_from("binomial", self.link)

    def _numbers(self, y: Any) -> FloatArray:
        """Learn the classes, and return them as 0 and 1."""
        self.classes_, codes = binary_response(y)
        return codes

    def _response_to_add(self, X: Any, y: Any, weights: FloatArray | None) -> ReadResponse:
        """Return the response of rows that are added, weighted as their classes."""
        if isinstance(self.class_weight, str):
            raise ValueError(
                "adapt cannot balance classes, whose shares in all rows are not those in the new "
                "ones. Fit with class_weight=None, or a mapping, or fit all rows together."
            )
        return self._weighted(super()._response_to_add(X, y, weights))

    def _added_numbers(self, y: Any) -> FloatArray:
        """Return classes that were fitted as 0 and 1."""
        labels = column_or_1d(unmasked(y), warn=True)
        unknown = ~np.isin(labels, self.classes_)
        if unknown.any():
            raise ValueError(
                f"y holds {labels[np.argmax(unknown)]!r}, which is not one of the classes "
                f"{self.classes_.tolist()} that were fitted."
            )
        return (labels == self.classes_[1]).astype(np.float64)

    def _found_by_formula(self, response: ReadResponse) -> ReadResponse:
        """Learn the classes that a formula found."""
        if response.trials is not None or not np.isin(response.values, (0.0, 1.0)).all():
            raise ValueError(
                f"The response {response.name!r} holds proportions: expected one of two classes in "
                "each row. Use MixedGLM(family='binomial', ...) or mixedglm."
            )
        names = response.labels or (0, 1)
        # One class is refused as in an array.
        _, codes = binary_response(response.values)
        self.classes_ = np.array(names)
        return replace(response, values=codes)

    def _weighted(self, response: ReadResponse) -> ReadResponse:
        """Multiply the weights of rows by those of their classes."""
        weights = class_weighted(
            self.class_weight, self.classes_, response.values, response.weights
        )
        return replace(response, weights=weights)
