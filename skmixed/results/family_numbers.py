"""What a generalised fit says of its family, its dispersion and its zero inflation, in numbers."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed import inference
from skmixed.fitting.glmm_fit import ExtraPredictor, GLMMFit
from skmixed.inference.coefficients.wald import TTests
from skmixed.results.extra_tests import extra_tests
from skmixed.results.of_model import OfModel

__all__ = ["FamilyNumbers"]

FloatArray = NDArray[np.float64]

# Links whose coefficients are logarithms of ratios: of odds, rates, means or hazards.
LOGARITHMIC = ("log", "logit", "cloglog")
COMPONENTS = ("conditional", "zero_inflation", "dispersion", "all")


class FamilyNumbers(OfModel):
    """Read the family, its further coefficients and the residuals of a generalised model."""

    @property
    def family(self) -> str:
        """Return the name of the family."""
        return self._generalised.family.name

    @property
    def link(self) -> str:
        """Return the name of the link."""
        return self._generalised.family.link.name

    @property
    def method(self) -> str:
        """Say how the random effects were integrated out of the likelihood."""
        n = self._generalised.n_quadrature
        return "ML (Laplace)" if n == 1 else f"ML (AGQ, {n} points)"

    @property
    def zvalues(self) -> pd.Series:
        """Return the coefficients over their standard errors, as ``tvalues``."""
        return self.tvalues  # type: ignore[attr-defined]

    @property
    def dispersion(self) -> float | None:
        """Return the dispersion; None where the family has none, or it depends on the row.

        It is what the formula of the variance has: alpha of negative binomial families, phi of
        gamma, inverse Gaussian and beta ones, sigma squared of the Gaussian.
        """
        return self._generalised.dispersion

    @property
    def dispersion_params(self) -> pd.Series | None:
        """Return the coefficients of the dispersion on glmmTMB's log scale; None without one."""
        return _coefficients(self._generalised.extra_named("dispersion"))

    @property
    def dispersion_bse(self) -> pd.Series | None:
        """Return the standard errors of ``dispersion_params``."""
        return _errors(self._generalised.extra_named("dispersion"))

    @property
    def zero_inflation_params(self) -> pd.Series | None:
        """Return the coefficients of the logit of zero inflation; None without it."""
        return _coefficients(self._generalised.extra_named("zero_inflation"))

    @property
    def zero_inflation_bse(self) -> pd.Series | None:
        """Return the standard errors of ``zero_inflation_params``."""
        return _errors(self._generalised.extra_named("zero_inflation"))

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
        tables = {
            name: tests.table(names, conf_level)
            for name, names, tests in self._components()
            if component in (name, "all")
        }
        if not tables:
            known = [name for name, _, _ in self._components()]
            raise ValueError(f"The model has no {component!r} part, only {known}.")
        if component == "all":
            named = [table.assign(component=name) for name, table in tables.items()]
            found = pd.concat(named, ignore_index=True)
        else:
            found = tables[component]
        return _exponentiated(found) if exponentiate else found

    def _components(self) -> list[tuple[str, tuple[str, ...], TTests]]:
        """Return the parts of the model with the names of their coefficients and the tests."""
        fit = self._generalised
        conditional: TTests = self._tests  # type: ignore[attr-defined]
        return [
            ("conditional", fit.fixed.names, conditional),
            *((one.name, one.names, extra_tests(one)) for one in reversed(fit.extra)),
        ]

    @property
    def _generalised(self) -> GLMMFit:
        """Return the fit."""
        fit = self.fit
        assert isinstance(fit, GLMMFit)
        return fit


def _coefficients(one: ExtraPredictor | None) -> pd.Series | None:
    """Return the coefficients with their names."""
    return None if one is None else pd.Series(one.coefficients, list(one.names), copy=True)


def _errors(one: ExtraPredictor | None) -> pd.Series | None:
    """Return the standard errors with the names of the coefficients."""
    return None if one is None else pd.Series(np.sqrt(one.covariance.diagonal()), list(one.names))


def _exponentiated(table: pd.DataFrame) -> pd.DataFrame:
    """Return ratios with their limits, and standard errors to first order."""
    ratios = {name: np.exp(table[name]) for name in ("estimate", "lower", "upper")}
    return table.assign(se=table["se"] * ratios["estimate"], **ratios)
