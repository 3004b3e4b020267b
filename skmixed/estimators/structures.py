"""Which random effects a covariance structure makes sense for."""

from __future__ import annotations

from skmixed.covariance import JointCovariance, needs_ordered_effects
from skmixed.design.design import Design

__all__ = ["require_ordered_effects"]


def require_ordered_effects(design: Design, covariance: JointCovariance) -> None:
    """Raise ValueError if a covariance over occasions has anything but one effect for each.

    Parameters
    ----------
    covariance : JointCovariance
        The structures of its blocks.
    """
    for block, joint in zip(design.blocks, covariance.factors, strict=True):
        for term, structure in zip(block.terms, joint.structures, strict=True):
            if not needs_ordered_effects(structure):
                continue
            name = block.factor.levels.name
            if len(term.effect_names) == 1:
                raise ValueError(
                    f"The covariance {structure!r} of '{name}' has one effect, "
                    f"{list(term.effect_names)}: expected an effect for each of two or more "
                    "occasions. Make the time a factor, as in 'ar1(0 + C(time) | g)', or name a "
                    "column for each occasion in random_slopes; other factors get their covariance "
                    "by a dict."
                )
            if term.intercept is not None:
                raise ValueError(
                    f"The covariance {structure!r} of '{name}' is over "
                    f"{list(term.effect_names)}: expected one effect for each occasion, and no "
                    "intercept. Leave it out by 'ar1(0 + occasion | g)', or by "
                    "random_intercept=False."
                )
