"""A residual standard deviation that grows exponentially with a covariate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from skmixed.residual.covariate_variance import CovariateVariance
from skmixed.residual.variance import numbers

__all__ = ["VarianceExponential"]


@dataclass(frozen=True)
class VarianceExponential(CovariateVariance):
    r"""Let the logarithm of the residual standard deviation be linear in a covariate.

    .. math:: \operatorname{sd}(e_i) = \sigma \exp(\mathrm{expon} \cdot v_i)

    sigma is the standard deviation where the covariate v is 0 (nlme's varExp [1]_). If v is the
    fitted values, the model is refitted with the fitted values of the previous fit until they no
    longer change, as in nlme.

    Parameters
    ----------
    of : str or int
        The column of the covariate; ``"fitted"`` for the fitted values, random effects included.
    by : str, int or sequence of these, optional
        A column of labels, each with its own expon. All share sigma, so the fit then depends on
        the origin of the covariate.

    See Also
    --------
    VariancePower : Powers of a covariate; its unit does not matter.

    References
    ----------
    .. [1] J. C. Pinheiro and D. M. Bates (2000). Mixed-Effects Models in S and S-PLUS. Springer,
       section 5.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skmixed.residual import VarianceExponential
    >>> learned = VarianceExponential("age").learn({"age": np.array([0.0, 5.0, 10.0])})
    >>> learned.names, learned.natural(np.array([1.0]))
    (['expon'], array([0.1]))
    """

    parameter: ClassVar[str] = "expon"
    verb: ClassVar[str] = "exponential in"
    equation: ClassVar[str] = r"\exp(\delta v_i)"

    def predictor(self, covariate: Any) -> NDArray[np.float64]:
        """Return the covariate.

        Raises
        ------
        ValueError
            If a value is not a finite number.
        """
        return numbers(covariate, f"The covariate {self.of!r} of VarianceExponential")
