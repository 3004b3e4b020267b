"""Colours that readers tell apart, dashes, and opacity for many artists over each other."""

from __future__ import annotations

import numpy as np

__all__ = [
    "BLACK",
    "BLUE",
    "DASHED",
    "DOTS",
    "GREEN",
    "GREY",
    "LIGHT_GREY",
    "ORANGE",
    "PALETTE",
    "PURPLE",
    "SKY_BLUE",
    "VERMILLION",
    "YELLOW",
    "alpha_for",
]

# Okabe and Ito's palette, which readers who confuse colours can tell apart; its yellow is too pale
# for lines on white and comes last.
BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY_BLUE, PURPLE, BLACK, YELLOW = "#56B4E9", "#CC79A7", "#000000", "#F0E442"
PALETTE = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY_BLUE, BLACK, YELLOW)
GREY, LIGHT_GREY = "#8C8C8C", "#D0D0D0"
# Of observations.
DOTS = "#555555"

# The lines that data are compared with: 0, equality, limits.
DASHED = (0, (4, 3))


def alpha_for(n: int, *, full: int = 20, least: float = 0.04) -> float:
    """Return an opacity at which n lines or points over each other remain legible."""
    return float(np.clip(np.sqrt(full / max(n, 1)), least, 0.9))
