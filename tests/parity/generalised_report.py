"""Print how inference agrees with R: ``python -m tests.parity.generalised_report [CASE ...]``.

Cases are those of glmm_inference.json. For each kind of record it counts the numbers within R's
tolerance, beyond it, missing because a call failed, and left out because R's is another quantity.
The first message of each kind that failed follows.
"""

from __future__ import annotations

import sys
from collections.abc import Collection

from .glmm_inference import RECORDS, summary
from .inference_kinds import Numbers, numbers

__all__ = ["attempted"]


def attempted(cases: Collection[str]) -> tuple[dict[str, Numbers], dict[str, str]]:
    """Return our numbers by record, and why those of others are missing, by kind."""
    found: dict[str, Numbers] = {}
    reasons: dict[str, str] = {}
    for name, record in RECORDS.items():
        if cases and record.case not in cases:
            continue
        try:
            found[name] = numbers(record)
        except Exception as error:  # Whatever fails, the others are counted.
            reasons.setdefault(record.kind, f"{name}: {type(error).__name__}: {error}")
    return found, reasons


def main() -> None:
    """Print the table and the reasons."""
    found, reasons = attempted(sys.argv[1:])
    sys.stdout.write(f"{summary(found).to_string()}\n")
    for reason in reasons.values():
        sys.stdout.write(f"{reason.splitlines()[0]}\n")


if __name__ == "__main__":
    main()
