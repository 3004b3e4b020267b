"""The small published data sets that come with the package."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd


def load_sleepstudy() -> pd.DataFrame:
    """Load the reaction times of 18 subjects deprived of sleep.

    The subjects spent three hours a night in bed. Days 0 and 1 are adaptation and training, day 2
    is the baseline. It is the usual example of a random intercept with a random slope.

    Returns
    -------
    pandas.DataFrame of shape (180, 3)
        - ``Reaction``: mean reaction time of the day, in milliseconds (float);
        - ``Days``: day of the study, 0 to 9 (int);
        - ``Subject``: number of the subject (category, 18 levels).

    References
    ----------
    Belenky, G., Wesensten, N. J., Thorne, D. R., Thomas, M. L., Sing, H. C., Redmond, D. P., Russo,
    M. B. and Balkin, T. J. (2003). Patterns of performance degradation and restoration during sleep
    restriction and subsequent recovery: a sleep dose-response study. Journal of Sleep Research 12,
    1-12. Shipped by the R package lme4 as ``sleepstudy``.

    Examples
    --------
    >>> from skmixed.datasets import load_sleepstudy
    >>> load_sleepstudy().head(3)
       Reaction  Days Subject
    0  249.5600     0     308
    1  258.7047     1     308
    2  250.8006     2     308
    """
    return _read("sleepstudy", factors=["Subject"])


def load_dyestuff() -> pd.DataFrame:
    """Load the yields of dyestuff made from six batches of an intermediate product.

    Five preparations were made from each batch of H-acid, to learn how much of the variation of the
    yield comes from the batches: a variance-component model without predictors.

    Returns
    -------
    pandas.DataFrame of shape (30, 2)
        - ``Batch``: batch of the intermediate product (category, A to F);
        - ``Yield``: yield of the preparation, in grams of standard colour (int).

    References
    ----------
    Davies, O. L. and Goldsmith, P. L. (eds) (1972). Statistical Methods in Research and Production,
    4th ed. Oliver and Boyd, section 6.4. Shipped by the R package lme4 as ``Dyestuff``.

    Examples
    --------
    >>> from skmixed.datasets import load_dyestuff
    >>> load_dyestuff().groupby("Batch", observed=True)["Yield"].mean()
    Batch
    A    1505.0
    B    1528.0
    C    1564.0
    D    1498.0
    E    1600.0
    F    1470.0
    Name: Yield, dtype: float64
    """
    return _read("dyestuff", factors=["Batch"])


def load_dyestuff2() -> pd.DataFrame:
    """Load the constructed twin of dyestuff, whose batch variance is estimated as zero.

    The mean square between batches is smaller than the one within, so the estimate of the variance
    of the batches lies on its boundary.

    Returns
    -------
    pandas.DataFrame of shape (30, 2)
        - ``Batch``: batch (category, A to F);
        - ``Yield``: yield, in arbitrary units (float).

    References
    ----------
    Box, G. E. P. and Tiao, G. C. (1973). Bayesian Inference in Statistical Analysis.
    Addison-Wesley, section 5.1.2. Shipped by the R package lme4 as ``Dyestuff2``.

    Examples
    --------
    >>> from skmixed.datasets import load_dyestuff2
    >>> between = load_dyestuff2().groupby("Batch", observed=True)["Yield"].mean().var() * 5
    >>> within = load_dyestuff2().groupby("Batch", observed=True)["Yield"].var().mean()
    >>> bool(between < within)
    True
    """
    return _read("dyestuff2", factors=["Batch"])


def load_penicillin() -> pd.DataFrame:
    """Load the zones of inhibition of six penicillin samples on each of 24 plates.

    Every sample is tested once on every plate: two completely crossed grouping factors.

    Returns
    -------
    pandas.DataFrame of shape (144, 3)
        - ``diameter``: diameter of the zone of inhibited growth, in millimetres (int);
        - ``plate``: assay plate (category, a to x);
        - ``sample``: penicillin sample (category, A to F).

    References
    ----------
    Davies, O. L. and Goldsmith, P. L. (eds) (1972). Statistical Methods in Research and Production,
    4th ed. Oliver and Boyd, section 6.6. Shipped by the R package lme4 as ``Penicillin``.

    Examples
    --------
    >>> from skmixed.datasets import load_penicillin
    >>> load_penicillin()[["plate", "sample"]].nunique()
    plate     24
    sample     6
    dtype: int64
    """
    return _read("penicillin", factors=["plate", "sample"])


def load_pastes() -> pd.DataFrame:
    """Load the strengths of a chemical paste from three casks of each of ten deliveries.

    Casks are nested in batches: the labels a, b and c are used again in every batch, while
    ``sample`` names each cask of each batch. Every sample was assayed twice.

    Returns
    -------
    pandas.DataFrame of shape (60, 4)
        - ``strength``: strength of the paste (float);
        - ``batch``: delivery (category, A to J);
        - ``cask``: cask within the delivery (category, a to c);
        - ``sample``: batch and cask, ``A:a`` to ``J:c`` (category, 30 levels).

    References
    ----------
    Davies, O. L. and Goldsmith, P. L. (eds) (1972). Statistical Methods in Research and Production,
    4th ed. Oliver and Boyd, section 6.5. Shipped by the R package lme4 as ``Pastes``.

    Examples
    --------
    >>> from skmixed.datasets import load_pastes
    >>> load_pastes()[["batch", "cask", "sample"]].nunique()
    batch     10
    cask       3
    sample    30
    dtype: int64
    """
    return _read("pastes", factors=["batch", "cask", "sample"])


def _read(name: str, *, factors: list[str]) -> pd.DataFrame:
    """Read one bundled file, with its factors as categories whose labels are text."""
    with files("skmixed.datasets").joinpath("data", f"{name}.csv").open(encoding="utf-8") as file:
        frame = pd.read_csv(file, dtype=dict.fromkeys(factors, str))
    return frame.astype(dict.fromkeys(factors, "category"))
