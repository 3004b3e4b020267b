"""Mixed-effects models that are real scikit-learn estimators.

The public names are listed in ``__init__.pyi`` and imported when they are first used, so that
``import skmixed`` costs next to nothing.
"""

from __future__ import annotations

import lazy_loader as lazy

__version__ = "0.1.0.dev0"

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
