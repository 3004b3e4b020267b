"""Results of a generalised linear mixed model under the names that statsmodels uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import inference
from skmixed.fitting.glmm_fit import GLMMFit
from skmixed.results.glmm_summary import extra_tests, summarise_generalised
from skmixed.results.lmm_results import MixedLMResults
from skmixed.results.numbers import count_text
from skmixed.results.summary import Summary

__all__ = ["MixedGLMResults"]

FloatArray = NDArray[np.float64]

# Links whose coefficients are logarithms of ratios: of odds, rates, means or hazards.
LOGARITHMIC = ("log", "logit", "cloglog")
COMPONENTS = ("conditional", "zero_inflation", "dispersion", "all")


@dataclass(frozen=True, eq=False, repr=False)
class MixedGLMResults(MixedLMResults):
    """Read estimates, tests and tables off a fitted generalised mixed model.

    The coefficients are those of the linear predictor: logarithms of odds ratios with the logit
    link, of rate ratios with the log link. They compare rows of the same groups. What needs normal
    residuals (REML, degrees of freedom, exact tests, leave-out formulas) raises a ValueError that
    names the alternative.

    Parameters
    ----------
    fitted_model : FittedModel
        As for ``MixedLMResults``, of a generalised model; degrees of freedom are infinite by
        default.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skmixed import mixedglm
    >>> rng = np.random.default_rng(0)
    >>> data = pd.DataFrame({"x": rng.normal(size=600), "g": np.arange(600) % 30})
    >>> rate = np.exp(0.5 * data["x"] + 0.7 * rng.normal(size=30)[data["g"]])
    >>> data["events"] = rng.poisson(rate)
    >>> results = mixedglm("events ~ x + (1 | g)", data, family="poisson")
    >>> results
    <MixedGLMResults: events ~ x + (1 | g), poisson (log), ML (Laplace), 600 observations>
    >>> results.conf_int().round(2)
                  0     1
    Intercept -0.35  0.16
    x          0.44  0.60
    >>> results.variance_components[["group", "name1", "sdcor"]].round(2)
      group      name1  sdcor
    0     g  Intercept   0.66
    """

    @property
    def fit(self) -> GLMMFit:
        """Return the fit."""
        return cast("GLMMFit", self.fitted_model.fit)

    @property
    def family(self) -> str:
        """Return the name of the family."""
        return self.fit.family.name

    @property
    def link(self) -> str:
        """Return the name of the link."""
        return self.fit.family.link.name

    @property
    def method(self) -> str:
        """Say how the random effects were integrated out of the likelihood."""
        n = self.fit.n_quadrature
        return "ML (Laplace)" if n == 1 else f"ML (AGQ, {n} points)"

    @property
    def zvalues(self) -> pd.Series:
        """Return the coefficients over their standard errors, as ``tvalues``."""
        return self.tvalues

    @property
    def dispersion(self) -> float | None:
        """Return the dispersion; None where the family has none, or it depends on the row.

        It is what the formula of the variance has: alpha of negative binomial families, phi of
        gamma, inverse Gaussian and beta ones, sigma squared of the Gaussian.
        """
        return self.fit.dispersion

    @property
    def dispersion_params(self) -> pd.Series | None:
        """Return the coefficients of the dispersion on glmmTMB's log scale; None without one."""
        return self._further("dispersion")

    @property
    def dispersion_bse(self) -> pd.Series | None:
        """Return the standard errors of ``dispersion_params``."""
        return self._further("dispersion", errors=True)

    @property
    def zero_inflation_params(self) -> pd.Series | None:
        """Return the coefficients of the logit of zero inflation; None without it."""
        return self._further("zero_inflation")

    @property
    def zero_inflation_bse(self) -> pd.Series | None:
        """Return the standard errors of ``zero_inflation_params``."""
        return self._further("zero_inflation", errors=True)

    @property
    def scale(self) -> float:
        """Return the residual variance of a Gaussian family, 1 of others, as lme4."""
        constant = self.dispersion if self.family == "gaussian" else None
        return 1.0 if constant is None else constant

    @property
    def sigma(self) -> float:
        """Return the root of ``scale``."""
        return float(np.sqrt(self.scale))

    @cached_property
    def resid_response(self) -> Any:
        """Return the responses less their means, the random effects at their modes."""
        return inference.residuals(self, kind="response")

    @property
    def resid(self) -> Any:
        """Return ``resid_response``."""
        return self.resid_response

    @cached_property
    def resid_pearson(self) -> Any:
        """Return the residuals over the standard deviations that the family gives the rows."""
        return inference.residuals(self, kind="pearson")

    @cached_property
    def resid_deviance(self) -> Any:
        """Return the signed roots of the deviances of the rows."""
        return inference.residuals(self, kind="deviance")

    def tidy(
        self,
        conf_level: float = 0.95,
        *,
        exponentiate: bool = False,
        component: str = "conditional",
    ) -> pd.DataFrame:
        """Return one row for each coefficient.

        Parameters
        ----------
        conf_level : float, default=0.95
            Of the limits.
        exponentiate : bool, default=False
            Whether to return odds ratios (logit), rate ratios (log) or hazard ratios (cloglog) with
            their limits, instead of logarithms of them. Standard errors are then to first order;
            the tests stay those of the coefficients.
        component : {"conditional", "zero_inflation", "dispersion", "all"}, default="conditional"
            The coefficients of the mean given the random effects, of the logit of zero inflation,
            of the logarithm of the dispersion, or all, with a column ``component``.

        Returns
        -------
        DataFrame
            With columns term, estimate, se, df, statistic, p_value, lower, upper.

        Raises
        ------
        ValueError
            If there is no such component, or its coefficients are no logarithms of ratios.

        Examples
        --------
        >>> import numpy as np
        >>> import pandas as pd
        >>> from skmixed import mixedglm
        >>> rng = np.random.default_rng(0)
        >>> data = pd.DataFrame({"x": rng.normal(size=600), "g": np.arange(600) % 30})
        >>> rate = np.exp(0.5 * data["x"] + 0.7 * rng.normal(size=30)[data["g"]])
        >>> data["events"] = rng.poisson(rate)
        >>> results = mixedglm("events ~ x + (1 | g)", data, family="poisson")
        >>> rates = results.tidy(exponentiate=True).set_index("term")
        >>> rates[["estimate", "lower", "upper"]].round(2).loc["x"].to_dict()
        {'estimate': 1.69, 'lower': 1.56, 'upper': 1.82}
        """
        if component not in COMPONENTS:
            raise ValueError(f"component must be one of {list(COMPONENTS)}, got {component!r}.")
        if exponentiate and component in ("conditional", "all") and self.link not in LOGARITHMIC:
            raise ValueError(
                f"exponentiate=True is for coefficients that are logarithms of ratios, those of "
                f"the links {list(LOGARITHMIC)}, and this is link={self.link!r}. Compare means by "
                "marginal_means and pairwise on the scale of the response."
            )
        parts = {"conditional": (self.fit.fixed.names, self._tests)}
        parts |= {one.name: (one.names, extra_tests(one)) for one in reversed(self.fit.extra)}
        if component not in (*parts, "all"):
            raise ValueError(f"The model has no {component!r} part, only {list(parts)}.")
        tables = {name: tests.table(names, conf_level) for name, (names, tests) in parts.items()}
        if component == "all":
            named = [table.assign(component=name) for name, table in tables.items()]
            found = pd.concat(named, ignore_index=True)
        else:
            found = tables[component]
        if not exponentiate:
            return found
        ratios = {name: np.exp(found[name]) for name in ("estimate", "lower", "upper")}
        return found.assign(se=found["se"] * ratios["estimate"], **ratios)

    def predict(self, data: Any = None, **switches: Any) -> Any:
        """Predict the mean response of new rows; without data, return the fitted values.

        The random effects of known groups are at their conditional modes, those of other groups
        at 0: that is the response of a typical group. ``average=True`` returns the mean over what
        the effects may be instead.

        Parameters
        ----------
        data : DataFrame or array-like, optional
            Rows of what the model was fitted to.
        **switches
            groups, include_random_effects, return_std, return_cov, kind, average, scale, offset,
            exposure and trials: as for ``FittedModel.predict``, which explains them.

        Returns
        -------
        mean : ndarray of shape (n,)
            A Series of the fitted values without data.
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``
        """
        if data is None:
            if switches:
                raise ValueError(
                    "predict() without data returns the fitted values only. Pass data to choose "
                    f"{sorted(switches)}."
                )
            return self.fittedvalues
        return self.fitted_model.predict(data, **switches)

    def predict_link(self, data: Any, **switches: Any) -> Any:
        """Predict the linear predictor of new rows: ``predict`` with ``scale="link"``.

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        **switches
            As for ``predict``.

        Returns
        -------
        mean : ndarray of shape (n,)
        std : ndarray of shape (n,), if ``return_std``
        cov : ndarray of shape (n, n), if ``return_cov``
        """
        return self.fitted_model.predict(data, scale="link", **switches)

    def predict_probabilities(
        self, data: Any, *, logarithm: bool = False, **switches: Any
    ) -> FloatArray:
        """Return the probabilities of both outcomes of a binary response, (n, 2).

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        logarithm : bool, default=False
            Whether to return their logarithms.
        **switches
            groups, include_random_effects, average, offset and exposure, as for ``predict``.
        """
        return self.fitted_model.predict_probabilities(data, logarithm=logarithm, **switches)

    def predict_further(self, data: Any, **switches: Any) -> dict[str, FloatArray]:
        """Return the dispersion and the probability of inflated zeros of each row, by name.

        Parameters
        ----------
        data : DataFrame or array-like
            Rows of what the model was fitted to.
        **switches
            groups, as for ``predict``.
        """
        return self.fitted_model.predict_further(data, **switches)

    def _further(self, predictor: str, *, errors: bool = False) -> pd.Series | None:
        """Return the coefficients of a further predictor, or their errors; None without it."""
        one = self.fit.extra_named(predictor)
        if one is None:
            return None
        values = np.sqrt(one.covariance.diagonal()) if errors else one.coefficients
        return pd.Series(values, list(one.names), copy=True)

    def _summary(self, conf_level: float, *, correlation: bool) -> Summary:
        """Collect what is worth reading of the fit."""
        return summarise_generalised(self, level=conf_level, correlation=correlation)

    def __repr__(self) -> str:
        model, family = self.formula or self.response_name, self.family.replace("_", " ")
        words = f"{model}, {family} ({self.link}), {self.method}"
        return f"<{type(self).__name__}: {words}, {count_text(self.nobs)} observations>"
