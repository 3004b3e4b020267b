"""Bootstrap of generalised models."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from behaviour.generalised_fits import fitted, rows
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

from skmixed import inference, mixedglm
from skmixed.inference.replication.resampling import counted_groups


def test_a_replicate_has_all_parameters_and_no_sigma():
    results = fitted("zero inflation")
    draws = inference.bootstrap(results, 3, random_state=0)
    names = [*results.params.index, "sd_Intercept|g", "zero_inflation_Intercept"]
    assert list(draws.estimates.index) == names
    assert_allclose(draws.estimates["zero_inflation_Intercept"], results.zero_inflation_params)
    assert {"theta[0]", "log_likelihood", "converged"} <= set(draws.draws.columns)


def test_replicates_are_fits_of_simulated_responses():
    results = fitted("gamma")
    draws = inference.bootstrap(results, 2, random_state=3).draws
    responses = inference.simulate(results, 2, random_state=3)
    for response, (_, draw) in zip(responses.T, draws.iterrows(), strict=True):
        again = results.model.with_response(response).fit()
        assert draw["log_likelihood"] == pytest.approx(again.log_likelihood, abs=1e-7)
        assert draw["x"] == pytest.approx(again.fixed.coefficients[-1], abs=1e-5)


def test_processes_change_nothing():
    alone, together = (
        inference.bootstrap(fitted("poisson"), 3, random_state=1, n_jobs=n_jobs).draws
        for n_jobs in (None, 2)
    )
    assert_frame_equal(alone, together)


def test_groups_that_count_twice_are_two_groups():
    results = fitted("poisson")
    counts = np.ones(15, dtype=np.intp)
    counts[[0, 3]] = 2, 0
    drawn = counted_groups(results.model, counts).fit()
    table = rows()
    twice = table[table["g"] == "a"].assign(g="another")
    written = mixedglm(
        results.formula,
        pd.concat([table[table["g"] != "d"], twice], ignore_index=True),
        family="poisson",
    )
    assert len(drawn.random[0].levels) == 15
    assert drawn.log_likelihood == pytest.approx(written.llf, abs=1e-7)


def test_a_statistic_gets_results_that_predict():
    draws = inference.bootstrap(
        fitted("poisson"), 2, statistic=lambda r: {"first": r.predict(rows().head(1))[0]}
    )
    assert (draws.draws["first"] > 0.0).all()
