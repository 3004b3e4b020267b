"""The linear mixed model as an estimator: groups and slopes as columns, or a formula."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skmixed.estimators.linear import LinearMixedModel
from skmixed.estimators.residuals import residual_structure
from skmixed.estimators.specification import check_arguments, design_of_formula
from skmixed.fitting.model import LMMModel
from skmixed.formula import ParsedFormula
from skmixed.residual.structure import ResidualStructure

__all__ = ["MixedLM"]


class MixedLM(LinearMixedModel):
    """Fit a linear mixed model: fixed effects, and effects that vary from group to group.

        y = X beta + Z b + e,  b ~ N(0, sigma^2 Lambda Lambda'),  e ~ N(0, sigma^2 W^-1)

    (Bates, Maechler, Bolker and Walker 2015, equations 2 to 4), by restricted or ordinary maximum
    likelihood.

    Parameters
    ----------
    groups : str, int, list of these, or callable, optional
        Columns of X that hold the labels: their names, the ends of their names behind ``"__"``,
        their positions, or a callable as in ColumnTransformer. Each of several is a grouping factor
        of its own; ``"a:b"`` is the factor of the combinations, and ``"a/b"`` (b nested in a)
        means both ``"a"`` and ``"a:b"``. By default labels are passed to fit, as an array or as a
        data frame with a column for each factor.
    random_slopes : str, int, list of these, callable, or dict, optional
        Columns of X whose coefficients vary from group to group; they stay among the fixed
        effects. A dict gives the columns of each factor by its name.
    random_intercept : bool, default=True
        Whether the intercept varies from group to group.
    covariance : str, CovarianceStructure, or dict, default="unstructured"
        Covariance of the effects of a group: "unstructured", "diagonal", "identity",
        "compound_symmetry", "ar1" (without an intercept), or an object of skmixed.covariance; a
        dict gives that of each factor by its name.
    residual : ResidualStructure or str, optional
        Correlations between the rows of a group, and unequal variances: an object of
        skmixed.residual, such as ``AR1(time="visit") * Heterogeneous(by="visit")``, or a text in
        the spelling of mmrm and glmmTMB, such as ``"us(visit | subject)"``. The columns of labels
        that it names are no fixed effects; its times and coordinates are, if they are numbers.
    formula : str, optional
        lme4's language, ``"y ~ x + (1 + x | g)"``; X is then a data frame, and the arguments above
        are left alone. The response may be left out if y is given to fit.
    fit_intercept : bool, default=True
        Whether the fixed effects have an intercept; a formula says it itself.
    method : {"reml", "ml"}, default="reml"
        Criterion: restricted or ordinary maximum likelihood.
    include_random_effects : bool or list of str, default=True
        Whether predict adds the random effects of known groups, or of which factors.
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
    solver : {"auto", "direct", "iterative"}, default="auto"
        How several grouping factors are fitted: exactly, or by conjugate gradients with traces
        estimated from random probes, for factors with too many levels. "auto" is exact unless that
        takes much longer, or more memory than there is.
    verbose : int, default=0
        1 shows a line for each evaluation of the likelihood.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
        Coefficients of the fixed columns.
    intercept_ : float
    random_effects_, random_effects_sd_, group_coef_ : dict
        Factor to DataFrame, levels x effects.
    variance_components_ : DataFrame
    theta_ : ndarray of shape (n_parameters,)
    sigma_, residual_variance_, log_likelihood_, aic_, bic_, icc_ : float
    is_singular_, converged_ : bool
    monte_carlo_error_ : ndarray of shape (n_parameters,)
        Standard errors of ``theta_`` that the random probes cause; 0 for an exact fit.
    n_iter_ : int
    results_ : MixedLMResults
        The fit under statsmodels' names.
    n_features_in_ : int
        Columns of X, that of the labels included.
    feature_names_in_ : ndarray of str

    See Also
    --------
    mixedlm : Formula and data frame to results, as in statsmodels.

    Examples
    --------
    >>> from skmixed import MixedLM
    >>> from skmixed.datasets import load_sleepstudy
    >>> data = load_sleepstudy()
    >>> model = MixedLM(formula="Reaction ~ Days + (Days | Subject)").fit(data)
    >>> round(model.intercept_, 2), model.coef_.round(3)
    (251.41, array([10.467]))
    >>> model.theta_.round(4)
    array([0.9667, 0.0152, 0.2309])
    >>> slopes = MixedLM(groups="Subject", random_slopes="Days")
    >>> slopes = slopes.fit(data[["Days", "Subject"]], data["Reaction"])
    >>> round(slopes.log_likelihood_, 4)
    -871.8141

    Two crossed factors:

    >>> from skmixed.datasets import load_penicillin
    >>> assays = load_penicillin()
    >>> crossed = MixedLM(formula="diameter ~ 1 + (1 | plate) + (1 | sample)").fit(assays)
    >>> crossed.variance_components_[["group", "sdcor"]].round(3)
          group  sdcor
    0     plate  0.847
    1    sample  1.932
    2  Residual  0.550
    """

    def __init__(
        self,
        groups: Any = None,
        *,
        random_slopes: Any = None,
        random_intercept: bool = True,
        covariance: Any = "unstructured",
        residual: Any = None,
        formula: str | None = None,
        fit_intercept: bool = True,
        method: str = "reml",
        include_random_effects: bool | Sequence[str] = True,
        unseen_groups: str = "population",
        missing_groups: str = "error",
        weight_type: str = "precision",
        weight_scaling: str = "size",
        tol: float = 1e-8,
        max_iter: int = 100,
        solver: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.groups = groups
        self.random_slopes = random_slopes
        self.random_intercept = random_intercept
        self.covariance = covariance
        self.residual = residual
        self.formula = formula
        self.fit_intercept = fit_intercept
        self.method = method
        self.include_random_effects = include_random_effects
        self.unseen_groups = unseen_groups
        self.missing_groups = missing_groups
        self.weight_type = weight_type
        self.weight_scaling = weight_scaling
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.verbose = verbose

    def _check_parameters(self) -> None:
        """Raise ValueError for arguments that mean nothing, or contradict each other."""
        super()._check_parameters()
        check_arguments(self)

    def _search_options(self) -> dict[str, Any]:
        """Return the solver, and what is shown of the search."""
        return {"solver": self.solver, "verbose": int(self.verbose)}

    def _residual(self) -> ResidualStructure | None:
        """Return the structure of the residuals."""
        return residual_structure(self.residual)

    def formula_model(
        self,
        parsed: ParsedFormula,
        data: Any,
        *,
        environment: Mapping[str, Any] | None = None,
        sample_weight: Any = None,
        group_weight: Any = None,
    ) -> LMMModel:
        """Return the training model of a formula that may use names of an environment.

        Parameters
        ----------
        parsed : ParsedFormula
        data : DataFrame or mapping of columns
        environment : mapping, optional
            Functions and constants that the formula uses.
        sample_weight : array-like of shape (n,), optional
        group_weight : array-like of shape (n,) or mapping of labels, optional
        """
        self._check_parameters()
        design, structures, self._input = design_of_formula(
            parsed, data, environment=environment, residual=self._residual()
        )
        return self._model(design, structures, sample_weight, group_weight)
