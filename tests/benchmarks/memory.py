"""The resident memory of this process, in megabytes."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path

__all__ = ["forget_peak", "peak", "resident"]

_STATUS = Path("/proc/self/status")


def forget_peak() -> None:
    """Let the peak start anew from what is resident now, where the system can do so."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak() -> float:
    """Return the largest resident size so far, or since it was last forgotten."""
    if _STATUS.exists():
        return _status("VmHWM")
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def resident() -> float:
    """Return the resident size, or its peak where the system does not tell."""
    return _status("VmRSS") if _STATUS.exists() else peak()


def _status(field: str) -> float:
    """Read one line of the kernel's account of the process."""
    found = re.search(rf"{field}:\s+(\d+) kB", _STATUS.read_text())
    if found is None:
        raise RuntimeError(f"{_STATUS} has no line {field}.")
    return int(found.group(1)) / 1e3
