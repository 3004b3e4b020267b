"""What a correlation structure learns of the times or places of the training rows."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Axis"]


@dataclass(frozen=True, slots=True)
class Axis:
    """Hold the occasions of a correlation structure and the unit of its distances.

    Attributes
    ----------
    occasions : tuple of str
        Names of the distinct times in order; empty where times are numbers on a line or in space.
    unit : float
        Typical distance between neighbours of a group; 1 for occasions.
    largest : int
        Rows of the largest group.
    """

    occasions: tuple[str, ...] = ()
    unit: float = 1.0
    largest: int = 1

    @property
    def n_occasions(self) -> int:
        """Count the occasions."""
        return len(self.occasions)
