"""The models and sizes that libraries are compared on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from model import Model

__all__ = ["CASES", "Case", "Contender"]


@dataclass(frozen=True)
class Contender:
    """Name a library and the way it is called.

    Attributes
    ----------
    library, way : str
    goals : mapping
        The largest times aimed at, as multiples of the times of other libraries.
    rounds : int or None
        Fewer rounds than the others, for one that takes minutes.
    on_request : bool
        Whether it runs only with ``--slow``.
    """

    library: str
    way: str = "formula"
    goals: Mapping[str, float] = field(default_factory=dict)
    rounds: int | None = None
    on_request: bool = False

    @property
    def name(self) -> str:
        """Return library and way."""
        return f"{self.library} {self.way}"


@dataclass(frozen=True)
class Case:
    """Describe a model, its rows and who fits it.

    Attributes
    ----------
    name, title : str
    data : str
        What ``data.py`` calls the rows.
    model : Model
    contenders : tuple of Contender
        The first one's answer is what the others are compared with.
    references : tuple of str
        The libraries whose times the others' are divided by.
    sizes : tuple of int
        Rows of simulated data, and levels of each factor.
    parts : tuple of float
        Parts of these sizes that are measured one after the other, in a table of growth.
    warm : bool
        Whether the median of repeated fits counts, or the first fit of a process.
    """

    name: str
    title: str
    data: str
    model: Model
    contenders: tuple[Contender, ...]
    references: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    parts: tuple[float, ...] = ()
    warm: bool = False

    def scaled(self, scale: float) -> tuple[int, ...]:
        """Return the sizes with some part of the rows and levels; real data stay as they are."""
        if not self.sizes:
            return ()
        n_rows, *n_levels = self.sizes
        return max(int(n_rows * scale), 200), *(max(int(n * scale), 20) for n in n_levels)

    def heading(self, scale: float) -> str:
        """Return the title of the case's table."""
        if not self.sizes:
            return self.title
        n_rows, *n_levels = self.scaled(scale)
        levels = " x ".join(f"{n:,}" for n in n_levels)
        return f"{n_rows:,} rows, {levels} levels; {self.title}"


_SLOW_LME4 = Contender("lme4", rounds=1, on_request=True)
_INTERCEPT = ("1 | g",)
_SLOPE = ("1 + x0 | g",)
_RATINGS = ("1 | user", "1 | film")
_INSTEVAL = ("1 | s", "1 | d")
_INSTEVAL_CONTENDERS = (
    Contender("skmixed", goals={"mixedlm": 1 / 2, "lme4": 1 / 10}),
    Contender("mixedlm"),
    Contender("lme4", rounds=1),
)

_ONE_FACTOR = (
    Case(
        "sleepstudy",
        "sleepstudy, random intercept and slope, REML; median of warm fits",
        "sleepstudy",
        Model(_SLOPE),
        (
            Contender("skmixed", "arrays", {"mixedlm": 1 / 2}),
            Contender("skmixed", "formula", {"mixedlm": 1.0}),
            Contender("skmixed", "estimator", {"mixedlm": 1.0}),
            Contender("mixedlm"),
            Contender("statsmodels"),
            Contender("lme4"),
        ),
        ("mixedlm",),
        warm=True,
    ),
    Case(
        "million_intercept",
        "labels are text, 4 covariates, random intercept, REML; first fit",
        "groups",
        Model(_INTERCEPT, 4),
        (Contender("skmixed", goals={"mixedlm": 1 / 3}), Contender("mixedlm"), _SLOW_LME4),
        ("mixedlm",),
        (1_000_000, 100_000),
    ),
    Case(
        "million_slope",
        "labels are text, 4 covariates, random intercept and slope, REML; first fit",
        "groups",
        Model(_SLOPE, 4),
        (Contender("skmixed", goals={"mixedlm": 1 / 4}), Contender("mixedlm"), _SLOW_LME4),
        ("mixedlm",),
        (1_000_000, 100_000),
    ),
    Case(
        "many_groups",
        "labels are text, random intercept and slope, REML; first fit",
        "groups",
        Model(_SLOPE),
        (
            Contender("skmixed", goals={"statsmodels": 1 / 50}),
            Contender("mixedlm"),
            Contender("statsmodels", rounds=1),
            Contender("lme4", rounds=1),
        ),
        ("statsmodels",),
        (100_000, 20_000),
    ),
    Case(
        "gpboost",
        "labels are text, 4 covariates, random intercept, ML; first fit",
        "groups",
        Model(_INTERCEPT, 4, reml=False),
        (Contender("skmixed"), Contender("gpboost", "arrays")),
        ("gpboost",),
        (1_000_000, 100_000),
    ),
)

_SEVERAL_FACTORS = (
    Case(
        "insteval",
        "InstEval, y ~ service + (1 | s) + (1 | d), REML; first fit",
        "insteval",
        Model(_INSTEVAL),
        _INSTEVAL_CONTENDERS,
        ("mixedlm", "lme4"),
    ),
    Case(
        "insteval_three",
        "InstEval, y ~ service + (1 | s) + (1 | d) + (1 | dept:service), REML; first fit",
        "insteval",
        Model((*_INSTEVAL, "1 | dept:service")),
        _INSTEVAL_CONTENDERS,
        ("mixedlm", "lme4"),
    ),
    Case(
        "insteval_ml",
        "InstEval, y ~ service + (1 | s) + (1 | d), ML; first fit",
        "insteval",
        Model(_INSTEVAL, reml=False),
        (
            Contender("skmixed", on_request=True),
            Contender("gpboost", "arrays", rounds=1, on_request=True),
        ),
        ("gpboost",),
    ),
    Case(
        "ratings_1e6",
        "ratings of popular and rare films, crossed, ML; first fit",
        "ratings",
        Model(_RATINGS, reml=False),
        (
            Contender("skmixed", goals={"gpboost": 1 / 5}),
            Contender("gpboost", "arrays", rounds=1),
        ),
        ("gpboost",),
        (1_000_000, 6_000, 3_000),
    ),
    Case(
        "ratings_2e7",
        "ratings of popular and rare films, crossed, REML; first fit",
        "ratings",
        Model(_RATINGS),
        (Contender("skmixed", "estimator", rounds=1, on_request=True),),
        sizes=(20_000_000, 138_000, 27_000),
    ),
    Case(
        "nested",
        "y ~ x0 + (1 | school/class), REML; first fit: time and memory by rows",
        "nested",
        Model(("1 | school/class",)),
        (Contender("skmixed", "estimator"), _SLOW_LME4),
        sizes=(1_000_000, 10_000, 100_000),
        parts=(0.01, 0.1, 0.3, 1.0),
    ),
)

CASES = (*_ONE_FACTOR, *_SEVERAL_FACTORS)
