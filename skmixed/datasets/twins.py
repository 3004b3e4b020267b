"""Simulated twins of four studies whose data the package may not carry.

A twin has the design of its study and parameters near the study's estimates, and no row of its
data. The parameters are known, so that estimates can be compared with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skmixed.datasets.common import RandomSource, as_generator
from skmixed.datasets.crossed import make_crossed_regression

# Nurses of the wards in turn: the twin is as unbalanced as the study.
_WARD_SIZES = (9, 10, 9, 10, 12)
_HOSPITAL_SIZES = ("large", "medium", "small", "medium", "small", "medium")


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
            "sex": _category(male, ["female", "male"]),
            "highgpa": highgpa,
            "gpa": np.clip(gpa, 1.0, 4.0).round(1),
        }
    )
    return (frame, truth) if coef else frame


def make_pupils(
    n_pupils: int = 1000,
    n_primary: int = 50,
    n_secondary: int = 30,
    *,
    coef: bool = False,
    random_state: RandomSource = None,
) -> Any:
    """Generate achievements of pupils who went to a primary and then to a secondary school.

    The schools are crossed: pupils of one primary school go to many secondary schools, and the
    other way round.

    Parameters
    ----------
    n_pupils : int, default=1000
        Number of pupils.
    n_primary, n_secondary : int, default=50 and 30
        Number of schools of either kind.
    coef : bool, default=False
        Whether the true parameters are returned too.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers.

    Returns
    -------
    frame : pandas.DataFrame of shape (n_pupils, 5)
        ``primary_school_id``, ``secondary_school_id``, ``sex`` (category), ``ses`` (social status
        of the parents, 1 to 6) and ``achievement`` (0 to 10, to the nearest tenth).
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, a Series by term; ``re_sd`` and ``random_effects``, one
        entry for each kind of school; ``sigma``, before rounding.

    References
    ----------
    Hox, J. J., Moerbeek, M. and van de Schoot, R. (2018). Multilevel Analysis: Techniques and
    Applications, 3rd ed. Routledge, chapter 9.

    Examples
    --------
    >>> from skmixed.datasets import make_pupils
    >>> pupils = make_pupils(random_state=0)
    >>> pupils[["primary_school_id", "secondary_school_id"]].nunique().tolist()
    [50, 30]
    """
    generator = as_generator(random_state)
    schools, truth = make_crossed_regression(
        n_pupils,
        (n_primary, n_secondary),
        beta=[6.0],
        re_sd=[0.42, 0.26],
        sigma=0.69,
        coef=True,
        as_frame=True,
        random_state=generator,
    )
    truth.beta = pd.Series({"Intercept": 6.0, "sex[T.male]": -0.26, "ses": 0.11})
    male = generator.random(n_pupils) < 0.5
    ses = generator.choice(6, size=n_pupils, p=[0.06, 0.1, 0.15, 0.22, 0.33, 0.14]) + 1
    achievement = schools["y"] + truth.beta["sex[T.male]"] * male + truth.beta["ses"] * ses
    frame = pd.DataFrame(
        {
            "primary_school_id": schools["group1"] + 1,
            "secondary_school_id": schools["group2"] + 1,
            "sex": _category(male, ["female", "male"]),
            "ses": ses,
            "achievement": achievement.clip(0.0, 10.0).round(1),
        }
    )
    return (frame, truth) if coef else frame


def make_nurses(
    n_hospitals: int = 25, *, coef: bool = False, random_state: RandomSource = None
) -> Any:
    """Generate the stress of nurses in wards of hospitals, half of which were trained against it.

    Wards are nested in hospitals, but their labels 1 to 4 are used again in each. The training is
    given to two wards of each hospital, one of general and one of special care.

    Parameters
    ----------
    n_hospitals : int, default=25
        Number of hospitals, with four wards each and about ten nurses in a ward.
    coef : bool, default=False
        Whether the true parameters are returned too.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers.

    Returns
    -------
    frame : pandas.DataFrame
        ``hospital``, ``ward`` (1 to 4 in each hospital), ``age`` and ``experience`` (years),
        ``sex``, ``wardtype``, ``hospsize`` and ``treatment`` (categories), and ``stress`` (a whole
        number from 1 to 7).
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, a Series by term; ``re_sd`` and ``random_effects``, one
        entry for hospitals and one for wards; ``sigma``, before rounding.

    References
    ----------
    Hox, J. J., Moerbeek, M. and van de Schoot, R. (2018). Multilevel Analysis: Techniques and
    Applications, 3rd ed. Routledge, chapter 2.

    Examples
    --------
    >>> from skmixed.datasets import make_nurses
    >>> nurses = make_nurses(random_state=0)
    >>> nurses.groupby("hospital")["ward"].unique().head(2).tolist()
    [array([1, 2, 3, 4]), array([1, 2, 3, 4])]
    """
    generator = as_generator(random_state)
    truth = _nursing_truth(n_hospitals, generator)
    ward = np.repeat(np.arange(4 * n_hospitals), np.resize(_WARD_SIZES, 4 * n_hospitals))
    hospital = ward // 4
    # Two wards of each care, one of them trained, in an order of the hospital's own.
    kind = generator.permuted(np.tile(np.arange(4), (n_hospitals, 1)), axis=1).ravel()[ward]
    trained, special = kind % 2 == 1, kind >= 2
    age = np.clip(43.0 + 12.0 * generator.standard_normal(ward.size), 23.0, 64.0).round()
    experience = 0.41 * age - 0.5 + 3.5 * generator.standard_normal(ward.size)
    experience = np.clip(experience, 1.0, None).round()
    male = generator.random(ward.size) < 0.265
    size = np.resize(_HOSPITAL_SIZES, n_hospitals)[hospital]
    X = np.column_stack(
        [np.ones(ward.size), age, male, experience, trained, size == "medium", size == "small"]
    )
    stress = X @ truth.beta.to_numpy() + truth.sigma * generator.standard_normal(ward.size)
    stress += truth.random_effects[0][hospital] + truth.random_effects[1][ward]
    frame = pd.DataFrame(
        {
            "hospital": hospital + 1,
            "ward": ward % 4 + 1,
            "age": age.astype(int),
            "sex": _category(male, ["Female", "Male"]),
            "experience": experience.astype(int),
            "wardtype": _category(special, ["general care", "special care"]),
            "hospsize": pd.Categorical(size, categories=["large", "medium", "small"]),
            "treatment": _category(trained, ["Ctrl", "Training"]),
            "stress": np.clip(stress.round(), 1, 7).astype(int),
        }
    )
    return (frame, truth) if coef else frame


def _nursing_truth(n_hospitals: int, generator: np.random.Generator) -> Bunch:
    """Return the parameters of the nurses' stress, and the effects of hospitals and wards."""
    re_sd = np.array([0.35, 0.58])
    return Bunch(
        beta=pd.Series(
            {
                "Intercept": 5.8,
                "age": 0.022,
                "sex[T.Male]": 0.45,
                "experience": -0.062,
                "treatment[T.Training]": -0.7,
                "hospsize[T.medium]": -0.4,
                "hospsize[T.small]": -0.9,
            }
        ),
        re_sd=re_sd,
        sigma=0.37,
        random_effects=[
            sd * generator.standard_normal(n)
            for sd, n in zip(re_sd, (n_hospitals, 4 * n_hospitals), strict=True)
        ],
    )


def _growth(
    n_subjects: int, n_occasions: int, truth: Bunch, generator: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Draw the effects of subjects, and return the subject and the occasion of every row."""
    truth.random_effects = generator.multivariate_normal(np.zeros(2), truth.re_cov, n_subjects)
    rows = np.arange(n_subjects * n_occasions)
    return rows // n_occasions, rows % n_occasions


def _category(second: Any, levels: list[str]) -> Any:
    """Return a factor of two levels from where it has the second one."""
    return pd.Categorical(np.where(second, levels[1], levels[0]), categories=levels)
