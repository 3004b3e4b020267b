"""Results of a linear mixed model under the names that statsmodels uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from skmixed.inference.coefficients.degrees_of_freedom import DF_METHODS
from skmixed.inference.coefficients.marginal_information import Information
from skmixed.prediction.fitted_model import FittedModel
from skmixed.results.coefficient_tests import CoefficientTests
from skmixed.results.fit_numbers import FitNumbers
from skmixed.results.group_tables import GroupTables
from skmixed.results.model_words import ModelWords
from skmixed.results.numbers import count_text
from skmixed.results.residual_numbers import ResidualNumbers
from skmixed.results.row_results import RowResults
from skmixed.results.summary import ModelDescription, Summary, summarise
from skmixed.saving.fields import FieldState
from skmixed.saving.versions import VersionedState

__all__ = ["MixedLMResults"]

Results = TypeVar("Results", bound="MixedLMResults")


@dataclass(frozen=True, eq=False, repr=False)
class MixedLMResults(
    VersionedState,
    FitNumbers,
    ResidualNumbers,
    CoefficientTests,
    GroupTables,
    RowResults,
    ModelWords,
    FieldState,
):
    """Read estimates, tests and tables off a fitted linear mixed model.

    Every table is made when it is first asked for. A coefficient that is aliased with others is 0,
    and its standard error and test are NaN.

    Parameters
    ----------
    fitted_model : FittedModel
        The fit, what it was fitted to if that is kept, how it reads new data, and where degrees of
        freedom come from: ``"satterthwaite"`` (the default), ``"kenward-roger"`` or
        ``"kenward-roger-linear"`` (REML), ``"between-within"`` (groups or rows, less columns),
        ``"residual"`` (rows less coefficients), ``"normal"`` (infinite), or ``"design"`` (sampled
        groups less one, the default with weights that are inverse probabilities).

    Raises
    ------
    ValueError
        If there is no such df_method, or information.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> results
    <MixedLMResults: Reaction ~ Days + (Days | Subject), REML, 180 observations>
    >>> results.conf_int().round(2)
                    0       1
    Intercept  237.01  265.80
    Days         7.21   13.73
    >>> results.variance_components[["group", "name1", "name2", "sdcor"]].round(3)
          group      name1 name2   sdcor
    0   Subject  Intercept  None  24.740
    1   Subject       Days  None   5.922
    2   Subject  Intercept  Days   0.066
    3  Residual       None  None  25.592
    """

    fitted_model: FittedModel

    def __post_init__(self) -> None:
        if self.df_method not in DF_METHODS:
            raise ValueError(
                f"df_method must be one of {sorted(DF_METHODS)}, got {self.df_method!r}."
            )
        information = self.fitted_model.information
        if information not in (None, "observed", "expected"):
            raise ValueError(
                f"information must be 'observed', 'expected' or None, got {information!r}."
            )

    def with_df_method(
        self: Results, df_method: str, *, information: Information | None = None
    ) -> Results:
        """Return the same results with degrees of freedom by another rule.

        Parameters
        ----------
        df_method : {"satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", \
                "residual", "normal"}
        information : {"observed", "expected"}, optional
            The information on the variance parameters that Satterthwaite's method and Kenward and
            Roger's take; by default that of lmerTest, pbkrtest and, with a residual structure, SAS.

        Raises
        ------
        ValueError
            If there is no such rule, or information.

        Examples
        --------
        >>> from skmixed import mixedlm
        >>> from skmixed.datasets import load_sleepstudy
        >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> results.tidy()["df"].round(2).to_list()
        [17.0, 17.0]
        >>> results.with_df_method("residual").tidy()["df"].to_list()
        [178.0, 178.0]
        """
        changed = replace(self.fitted_model, df_method=df_method, information=information)
        return replace(self, fitted_model=changed)

    def summary(
        self,
        *,
        df_method: str | None = None,
        correlation: bool = False,
        conf_level: float = 0.95,
    ) -> Summary:
        """Summarise the fit as text (``print``) and HTML (in a notebook).

        Parameters
        ----------
        df_method : str, optional
            Where degrees of freedom come from; by default as for all tables of the results.
        correlation : bool, default=False
            Whether to show the correlation of the fixed effects.
        conf_level : float, default=0.95
            Of the limits of the fixed effects.
        """
        if df_method is not None:
            changed = self.with_df_method(df_method, information=self.fitted_model.information)
            return changed.summary(correlation=correlation, conf_level=conf_level)
        description = ModelDescription(
            self.response_name, self.formula, self.n_dropped, self._degrees_of_freedom.description
        )
        return self._summary(description, conf_level, correlation=correlation)

    def _summary(
        self, description: ModelDescription, conf_level: float, *, correlation: bool
    ) -> Summary:
        """Collect what is worth reading of the fit."""
        return summarise(
            self.fit, self._tests, description, level=conf_level, correlation=correlation
        )

    def __repr__(self) -> str:
        model = self.formula or self.response_name
        words = f"{model}, {self.method}, {count_text(self.nobs)} observations"
        return f"<{type(self).__name__}: {words}>"

    def _repr_html_(self) -> str:
        return self.summary().as_html()
