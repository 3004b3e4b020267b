"""The simulated twins have the design of their studies, and follow the model that they state."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skmixed.datasets import (
    make_gpa,
    make_nurses,
    make_pigs,
    make_pupils,
    make_speed_dating,
    make_ticks,
)

TWINS = [make_gpa, make_nurses, make_pigs, make_pupils, make_speed_dating, make_ticks]
# Monte-Carlo checks allow this many standard errors.
STANDARD_ERRORS = 5


def assert_variance(values, expected):
    """Compare the mean square of independent normal variables with their variance."""
    error = expected * np.sqrt(2 / values.size)
    assert abs(np.mean(values**2) - expected) <= STANDARD_ERRORS * error


def fixed_part(frame, beta):
    """Return X beta, with terms named as patsy names them."""
    total = np.zeros(len(frame))
    for term, value in beta.items():
        name, _, level = str(term).partition("[T.")
        if term == "Intercept":
            total += value
        else:
            column = frame[name].astype(str) == level.removesuffix("]") if level else frame[name]
            total += value * column.to_numpy(dtype=float)
    return total


def test_pigs_follow_their_own_lines() -> None:
    frame, truth = make_pigs(2_000, 9, coef=True, random_state=0)
    b = truth.random_effects[frame["id"] - 1]
    residuals = frame["weight"] - fixed_part(frame, truth.beta) - b[:, 0] - b[:, 1] * frame["week"]
    # Rounding to the nearest half adds the variance of a uniform variable, 0.5^2 / 12.
    assert_variance(residuals, truth.sigma**2 + 0.25 / 12)
    assert_variance(truth.random_effects[:, 0], truth.re_cov[0, 0])
    assert_variance(truth.random_effects[:, 1], truth.re_cov[1, 1])


def test_students_follow_their_own_lines() -> None:
    frame, truth = make_gpa(2_000, 6, coef=True, random_state=0)
    b = truth.random_effects[frame["student"] - 1]
    residuals = frame["gpa"] - fixed_part(frame, truth.beta) - b[:, 0] - b[:, 1] * frame["occasion"]
    # At the best mark the residuals are cut off.
    within = frame["gpa"] - residuals < 3.2
    assert_variance(residuals[within], truth.sigma**2 + 0.01 / 12)
    assert frame["gpa"].between(1.0, 4.0).all()


def test_pupils_have_the_effects_of_both_schools() -> None:
    frame, truth = make_pupils(20_000, 500, 300, coef=True, random_state=0)
    primary, secondary = truth.random_effects
    residuals = frame["achievement"] - fixed_part(frame, truth.beta)
    residuals -= primary[frame["primary_school_id"] - 1]
    residuals -= secondary[frame["secondary_school_id"] - 1]
    assert_variance(residuals, truth.sigma**2 + 0.01 / 12)
    assert_variance(primary, truth.re_sd[0] ** 2)
    assert_variance(secondary, truth.re_sd[1] ** 2)


def test_nurses_have_the_effects_of_hospital_and_ward() -> None:
    frame, truth = make_nurses(1_000, coef=True, random_state=0)
    hospital, ward = truth.random_effects
    residuals = frame["stress"] - fixed_part(frame, truth.beta)
    residuals -= hospital[frame["hospital"] - 1]
    residuals -= ward[4 * (frame["hospital"] - 1) + frame["ward"] - 1]
    # Away from the ends of the scale, where stress is cut off.
    inside = (frame["stress"] - residuals).between(3.0, 5.0)
    assert_variance(residuals[inside], truth.sigma**2 + 1 / 12)
    assert_variance(ward, truth.re_sd[1] ** 2)


def test_decisions_follow_the_logit_of_their_raters_and_partners() -> None:
    frame, truth = make_speed_dating(coef=True, random_state=0)
    rater, partner = truth.random_effects
    eta = fixed_part(frame, truth.beta) + rater[frame["iid"] - 1] + partner[frame["partner_id"] - 1]
    p = 1 / (1 + np.exp(-eta))
    residuals = (frame["decision"] == "Yes") - p
    for column in (np.ones(len(frame)), eta, frame["attractive_sc"]):
        error = np.sqrt(np.sum(column**2 * p * (1 - p)))
        assert abs(np.sum(column * residuals)) <= STANDARD_ERRORS * error


def test_everybody_meets_everybody_of_the_other_sex_on_an_evening() -> None:
    frame = make_speed_dating(random_state=0)
    sex = frame.groupby("iid")["sex"].first()
    assert (frame["sex"].to_numpy() != sex[frame["partner_id"]].to_numpy()).all()
    pairs = set(zip(frame["iid"], frame["partner_id"], strict=True))
    assert len(pairs) == len(frame)
    assert pairs == {(partner, rater) for rater, partner in pairs}


def test_ticks_follow_the_rate_of_each_chick() -> None:
    frame, truth = make_ticks(5_000, 2_000, coef=True, random_state=0)
    chick, brood, location = truth.random_effects
    eta = fixed_part(frame, truth.beta) + chick[frame["INDEX"] - 1]
    eta += brood[frame["BROOD"] - 501] + location[frame["LOCATION"] - 1]
    rate = np.exp(eta)
    error = np.sqrt(rate.sum())
    assert abs(frame["TICKS"].sum() - rate.sum()) <= STANDARD_ERRORS * error
    assert_variance(brood, truth.re_sd[1] ** 2)
    assert (frame.groupby("BROOD")[["YEAR", "LOCATION"]].nunique() == 1).all(axis=None)
    assert (frame.groupby("LOCATION")["HEIGHT"].nunique() == 1).all()


@pytest.mark.parametrize(
    ("make", "factors", "shape"),
    [
        (make_gpa, {"student": 200}, (1200, 5)),
        (make_nurses, {"hospital": 25, "ward": 4}, (1000, 9)),
        (make_pigs, {"id": 48}, (432, 3)),
        (make_pupils, {"primary_school_id": 50, "secondary_school_id": 30}, (1000, 5)),
        (make_speed_dating, {"iid": 500, "partner_id": 500, "wave": 21}, (7092, 9)),
        (make_ticks, {"INDEX": 404, "BROOD": 118, "LOCATION": 63}, (404, 7)),
    ],
)
def test_design_is_that_of_the_study(make, factors, shape) -> None:
    frame = make(random_state=0)
    assert frame.shape == shape
    assert frame[list(factors)].nunique().to_dict() == factors
    assert not frame.isna().any(axis=None)


def test_training_differs_between_wards_only() -> None:
    wards = make_nurses(random_state=0).groupby(["hospital", "ward"])
    assert (wards[["treatment", "wardtype", "hospsize"]].nunique() == 1).all(axis=None)
    first = wards[["treatment", "wardtype"]].first().reset_index()
    per_hospital = first.value_counts(["hospital", "treatment", "wardtype"])
    assert_array_equal(per_hospital, np.ones(100))
    # The label of a ward says nothing about its training.
    assert pd.crosstab(first["ward"], first["treatment"]).to_numpy().min() > 5


def test_schools_are_crossed() -> None:
    table = pd.crosstab(*(make_pupils(random_state=0).iloc[:, j] for j in range(2)))
    assert (table > 0).sum(axis=1).min() > 5
    assert (table > 0).sum(axis=0).min() > 5


@pytest.mark.parametrize("make", TWINS)
def test_same_random_state_gives_the_same_data(make) -> None:
    pd.testing.assert_frame_equal(make(random_state=3), make(random_state=3))
    assert not make(random_state=3).equals(make(random_state=4))


@pytest.mark.parametrize("make", TWINS)
def test_truth_comes_with_the_same_rows(make) -> None:
    frame, truth = make(coef=True, random_state=0)
    pd.testing.assert_frame_equal(frame, make(random_state=0))
    if "sigma" in truth:
        assert_allclose(fixed_part(frame, truth.beta).mean(), frame.iloc[:, -1].mean(), rtol=0.1)
