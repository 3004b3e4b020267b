"""Kenward and Roger's method from the marginal model in natural parameters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmixed.inference.coefficients.kenward_roger import (
    KenwardRoger,
    adjusted,
    inverse_in_told_directions,
)
from skmixed.inference.coefficients.marginal_information import (
    Information,
    MarginalInformation,
    marginal_information,
    weighted_products,
)
from skmixed.inference.coefficients.marginal_model import MarginalModel

__all__ = ["marginal_kenward_roger", "parameter_covariance_of"]

FloatArray = NDArray[np.float64]


def marginal_kenward_roger(
    model: MarginalModel, *, information: Information, second_order: bool
) -> KenwardRoger:
    """Adjust the covariance of the coefficients of a marginal model that REML has fitted.

    Parameters
    ----------
    information : {"observed", "expected"}
        Whose inverse is the covariance of the variance parameters.
    second_order : bool
        Whether the second derivatives of V count (Kenward and Roger 1997). Without them the result
        does not depend on the parameters in which V is written.

    References
    ----------
    .. [1] M. G. Kenward and J. H. Roger (1997). Small sample inference for fixed effects from
       restricted maximum likelihood. Biometrics 53, 983-997.
    .. [2] M. G. Kenward and J. H. Roger (2009). An improved approximation to the precision of fixed
       effects from restricted maximum likelihood. Computational Statistics and Data Analysis 53,
       2583-2595.
    """
    parts = marginal_information(model, reml=True)
    W = parameter_covariance_of(parts, information)
    products = weighted_products(model, W, second_order=second_order)
    return adjusted(model.covariance, W, parts.changes, products)


def parameter_covariance_of(parts: MarginalInformation, information: Information) -> FloatArray:
    """Return the inverse information on the parameters in the directions that the rows tell."""
    chosen = parts.observed if information == "observed" else parts.expected
    return inverse_in_told_directions(chosen, parts.known)
