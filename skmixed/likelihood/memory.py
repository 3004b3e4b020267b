"""How much memory is left, within the limits of containers and the process, and if it suffices."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.platform != "win32":
    import resource

__all__ = ["free_memory", "is_available", "require_memory"]

# So much is always there: to ask how much is free takes longer than to fit a small model.
NEGLIGIBLE = 2.0**20
# By the controller's name in /proc/self/cgroup, which version 2 leaves empty: where control groups
# are mounted, and what they call the limit, the use, and the cache that counts as use.
CONTROL_GROUPS = {
    "": ("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    "memory": (
        "sys/fs/cgroup/memory",
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
}
# Version 1 writes no limit as the largest number of whole pages.
UNLIMITED = 2.0**60
# Limits of the process, and the positions of what counts against them in /proc/self/statm.
PROCESS_LIMITS = {"RLIMIT_AS": 0, "RLIMIT_DATA": 5}


def require_memory(n_bytes: float, what: str, remedy: str) -> None:
    """Raise MemoryError beforehand, with a remedy, if the machine has not as much memory free."""
    if n_bytes <= NEGLIGIBLE:
        return
    free = free_memory()
    if free is not None and n_bytes > free:
        raise MemoryError(
            f"{what} would need about {n_bytes / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are "
            f"free. {remedy}"
        )


def is_available(n_bytes: float) -> bool:
    """Tell whether the machine has as much memory free, or does not say."""
    free = free_memory()
    return free is None or n_bytes <= free


def free_memory(root: Path = Path("/")) -> float | None:
    """Return the bytes that this process can still get, None where the system does not say."""
    left = [*_of_machine(root), *_of_control_groups(root), *_of_process(root)]
    return max(min(left), 0.0) if left else None


def _of_machine(root: Path) -> Iterator[float]:
    """Yield the memory that is free on the machine."""
    available = _entry(root / "proc/meminfo", "MemAvailable:")
    if available is not None:
        yield available * 1024.0
        return
    try:
        yield float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return


def _of_control_groups(root: Path) -> Iterator[float]:
    """Yield what the limit of each control group around this process leaves."""
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        for controller in CONTROL_GROUPS.keys() & controllers.split(","):
            mount, *names = CONTROL_GROUPS[controller]
            group = root / mount / path.lstrip("/")
            # A container may see its own group mounted in place of the path that is named here.
            for folder in (group, *group.parents):
                if folder.is_relative_to(root / mount):
                    yield from _of_control_group(folder, *names)


def _of_control_group(folder: Path, limit: str, use: str, cache: str) -> Iterator[float]:
    """Yield what the limit of one control group leaves, if it has one."""
    allowed = _entry(folder / limit)
    if allowed is None or allowed >= UNLIMITED:
        return
    used = _entry(folder / use) or 0.0
    yield allowed - used + (_entry(folder / "memory.stat", cache) or 0.0)


def _of_process(root: Path) -> Iterator[float]:
    """Yield what the limits of this process leave."""
    if sys.platform == "win32":
        return
    pages = next((line.split() for line in _lines(root / "proc/self/statm")), None)
    for name, position in PROCESS_LIMITS.items():
        allowed = resource.getrlimit(getattr(resource, name))[0]
        if allowed != resource.RLIM_INFINITY:
            used = int(pages[position]) * resource.getpagesize() if pages else 0
            yield float(allowed - used)


def _entry(file: Path, name: str | None = None) -> float | None:
    """Return the number in a file, or behind a name there; None if there is no such number."""
    for words in map(str.split, _lines(file)):
        if name is None or words[:1] == [name]:
            value = "".join(words[:1] if name is None else words[1:2])
            return float(value) if value.isdecimal() else None
    return None


def _lines(file: Path) -> list[str]:
    """Return the lines of a file, none if it cannot be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
