"""Cross-validation of models of groups, scorers that bring labels, and conformal intervals.

The public names are listed in ``__init__.pyi`` and imported when they are first used.
"""

from __future__ import annotations

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
