"""Simulated twins of two studies of decisions and counts; ``studies.py`` says what a twin is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import Bunch

from skmixed.datasets.common import RandomSource, as_factor, as_generator, draw_effects
from skmixed.datasets.levels import draw_levels, draw_log_weights

# Women and men of each evening; every woman meets every man.
_EVENINGS = (
    (7, 6), (16, 14), (8, 10), (18, 16), (9, 9), (4, 5), (16, 15), (10, 9), (17, 20), (9, 9),
    (18, 20), (14, 13), (6, 9), (19, 18), (18, 17), (5, 7), (9, 11), (5, 6), (14, 14), (4, 4),
    (20, 22),
)  # fmt: skip
_RACES = (0.55, 0.25, 0.1, 0.1)
_RATINGS = ("attractive_sc", "sincere_sc", "intelligent_sc")
_RATING_CORRELATION = np.array([[1.0, 0.4, 0.4], [0.4, 1.0, 0.65], [0.4, 0.65, 1.0]])

# Chicks of the broods in turn: the twin is as unbalanced as the study.
_BROOD_SIZES = (3, 2, 5, 1, 3, 4, 3, 2, 6, 3, 1, 5, 4, 3, 7, 2, 5, 3)
_MEAN_HEIGHT = 462.0


def make_speed_dating(
    n_evenings: int = 21, *, coef: bool = False, random_state: RandomSource = None
) -> Any:
    """Generate the decisions of people who meet each other for a few minutes each.

    On an evening every woman meets every man, both rate the other, and both say whether they want
    to meet again. Raters and partners are crossed: some say yes more easily than others, and some
    are said yes to more often than their ratings explain.

    Parameters
    ----------
    n_evenings : int, default=21
        Number of evenings, each with people of its own.
    coef : bool, default=False
        Whether the true parameters are returned too.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers.

    Returns
    -------
    frame : pandas.DataFrame
        A row for each decision: ``iid`` (who decides), ``partner_id`` (about whom: the partner's
        ``iid``), ``wave`` (the evening), ``sex`` (of who decides), ``samerace`` and ``decision``
        (categories), and ``attractive_sc``, ``sincere_sc`` and ``intelligent_sc``, ratings around
        0 in steps of 2.
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, a Series by term, on the logit scale; ``re_sd`` and
        ``random_effects``, one entry for raters and one for partners.

    References
    ----------
    Fisman, R., Iyengar, S. S., Kamenica, E. and Simonson, I. (2006). Gender differences in mate
    selection: evidence from a speed dating experiment. Quarterly Journal of Economics 121, 673-697.

    Examples
    --------
    >>> from skmixed.datasets import make_speed_dating
    >>> dates = make_speed_dating(random_state=0)
    >>> dates[["iid", "partner_id"]].nunique().tolist(), dates["decision"].unique().tolist()
    ([500, 500], ['Yes', 'No'])
    """
    generator = as_generator(random_state)
    rater, partner, evening, male = _meetings(np.resize(_EVENINGS, (n_evenings, 2)))
    n_people = int(rater.max()) + 1
    race = generator.choice(len(_RACES), size=n_people, p=_RACES)
    same = race[rater] == race[partner]
    ratings = _ratings(rater, partner, n_people, male[rater], generator)
    re_sd = np.array([1.7, 0.65])
    truth = Bunch(
        beta=pd.Series(
            {
                "Intercept": -0.8,
                "sex[T.Male]": 0.2,
                "samerace[T.Yes]": 0.3,
                "attractive_sc": 0.5,
                "sincere_sc": 0.1,
                "intelligent_sc": 0.14,
            }
        ),
        re_sd=re_sd,
        random_effects=[sd * generator.standard_normal(n_people) for sd in re_sd],
    )
    X = np.column_stack([np.ones(rater.size), male[rater], same, ratings])
    eta = X @ truth.beta.to_numpy()
    eta += truth.random_effects[0][rater] + truth.random_effects[1][partner]
    yes = generator.random(rater.size) < 1.0 / (1.0 + np.exp(-eta))
    frame = pd.DataFrame(
        {
            "iid": rater + 1,
            "partner_id": partner + 1,
            "wave": evening + 1,
            "sex": as_factor(male[rater], ["Female", "Male"]),
            "samerace": as_factor(same, ["No", "Yes"]),
            **dict(zip(_RATINGS, ratings.T, strict=True)),
            "decision": as_factor(yes, ["No", "Yes"]),
        }
    )
    return (frame, truth) if coef else frame


def _meetings(evenings: NDArray[np.intp]) -> tuple[NDArray[Any], ...]:
    """Return rater, partner and evening of each decision, and whether each person is a man."""
    raters, partners, which = [], [], []
    men = np.concatenate([np.repeat([False, True], sizes) for sizes in evenings])
    first = 0
    for evening, (n_women, n_men) in enumerate(evenings):
        woman, man = np.indices((n_women, n_men)).reshape(2, -1) + np.array(
            [[first], [first + n_women]]
        )
        raters += [woman, man]
        partners += [man, woman]
        which += [np.full(2 * woman.size, evening)]
        first += n_women + n_men
    return np.concatenate(raters), np.concatenate(partners), np.concatenate(which), men


def _ratings(
    rater: NDArray[Any],
    partner: NDArray[Any],
    n_people: int,
    male: NDArray[Any],
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw the three ratings of each meeting: raters are kind or not, partners please or not."""
    kindness, appeal, residuals = (
        draw_effects(np.outer(sd, sd) * _RATING_CORRELATION, n, generator)
        for sd, n in (
            (np.array([1.9, 2.0, 1.8]), n_people),
            (np.array([2.1, 0.9, 0.85]), n_people),
            (np.array([2.6, 2.6, 2.3]), rater.size),
        )
    )
    scores = kindness[rater] + appeal[partner] + residuals
    scores[:, 0] += male - 0.5
    return np.clip(2.0 * np.round(scores / 2.0), -14.0, 6.0)


def make_ticks(
    n_broods: int = 118,
    n_locations: int = 63,
    *,
    coef: bool = False,
    random_state: RandomSource = None,
) -> Any:
    """Generate counts of ticks on the heads of red grouse chicks.

    Chicks of a brood share a territory, and broods a location on the moor. Ticks cluster more than
    that: each chick has a rate of its own, so that counts vary more than a Poisson distribution
    lets them.

    Parameters
    ----------
    n_broods : int, default=118
        Number of broods, with one to seven chicks each.
    n_locations : int, default=63
        Number of locations, each with a height above the sea and at least one brood.
    coef : bool, default=False
        Whether the true parameters are returned too.
    random_state : int, Generator, RandomState or None, default=None
        Source of the random numbers.

    Returns
    -------
    frame : pandas.DataFrame
        ``INDEX`` (number of the chick), ``TICKS``, ``BROOD``, ``HEIGHT`` (metres above the sea),
        ``YEAR`` (category: 95, 96 or 97), ``LOCATION`` and ``cHEIGHT`` (``HEIGHT`` around its
        mean).
    truth : sklearn.utils.Bunch
        Only with ``coef=True``. ``beta``, a Series by term, on the log scale; ``re_sd`` and
        ``random_effects``, one entry each for chicks, broods and locations.

    References
    ----------
    Elston, D. A., Moss, R., Boulinier, T., Arrowsmith, C. and Lambin, X. (2001). Analysis of
    aggregation, a worked example: numbers of ticks on red grouse chicks. Parasitology 122, 563-569.

    Examples
    --------
    >>> from skmixed.datasets import make_ticks
    >>> ticks = make_ticks(random_state=0)
    >>> ticks[["INDEX", "BROOD", "LOCATION"]].nunique().tolist()
    [404, 118, 63]
    """
    generator = as_generator(random_state)
    even = draw_log_weights(np.array([n_locations]), np.zeros(1), generator)
    of_brood = draw_levels(n_broods, even, generator)[:, 0]
    brood = np.repeat(np.arange(n_broods), np.resize(_BROOD_SIZES, n_broods))
    location = of_brood[brood]
    year = 95 + generator.permutation(np.arange(n_broods) % 3)[brood]
    height = (403.0 + 130.0 * generator.beta(1.2, 1.5, n_locations)).round()[location]
    truth = Bunch(
        beta=pd.Series(
            {"Intercept": 0.4, "YEAR[T.96]": 1.2, "YEAR[T.97]": -1.0, "cHEIGHT": -0.024}
        ),
        re_sd=np.array([0.55, 0.75, 0.55]),
    )
    levels: list[Any] = [np.arange(brood.size), brood, location]
    truth.random_effects = [
        sd * generator.standard_normal(int(codes.max()) + 1)
        for sd, codes in zip(truth.re_sd, levels, strict=True)
    ]
    X = np.column_stack([np.ones(brood.size), year == 96, year == 97, height - _MEAN_HEIGHT])
    eta = X @ truth.beta.to_numpy()
    eta += sum(b[codes] for b, codes in zip(truth.random_effects, levels, strict=True))
    frame = pd.DataFrame(
        {
            "INDEX": np.arange(brood.size) + 1,
            "TICKS": generator.poisson(np.exp(eta)),
            "BROOD": brood + 501,
            "HEIGHT": height.astype(int),
            "YEAR": pd.Categorical(year, categories=[95, 96, 97]),
            "LOCATION": location.astype("int64") + 1,
            "cHEIGHT": height - _MEAN_HEIGHT,
        }
    )
    return (frame, truth) if coef else frame
