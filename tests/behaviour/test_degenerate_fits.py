"""What may be asked about degenerate fits: a value, NaN or a clear ValueError is the answer."""

from __future__ import annotations

import warnings

import pytest
from behaviour.degenerate import NUMBERS, OF_ESTIMATORS, OF_INFERENCE, OF_RESULTS, cases, fitted

from skmixed import inference
from skmixed.results import MixedLMResults

pytestmark = pytest.mark.exhaustive(11)

QUESTIONS = {
    **{f"inference.{name}": question for name, question in OF_INFERENCE.items()},
    **{f"results.{name}": question for name, question in OF_RESULTS.items()},
    **{f"estimator.{name}": question for name, question in OF_ESTIMATORS.items()},
}


def marks(name, question):
    """Mark what takes long: searches without an end, and profiles of crossed factors."""
    endless = name.startswith("n = 3, ") and question.startswith("inference.")
    long = endless or (question == "inference.profile" and name.endswith("crossed"))
    return [pytest.mark.slow] if long else []


def refusal(question, results, rows):
    """Return the ValueError that is the answer, None if there is another."""
    try:
        question(results, rows)
    except ValueError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("name", "question"),
    [pytest.param(a, b, marks=marks(a, b)) for a in cases() for b in QUESTIONS],
)
def test_a_degenerate_fit_answers_or_says_why_not(name, question):
    """Warnings may repeat what the fit said; numpy's and errors of linear algebra may not pass."""
    results, rows = fitted(name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        error = refusal(QUESTIONS[question], results, rows)
    assert error is None or (type(error) is ValueError and str(error).endswith("."))


@pytest.mark.parametrize("name", cases())
def test_the_numbers_of_a_degenerate_fit(name):
    results, _ = fitted(name)
    for attribute in NUMBERS:
        getattr(results, attribute)


def test_every_public_function_and_method_is_asked():
    public = {name for name in dir(inference) if name[0].islower()}
    functions = {name for name in public if callable(getattr(inference, name))}
    assert functions <= set(OF_INFERENCE)
    methods = {name for name in dir(MixedLMResults) if not name.startswith("_")} - set(NUMBERS)
    assert methods <= set(OF_RESULTS)
