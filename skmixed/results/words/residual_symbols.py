"""The distribution of the residuals in symbols."""

from __future__ import annotations

from dataclasses import dataclass

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.residual import Correlation, VarianceFunction
from skmixed.results.numbers import format_column
from skmixed.results.words.latex import name, number
from skmixed.results.words.residual_words import group_of_residuals

__all__ = ["ResidualSymbols"]

# Most parameters whose values are written.
WRITTEN_OUT = 10


@dataclass(frozen=True, slots=True, eq=False)
class ResidualSymbols:
    """Hold what the residuals of a model are written from, with estimates as values or not.

    R has the entries d_i d_i' r_ii', with r the correlation of rows of one group.
    """

    fit: LMMFit
    values: bool
    weighted: bool

    @property
    def variance(self) -> str:
        """Return the variance of a row around its conditional mean."""
        whole = " ".join(filter(None, (self._scale, "d_i^2" if self._unequal else ""))) or "1"
        return f"{whole} / w_i" if self.weighted else whole

    @property
    def matrix(self) -> str:
        """Return the covariance matrix of the residuals, without that of weights."""
        if self.fit.residual is None:
            return r"\sigma^2 \mathbf{W}^{-1}" if self.weighted else r"\sigma^2 \mathbf{I}"
        root = r"\mathbf{W}^{-1/2}"
        R = rf"{root} \mathbf{{R}} {root}" if self.weighted else r"\mathbf{R}"
        return R if self.fit.residual.fixes_sigma else rf"\sigma^2 {R}"

    @property
    def covariance(self) -> str:
        """Return the covariance of the residuals of two rows; empty where it is 0."""
        if self._correlation is None:
            return ""
        spread = "d_i d_{i'}" if self._unequal else ""
        weights = r"(w_i w_{i'})^{-1/2}" if self.weighted else ""
        same = r"\mathbf{1}\{g[i] = g[i']\}"
        parts = (self._scale, spread, weights, self._correlation.equation, rf"\, {same}")
        return " ".join(filter(None, parts))

    @property
    def lines(self) -> list[str]:
        """Return how the residuals are distributed."""
        if self._correlation is None:
            first = rf"\varepsilon_i &\sim \mathcal{{N}}(0,\; {self.variance})"
        else:
            spread = "d_i d_{i'} " if self._unequal else ""
            weights = r"(w_i w_{i'})^{-1/2} " if self.weighted else ""
            R = rf"(\mathbf{{R}}_g)_{{ii'}} = {weights}{spread}{self._correlation.equation}"
            R += r",\; i \ne i'"
            normal = rf"\mathcal{{N}}(\mathbf{{0}},\; {self._scale} \mathbf{{R}}_g)"
            first = rf"\boldsymbol{{\varepsilon}}_g &\sim {normal}, \quad {R}"
        return [first, *self.definitions]

    @property
    def definitions(self) -> list[str]:
        """Say what d, t and g are, and the values of the parameters."""
        residual = self.fit.residual
        if residual is None:
            return []
        lines = []
        if self._unequal:
            lines.append(rf"d_i &= {' '.join(one.equation for one in self._unequal)}")
        meanings = []
        if self._correlation is not None:
            meanings.append(("g", [group_of_residuals(self.fit)]))
            meanings.append(("t", [str(one) for one in self._correlation.axis_columns]))
        for one in self._unequal:
            labels = [str(column) for column in one.label_columns]
            meanings.append(("s", labels))
            meanings.append(("v", [str(c) for c in one.columns if str(c) not in labels]))
        said = [
            rf"{symbol} \text{{: }} " + r",\ ".join(map(name, names))
            for symbol, names in meanings
            if names
        ]
        lines += ["&" + r",\quad ".join(said)] if said else []
        if self.values:
            lines += self._values()
        return lines

    def _values(self) -> list[str]:
        """Return the estimates of the parameters, if they are not many."""
        assert self.fit.residual is not None
        symbols = self.fit.residual.learned.symbols
        if not 0 < len(symbols) <= WRITTEN_OUT:
            return []
        values = self.fit.residual.parameters.values()
        told = [
            f"{symbol} = {number(format_column([value], 4)[0])}"
            for symbol, value in zip(symbols, values, strict=True)
        ]
        return ["&" + r",\quad ".join(told)]

    @property
    def _scale(self) -> str:
        """Return sigma squared; empty where it is known to be 1."""
        if self.fit.residual is not None and self.fit.residual.fixes_sigma:
            return ""
        return number(format_column([self.fit.sigma**2], 4)[0]) if self.values else r"\sigma^2"

    @property
    def _correlation(self) -> Correlation | None:
        """Return the structure of correlations."""
        return None if self.fit.residual is None else self.fit.residual.learned.correlation

    @property
    def _unequal(self) -> list[VarianceFunction]:
        """Return the structures of variances."""
        if self.fit.residual is None:
            return []
        factors = self.fit.residual.learned.structure.factors
        return [one for one in factors if isinstance(one, VarianceFunction)]
