"""Which metadata the estimators ask scikit-learn to route to them."""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = ["GroupRoutingMixin"]

# What may be given labels beside X.
METHODS = ("fit", "predict", "predict_proba", "predict_log_proba", "decision_function", "score")


class GroupRoutingMixin:
    """Request ``groups`` where it is given as an array, and the switches of predict always."""

    __metadata_request__fit: ClassVar = {"groups": True}
    __metadata_request__score: ClassVar = {"groups": True}
    __metadata_request__predict: ClassVar = {
        "groups": True,
        "include_random_effects": True,
        "return_std": True,
        "return_cov": True,
        "kind": True,
        "variance_uncertainty": True,
        "residual_memory": True,
    }

    def get_metadata_routing(self) -> Any:
        """Return the metadata that the methods request.

        ``groups`` is requested only if the constructor names no column for it: a request of both
        would be refused in ``fit``.

        Returns
        -------
        sklearn.utils.metadata_routing.MetadataRequest
        """
        request = super().get_metadata_routing()  # type: ignore[misc]
        if self._groups_are_columns():
            for method in METHODS:
                getattr(request, method).requests.pop("groups", None)
        return request

    def _groups_are_columns(self) -> bool:
        """Tell whether the labels are among the columns of X."""
        return any(getattr(self, name, None) is not None for name in ("groups", "formula"))
