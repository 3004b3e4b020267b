"""What words offers: read by type checkers, and by lazy_loader at run time."""

from .description import describe as describe
from .equation import Equation as Equation
from .equation import equation as equation
