"""Structures of the residuals: correlations within groups and unequal variances.

The public names are listed in ``__init__.pyi`` and imported when they are first used.
"""

from __future__ import annotations

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
