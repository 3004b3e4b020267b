"""The equations of a fitted linear mixed model, in LaTeX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from skmixed.design.design import NewRows
from skmixed.results.words.group_columns import group_columns, rows_of
from skmixed.results.words.hierarchical import hierarchical_lines
from skmixed.results.words.latex import aligned, total
from skmixed.results.words.marginal import marginal_lines
from skmixed.results.words.symbols import ModelSymbols, model_symbols

__all__ = ["Equation", "Form", "equation"]

Form = Literal["conditional", "marginal", "hierarchical"]


@dataclass(frozen=True, slots=True)
class Equation:
    """Show equations as LaTeX (``print``), and set in a notebook.

    Attributes
    ----------
    latex : str
        An ``aligned`` environment, to stand between dollar signs or in ``equation``; it needs the
        package amsmath, or MathJax.
    """

    latex: str

    def __str__(self) -> str:
        return self.latex

    def _repr_latex_(self) -> str:
        return f"$$\n{self.latex}\n$$"


def equation(
    results: Any, form: Form = "conditional", *, values: bool = False, rows: NewRows | None = None
) -> Equation:
    r"""Write a fitted model as equations, with the names of its columns.

    The coefficients are numbered, 0 the intercept. Each grouping factor has a letter for its
    effects (b, c, ...) and one for its levels (j, k, ...): j[i] is the level of row i. tau are
    standard deviations of effects, rho their correlations, and sigma that of the residuals. A
    generalised model begins with the distribution of the response; mu (or the probability p) is its
    mean given the random effects, and pi the probability of an extra zero.

    Parameters
    ----------
    results : MixedLMResults
    form : {"conditional", "marginal", "hierarchical"}, default="conditional"
        ``"conditional"`` is the equation of an observation given the random effects.
        ``"marginal"`` is the distribution of the observations without them: mean, variance and
        covariance of two rows. ``"hierarchical"`` has one equation for the rows, and one for each
        coefficient that varies between groups: a column that is constant within groups explains
        intercepts, its interaction with a column whose slope varies explains slopes.
    values : bool, default=False
        Whether to put the estimates in the place of the coefficients and variances.
    rows : NewRows, optional
        Where to see what is constant within groups, if the results keep no rows: the hierarchical
        form has all fixed effects at level 1 without.

    Returns
    -------
    Equation

    Raises
    ------
    ValueError
        If there is no such form, or it is the marginal one of a generalised model.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_penicillin
    >>> from skmixed.results import equation
    >>> results = mixedlm("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
    >>> print(equation(results))
    \begin{aligned}
    \mathrm{diameter}_i &= \beta_{0} + b_{j[i]} + c_{k[i]} + \varepsilon_i \\
    b_{j} &\sim \mathcal{N}(0,\; \tau_{b}^2), \quad j = 1, \dots, 24 \;(\mathrm{plate}) \\
    c_{k} &\sim \mathcal{N}(0,\; \tau_{c}^2), \quad k = 1, \dots, 6 \;(\mathrm{sample}) \\
    \varepsilon_i &\sim \mathcal{N}(0,\; \sigma^2)
    \end{aligned}
    """
    if form == "hierarchical" and rows is None and results.model is not None:
        rows = rows_of(results.model)
    if form == "marginal":
        results.fit.require_gaussian("The marginal form", "use form='conditional'")
    forms: dict[str, Callable[[ModelSymbols], list[str]]] = {
        "conditional": _conditional_lines,
        "marginal": marginal_lines,
        "hierarchical": lambda symbols: hierarchical_lines(
            symbols, group_columns(results.fit, rows)
        ),
    }
    if form not in forms:
        raise ValueError(f"form must be one of {list(forms)}, got {form!r}.")
    return Equation(aligned(forms[form](model_symbols(results, values=values))))


def _conditional_lines(symbols: ModelSymbols) -> list[str]:
    """Return y_i = x_i'beta + z_i'b + e_i and the distributions of b and e.

    A generalised model has g(mu_i) on the left, and the distribution of y_i before it.
    """
    terms = [symbols.fixed_term(name) for name in symbols.fixed_names]
    for factor in symbols.factors:
        for q, name in enumerate(factor.effects.effect_names):
            effect, column = factor.effect(q, factor.of_row), symbols.column(name)
            terms.append(rf"{effect} \, {column}" if column else effect)
    terms += [*symbols.offsets, *symbols.errors]
    return [*symbols.given, f"{symbols.left} &= {total(terms)}", *symbols.distributions]
