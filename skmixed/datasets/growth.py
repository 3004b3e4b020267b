"""Simulated twins of two studies of growth; ``studies.py`` says what a twin is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skmixed.datasets.common import RandomSource, as_factor, as_generator, draw_effects


def make_pigs(
    n_pigs: int = 48,
    n_weeks: int = 9,
    *,
    coef: bool = False,
    random_state: RandomSource = None,
) -> Any:
    """Generate weights of pigs that were weighed every week.

    Pigs differ in their weight at the start and in how fast they gain: a random intercept and a
    random slope, independent of each other.

    Parameters
    ----------
    n_pigs : int, default=48
        Number of pigs.
    n_weeks : int, default=9
        Number of successive weeks, from week 1.
    coef : bool, default=False
        Whether the true parameters are returned too.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers.

    Returns
    -------
    frame : pandas.DataFrame of shape (n_pigs * n_weeks, 3)
        ``id`` (number of the pig), ``week`` and ``weight`` (in kilograms, to the nearest half).
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, a Series by term; ``re_cov`` of shape (2, 2) and
        ``random_effects`` of shape (n_pigs, 2), of intercept and slope; ``sigma``, before rounding.

    References
    ----------
    Diggle, P. J., Liang, K.-Y. and Zeger, S. L. (1994). Analysis of Longitudinal Data. Oxford
    University Press, table 3.1.

    Examples
    --------
    >>> from skmixed.datasets import make_pigs
    >>> pigs = make_pigs(random_state=0)
    >>> pigs.shape, list(pigs.columns)
    ((432, 3), ['id', 'week', 'weight'])
    """
    generator = as_generator(random_state)
    truth = Bunch(
        beta=pd.Series({"Intercept": 19.4, "week": 6.2}),
        re_cov=np.diag([2.6, 0.6]) ** 2,
        sigma=1.25,
    )
    subjects, week = _growth(n_pigs, n_weeks, truth, generator)
    coefficients = truth.beta.to_numpy() + truth.random_effects[subjects]
    weight = coefficients[:, 0] + coefficients[:, 1] * (week + 1)
    weight += truth.sigma * generator.standard_normal(week.size)
    frame = pd.DataFrame({"id": subjects + 1, "week": week + 1, "weight": np.round(2 * weight) / 2})
    return (frame, truth) if coef else frame


def make_gpa(
    n_students: int = 200,
    n_occasions: int = 6,
    *,
    coef: bool = False,
    random_state: RandomSource = None,
) -> Any:
    """Generate grade point averages of students over successive semesters.

    Students differ in their level and in how fast they improve; sex and the average at high school
    explain a part of it.

    Parameters
    ----------
    n_students : int, default=200
        Number of students.
    n_occasions : int, default=6
        Number of semesters, from occasion 0.
    coef : bool, default=False
        Whether the true parameters are returned too.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers.

    Returns
    -------
    frame : pandas.DataFrame of shape (n_students * n_occasions, 5)
        ``student`` (number), ``occasion``, ``sex`` (category), ``highgpa`` and ``gpa`` (averages
        from 1 to 4, to the nearest tenth).
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, a Series by term; ``re_cov`` of shape (2, 2) and
        ``random_effects`` of shape (n_students, 2), of intercept and slope; ``sigma``, before
        rounding.

    References
    ----------
    Hox, J. J., Moerbeek, M. and van de Schoot, R. (2018). Multilevel Analysis: Techniques and
    Applications, 3rd ed. Routledge, chapter 5.

    Examples
    --------
    >>> from skmixed.datasets import make_gpa
    >>> students, truth = make_gpa(coef=True, random_state=0)
    >>> students.shape, truth.random_effects.shape
    ((1200, 5), (200, 2))
    """
    generator = as_generator(random_state)
    truth = Bunch(
        beta=pd.Series(
            {"Intercept": 2.38, "occasion": 0.11, "sex[T.male]": -0.11, "highgpa": 0.09}
        ),
        re_cov=np.array([[0.04, -0.0016], [-0.0016, 0.004]]),
        sigma=0.2,
    )
    students, occasion = _growth(n_students, n_occasions, truth, generator)
    male = generator.random(n_students)[students] < 0.475
    highgpa = np.clip(3.0 + 0.6 * generator.standard_normal(n_students), 2.0, 4.0)
    highgpa = highgpa.round(1)[students]
    X = np.column_stack([np.ones(male.size), occasion, male, highgpa])
    gpa = X @ truth.beta.to_numpy() + truth.sigma * generator.standard_normal(male.size)
    gpa += truth.random_effects[students, 0] + truth.random_effects[students, 1] * occasion
    frame = pd.DataFrame(
        {
            "student": students + 1,
            "occasion": occasion,
            "sex": as_factor(male, ["female", "male"]),
            "highgpa": highgpa,
            "gpa": np.clip(gpa, 1.0, 4.0).round(1),
        }
    )
    return (frame, truth) if coef else frame


def _growth(
    n_subjects: int, n_occasions: int, truth: Bunch, generator: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw the effects of subjects, and return the subject and the occasion of every row."""
    truth.random_effects = draw_effects(truth.re_cov, n_subjects, generator)
    rows = np.arange(n_subjects * n_occasions)
    return rows // n_occasions, rows % n_occasions
