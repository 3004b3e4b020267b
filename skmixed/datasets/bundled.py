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
    return _read("sleepstudy", "Subject")


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
    return _read("dyestuff", "Batch")


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
    return _read("dyestuff2", "Batch")


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
    return _read("penicillin", "plate", "sample")


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
    return _read("pastes", "batch", "cask", "sample")


def load_orthodont() -> pd.DataFrame:
    """Load the growth of a distance in the jaw of 27 children between 8 and 14 years.

    The distance from the pituitary to the pterygomaxillary fissure was measured on X-rays of 16
    boys and 11 girls, every other year. Boys grow faster, and their measurements scatter more: the
    usual example of residual variances that differ between groups.

    Returns
    -------
    pandas.DataFrame of shape (108, 4)
        - ``distance``: the distance, in millimetres (float);
        - ``age``: age in years, 8, 10, 12 or 14 (int);
        - ``Subject``: child (category, M01 to M16 and F01 to F11);
        - ``Sex``: ``Male`` or ``Female`` (category).

    References
    ----------
    Potthoff, R. F. and Roy, S. N. (1964). A generalized multivariate analysis of variance model
    useful especially for growth curve problems. Biometrika 51, 313-326, table 1. Shipped by the R
    package nlme as ``Orthodont``.

    Examples
    --------
    >>> from skmixed.datasets import load_orthodont
    >>> load_orthodont().pivot_table("distance", "Sex", "age", observed=True).round(1)
    age       8     10    12    14
    Sex
    Male    22.9  23.8  25.7  27.5
    Female  21.2  22.2  23.1  24.1
    """
    boys = [f"M{number:02}" for number in range(1, 17)]
    girls = [f"F{number:02}" for number in range(1, 12)]
    return _read("orthodont", Subject=boys + girls, Sex=["Male", "Female"])


def load_fev() -> pd.DataFrame:
    """Load an artificial clinical trial: lung function of 200 patients at four visits.

    Patients were given a treatment or a placebo. Of the 800 planned measurements a third is
    missing; three patients have none.

    Returns
    -------
    pandas.DataFrame of shape (800, 10)
        - ``USUBJID``: patient (category, 200 levels);
        - ``AVISIT``: visit (category, VIS1 to VIS4);
        - ``ARMCD``: arm, placebo or treatment (category, PBO and TRT);
        - ``RACE`` (category, 3 levels), ``SEX`` (category, Male and Female);
        - ``FEV1_BL``: forced expiratory volume in one second before the trial (float);
        - ``FEV1``: the same at the visit, NaN where it was not measured (float);
        - ``WEIGHT``: a weight of the row (float);
        - ``VISITN``: number of the visit, 1 to 4 (int);
        - ``VISITN2``: a second coordinate of the visit, to compute distances with (float).

    References
    ----------
    mmrm: Mixed Models for Repeated Measures, an R package of the openpharma project,
    https://openpharma.github.io/mmrm, data set ``fev_data``. Apache License 2.0, a copy of which is
    beside the file.

    Examples
    --------
    >>> from skmixed.datasets import load_fev
    >>> trial = load_fev()
    >>> trial.groupby(["ARMCD", "AVISIT"], observed=True)["FEV1"].count().unstack()
    AVISIT  VIS1  VIS2  VIS3  VIS4
    ARMCD
    PBO       68    69    71    67
    TRT       66    71    58    67
    """
    return _read("fev", "USUBJID", "AVISIT", "ARMCD", "RACE", SEX=["Male", "Female"])


def _read(name: str, *alphabetical: str, **ordered: list[str]) -> pd.DataFrame:
    """Read one bundled file, with its factors as categories of text, by name or in given order."""
    factors = {**dict.fromkeys(alphabetical), **ordered}
    with files("skmixed.datasets").joinpath("data", f"{name}.csv").open(encoding="utf-8") as file:
        frame = pd.read_csv(file, dtype=dict.fromkeys(factors, str))
    return frame.astype({column: pd.CategoricalDtype(levels) for column, levels in factors.items()})
