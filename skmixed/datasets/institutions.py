"""Simulated twins of two studies of institutions; ``studies.py`` says what a twin is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import Bunch

from skmixed.datasets.common import RandomSource, as_factor, as_generator
from skmixed.datasets.crossed import make_crossed_regression

# Nurses of the wards in turn: the twin is as unbalanced as the study.
_WARD_SIZES = (9, 10, 9, 10, 12)
_HOSPITAL_SIZES = ("large", "medium", "small", "medium", "small", "medium")


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
            "primary_school_id": schools["group1"].astype("int64") + 1,
            "secondary_school_id": schools["group2"].astype("int64") + 1,
            "sex": as_factor(male, ["female", "male"]),
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
            "sex": as_factor(male, ["Female", "Male"]),
            "experience": experience.astype(int),
            "wardtype": as_factor(special, ["general care", "special care"]),
            "hospsize": pd.Categorical(size, categories=["large", "medium", "small"]),
            "treatment": as_factor(trained, ["Ctrl", "Training"]),
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
