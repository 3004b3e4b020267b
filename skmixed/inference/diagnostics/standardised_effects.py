"""Conditional modes over their own standard deviations, to be compared with the normal."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skmixed.fitting.lmm_fit import LMMFit
from skmixed.fitting.random_effects import RandomEffects

__all__ = ["standardised_effects"]

FloatArray = NDArray[np.float64]

# A mode whose variance is a smaller part of its effect's is 0 whatever the data.
DETERMINED = 1e-10


def standardised_effects(fit: LMMFit) -> dict[str, pd.DataFrame]:
    r"""Return the modes of each factor over the standard deviations that they have under the model.

    With :math:`P = V^{-1} - V^{-1}X(X'V^{-1}X)^{-1}X'V^{-1}` the modes :math:`\Psi Z'Py` have
    covariance :math:`\sigma^2 \Psi Z'PZ\Psi` (Lange and Ryan 1989, The Annals of Statistics 17).
    Small groups shrink more, so that modes as they are would have heavy tails in unbalanced data.
    """
    return {effects.name: _of_factor(effects, fit) for effects in fit.random}


def _of_factor(effects: RandomEffects, fit: LMMFit) -> pd.DataFrame:
    """Return the modes of one factor over their standard deviations."""
    variances = np.zeros(effects.modes.shape)
    whole = effects.effect_covariance.diagonal()
    if effects.position is not None:
        root = effects.working_sigma * effects.coordinates.matrix
        cross = np.einsum("qr,grp->gqp", root, effects.standardised_cross)
        of_beta = np.einsum("gqp,ps,gqs->gq", cross, fit.fixed.unscaled_covariance, cross)
        given_data = np.einsum("gqq->gq", effects.conditional_covariance)
        variances = whole - given_data - of_beta
    random = variances > DETERMINED * whole
    values = np.where(random, effects.modes, np.nan) / np.sqrt(np.where(random, variances, 1.0))
    return pd.DataFrame(values, effects.levels.labels, list(effects.effect_names))
