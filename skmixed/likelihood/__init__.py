"""Arrays and theta to the profiled log-likelihood, its gradient and its Hessian."""

from __future__ import annotations
