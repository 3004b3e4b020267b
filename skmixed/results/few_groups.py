"""What to say where a variance between groups comes from very few of them."""

from __future__ import annotations

from skmixed.fitting.lmm_fit import LMMFit

__all__ = ["few_groups_notes"]

# Up to so many groups, the 95% limits of their standard deviation are a factor of six apart or
# more, even if rows without end made the means of these groups known.
FEW = 4


def few_groups_notes(fit: LMMFit) -> list[str]:
    """Return one sentence or two for each factor of few groups whose variance is estimated."""
    arbitrary = fit.unidentified.factors if fit.unidentified else []
    return [
        f"{effects.name} has only {len(effects.levels)} groups, so the variance between them is "
        f"poorly known (degrees of freedom: {len(effects.levels) - 1} at most). See its limits by "
        f"confint(..., 'profile'), or make {effects.name} a fixed effect if no other groups are of "
        "interest."
        for i, effects in enumerate(fit.random)
        if effects.estimable and len(effects.levels) <= FEW and i not in arbitrary
    ]
