"""Any data with a residual structure: a finite fit, or a ValueError that says why not.

SKMIXED_FUZZ_SEED and SKMIXED_FUZZ_CASES choose other samples, and more of them.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skmixed import mixedlm

from .hard_residuals import hard_residual
from .test_hard_data import CASES, SEED, assert_explains, blamed_on

pytestmark = pytest.mark.exhaustive(11)


@pytest.mark.parametrize("case", CASES)
def test_a_fit_is_finite_or_refused_in_words(case: int) -> None:
    sample = hard_residual(SEED, case)
    with blamed_on(sample):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)
                warnings.simplefilter("ignore", ConvergenceWarning)
                results = mixedlm(
                    sample.formula,
                    sample.frame,
                    residual=sample.structure,
                    method=sample.method,
                )
        except np.linalg.LinAlgError as error:  # A ValueError, too, but no explanation.
            raise AssertionError("an error of linear algebra reached the user") from error
        except ValueError as refusal:
            assert_explains(str(refusal))
            return
        assert np.isfinite(results.sigma)
        unbounded = results.fit.coordinates.exact or not results.converged
        assert np.isfinite(results.llf) or unbounded
        assert np.isfinite(results.fittedvalues).all()
        aliased = results.fit.fixed.aliased
        assert np.isfinite(results.params).all()
        assert np.isfinite(results.bse[~aliased]).all()
        assert np.isfinite([*results.residual_parameters.values()]).all()
        assert len(results.tidy()) == len(results.params)
        assert results.summary()
