"""A residual standard deviation that is a power of a covariate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.covariate_variance import CovariateVariance
from skmixed.residual.variance import check_rows, numbers

__all__ = ["VariancePower"]


@dataclass(frozen=True)
class VariancePower(CovariateVariance):
    r"""Let the residual standard deviation be proportional to a power of a covariate.

    .. math:: \operatorname{sd}(e_i) = \sigma |v_i|^{\mathrm{power}}

    sigma is the standard deviation where the covariate v is 1 (nlme's varPower [1]_). If v is the
    fitted values, the model is refitted with the fitted values of the previous fit until they no
    longer change, as in nlme.

    Parameters
    ----------
    of : str or int
        The column of the covariate, which may not be 0; ``"fitted"`` for the fitted values, random
        effects included.
    by : str, int or sequence of these, optional
        A column of labels, each with its own power. All share sigma, so the fit then depends on the
        unit of the covariate.

    See Also
    --------
    VarianceExponential : For covariates that may be 0.

    References
    ----------
    .. [1] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import VariancePower
    >>> learned = VariancePower("age").learn({"age": np.array([1.0, 2.0, 4.0])})
    >>> rho = np.array([1.0])
    >>> learned.names, (learned.natural(rho) * np.log(4.0)).round(6)
    (['power'], array([1.]))
    """

    parameter: ClassVar[str] = "power"
    verb: ClassVar[str] = "proportional to a power of"
    equation: ClassVar[str] = r"|v_i|^{\delta}"

    def predictor(self, covariate: Any) -> NDArray[np.float64]:
        """Return the logarithm of the absolute values.

        Raises
        ------
        ValueError
            If a value is 0, or not a finite number.
        """
        size = np.abs(numbers(covariate, f"The covariate {self.of!r} of VariancePower"))
        check_rows(
            size > 0.0,
            size,
            f"The covariate {self.of!r} of VariancePower must not be 0, where the variance would "
            "be 0 or infinite",
            f"Add a constant to the covariate, or use VarianceExponential({self.of!r}).",
        )
        return np.log(size)
