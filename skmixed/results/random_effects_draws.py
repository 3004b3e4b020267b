"""Draws of the random effects given the data, and what is read off them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from skmixed.design.groups import Levels
from skmixed.inference.coefficients.wald import check_level
from skmixed.inference.inputs import fit_of
from skmixed.prediction.sampling import sample_effects
from skmixed.results.group_intervals import joined, long_table

__all__ = ["RandomEffectsDraws", "sample_random_effects"]

FloatArray = NDArray[np.float64]

COLUMNS = [
    "factor",
    "effect",
    "group",
    "median",
    "mean",
    "sd",
    "lower",
    "upper",
    "excludes_zero",
    "expected_rank",
    "percentile",
]


@dataclass(frozen=True, eq=False)
class RandomEffectsDraws:
    """Hold draws of fixed and random effects from their distribution given the data.

    Made by ``sample_random_effects``. Entry i of every array belongs to draw i.

    Attributes
    ----------
    params : DataFrame of shape (n, p)
        The fixed effects.
    draws : dict of str to ndarray of shape (n, n_levels, k)
        The random effects by factor.
    effect_names : dict of str to tuple of str
        The names of the k effects by factor.
    """

    params: pd.DataFrame
    draws: dict[str, FloatArray]
    effect_names: dict[str, tuple[str, ...]]
    _levels: dict[str, Levels] = field(repr=False)

    def __len__(self) -> int:
        return len(self.params)

    def __repr__(self) -> str:
        shapes = ", ".join(
            f"{name}: {draws.shape[1]} levels x {draws.shape[2]} effects"
            for name, draws in self.draws.items()
        )
        return f"<RandomEffectsDraws: {len(self)} draws; {shapes}>"

    def levels(self, factor: str) -> pd.Index:
        """Return the labels of a factor's levels, as in the second axis of its draws.

        Parameters
        ----------
        factor : str
        """
        return self._levels[factor].labels

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Return one row for each random effect of each group.

        Parameters
        ----------
        level : float, default=0.95
            Share of the draws between lower and upper.

        Returns
        -------
        DataFrame
            With columns factor, effect, group, median, mean, sd, lower, upper, excludes_zero,
            expected_rank (the mean rank among the groups, 1 the smallest) and percentile
            (100 (expected_rank - 1/2) / n_levels; Lingsma et al. 2009).

        Raises
        ------
        ValueError
            If level is not between 0 and 1.
        """
        check_level(level)
        parts = [
            long_table(self._levels[name], self.effect_names[name], _statistics(draws, level))
            for name, draws in self.draws.items()
        ]
        return joined(parts, COLUMNS)


def sample_random_effects(
    fitted: Any, n: int = 1000, *, random_state: Any = None, beta_known: bool = False
) -> RandomEffectsDraws:
    """Draw the effects of all groups from their distribution given the data.

    Fixed and random effects are drawn together, those of all factors too: normal, with the
    variances at their estimates. The draws answer what intervals of single effects cannot, such as
    the probability that one group is above another, and which is first.

    Parameters
    ----------
    fitted : MixedLMResults, estimator or LMMFit
    n : int, default=1000
        Number of draws. They take 8 n bytes for each effect of each group.
    random_state : int, numpy.random.Generator or None, default=None
        The same seed gives the same draws.
    beta_known : bool, default=False
        Whether the fixed effects stay at their estimates, as in lme4's conditional variances.

    Returns
    -------
    RandomEffectsDraws

    Raises
    ------
    ValueError
        If n is not a positive whole number.

    Examples
    --------
    >>> from skmixed import mixedlm
    >>> from skmixed.datasets import load_sleepstudy
    >>> from skmixed.results import sample_random_effects
    >>> results = mixedlm("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> draws = sample_random_effects(results, n=1000, random_state=0)
    >>> draws
    <RandomEffectsDraws: 1000 draws; Subject: 18 levels x 2 effects>
    >>> draws.draws["Subject"].shape
    (1000, 18, 2)
    """
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"n must be a positive whole number, got {n!r}. Use 1000.")
    fit = fit_of(fitted)
    found = sample_effects(fit, int(n), np.random.default_rng(random_state), beta_known=beta_known)
    names = [effects.name for effects in fit.random]
    return RandomEffectsDraws(
        params=pd.DataFrame(found.coefficients, columns=list(fit.fixed.names)),
        draws=dict(zip(names, found.effects, strict=True)),
        effect_names={effects.name: effects.effect_names for effects in fit.random},
        _levels={effects.name: effects.levels for effects in fit.random},
    )


def _statistics(draws: FloatArray, level: float) -> dict[str, NDArray[Any]]:
    """Return what the draws of one factor say of each level and effect."""
    tail = 0.5 * (1.0 - level)
    lower, median, upper = np.quantile(draws, [tail, 0.5, 1.0 - tail], axis=0)
    rank = np.stack(
        [rankdata(draws[:, :, q], axis=1).mean(axis=0) for q in range(draws.shape[2])], axis=1
    )
    spread = draws.std(axis=0, ddof=1) if len(draws) > 1 else np.full(draws.shape[1:], np.nan)
    return {
        "median": median,
        "mean": draws.mean(axis=0),
        "sd": spread,
        "lower": lower,
        "upper": upper,
        "excludes_zero": (lower > 0.0) | (upper < 0.0),
        "expected_rank": rank,
        "percentile": 100.0 * (rank - 0.5) / draws.shape[1],
    }
