"""The models and sizes that libraries are compared on."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "Case", "Contender"]


@dataclass(frozen=True)
class Contender:
    """Name a library and the way it is called.

    Attributes
    ----------
    library, way : str
    goal : float or None
        The largest time aimed at, as a multiple of the reference's.
    rounds : int or None
        Fewer rounds than the others, for one that takes minutes.
    on_request : bool
        Whether it runs only with ``--slow``.
    """

    library: str
    way: str = "formula"
    goal: float | None = None
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
        "sleepstudy" or "simulated".
    sizes : tuple of int
        Rows, groups and covariates of simulated data.
    slope, reml : bool
    warm : bool
        Whether the median of repeated fits counts, or the first fit of a process.
    reference : str
        The library whose time and memory are 1.
    contenders : tuple of Contender
        The first one's answer is what the others are compared with.
    """

    name: str
    title: str
    data: str
    contenders: tuple[Contender, ...]
    reference: str
    sizes: tuple[int, ...] = ()
    slope: bool = True
    reml: bool = True
    warm: bool = False

    def scaled(self, scale: float) -> tuple[int, ...]:
        """Return the sizes with some part of the rows and groups; real data stay as they are."""
        if not self.sizes:
            return ()
        n_rows, n_groups, n_covariates = self.sizes
        return max(int(n_rows * scale), 200), max(int(n_groups * scale), 20), n_covariates

    def heading(self, scale: float) -> str:
        """Return the title of the case's table."""
        if not self.sizes:
            return self.title
        n_rows, n_groups, n_covariates = self.scaled(scale)
        return (
            f"{n_rows:,} rows, {n_groups:,} groups labelled by strings, "
            f"{n_covariates} covariates; {self.title}"
        )


_SLOW_LME4 = Contender("lme4", rounds=1, on_request=True)

CASES = (
    Case(
        "sleepstudy",
        "sleepstudy, random intercept and slope, REML; median of warm fits",
        "sleepstudy",
        (
            Contender("skmixed", "arrays", goal=0.5),
            Contender("skmixed", "formula", goal=1.0),
            Contender("skmixed", "estimator", goal=1.0),
            Contender("mixedlm"),
            Contender("statsmodels"),
            Contender("lme4"),
        ),
        reference="mixedlm",
        warm=True,
    ),
    Case(
        "million_intercept",
        "random intercept, REML; first fit",
        "simulated",
        (Contender("skmixed", goal=1 / 3), Contender("mixedlm"), _SLOW_LME4),
        reference="mixedlm",
        sizes=(1_000_000, 100_000, 4),
        slope=False,
    ),
    Case(
        "million_slope",
        "random intercept and slope, REML; first fit",
        "simulated",
        (Contender("skmixed", goal=1 / 4), Contender("mixedlm"), _SLOW_LME4),
        reference="mixedlm",
        sizes=(1_000_000, 100_000, 4),
    ),
    Case(
        "many_groups",
        "random intercept and slope, REML; first fit",
        "simulated",
        (
            Contender("skmixed", goal=1 / 50),
            Contender("mixedlm"),
            Contender("statsmodels", rounds=1),
            Contender("lme4", rounds=1),
        ),
        reference="statsmodels",
        sizes=(100_000, 20_000, 1),
    ),
    Case(
        "gpboost",
        "random intercept, ML; first fit",
        "simulated",
        (Contender("skmixed"), Contender("gpboost", "arrays")),
        reference="gpboost",
        sizes=(1_000_000, 100_000, 4),
        slope=False,
        reml=False,
    ),
)
