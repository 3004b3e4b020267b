"""Memory that is left: the smallest of what machine, containers and the process's limits leave."""

from __future__ import annotations

from pathlib import Path

import pytest

from skmixed.likelihood.memory import free_memory, require_memory

GiB = 2**30
V1, V2 = "4:memory:/box/inner\n3:cpu:/\n", "0::/box/inner\n1:name=\N{SNOWMAN}:/\n"


def machine(root: Path, cgroup: str, **files: str) -> Path:
    """Write a machine with 8 GiB free, and files of control groups under sys/fs/cgroup."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal: 1 kB\nMemAvailable: {8 * 2**20} kB\n")
    (root / "proc/self/cgroup").write_text(cgroup, encoding="utf-8")
    for name, text in files.items():
        file = root / "sys/fs/cgroup" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def version_2(folder: str, limit: str, used: int) -> dict[str, str]:
    """Return the files of one control group, whose use includes 1 GiB of cache."""
    return {
        f"{folder}/memory.max": f"{limit}\n",
        f"{folder}/memory.current": f"{used}\n",
        f"{folder}/memory.stat": f"anon {used - GiB}\ninactive_file {GiB}\n",
    }


def version_1(folder: str, limit: int, used: int) -> dict[str, str]:
    """Return the files of one control group as version 1 calls them."""
    return {
        f"memory/{folder}/memory.limit_in_bytes": f"{limit}\n",
        f"memory/{folder}/memory.usage_in_bytes": f"{used}\n",
        f"memory/{folder}/memory.stat": f"inactive_file 5\ntotal_inactive_file {GiB}\n",
    }


def test_without_limits_it_is_what_the_machine_has(tmp_path):
    files = version_2("box/inner", "max", 3 * GiB) | version_1("box", 2**63 - 4096, 3 * GiB)
    assert free_memory(machine(tmp_path, V1 + V2, **files)) == 8 * GiB


@pytest.mark.parametrize("cgroup", [V1, V2], ids=["version 1", "version 2"])
@pytest.mark.parametrize("folder", ["box/inner", "box", "."], ids=["own", "outer", "container"])
def test_a_limit_of_a_control_group_counts_without_its_cache(tmp_path, cgroup, folder):
    files = version_1(folder, 4 * GiB, 3 * GiB)
    if cgroup == V2:
        files = version_2(folder, str(4 * GiB), 3 * GiB)
    assert free_memory(machine(tmp_path, cgroup, **files)) == 2 * GiB


def test_a_control_group_that_is_full_leaves_nothing(tmp_path):
    files = version_2("box", str(2 * GiB), 4 * GiB)
    assert free_memory(machine(tmp_path, V2, **files)) == 0.0


@pytest.mark.parametrize(("name", "used"), [("RLIMIT_AS", 7), ("RLIMIT_DATA", 2)])
def test_limits_of_the_process_count(tmp_path, monkeypatch, name, used):
    resource = pytest.importorskip("resource")
    page, unlimited = resource.getpagesize(), resource.RLIM_INFINITY
    limits = {getattr(resource, name): (GiB, unlimited)}
    monkeypatch.setattr(resource, "getrlimit", lambda which: limits.get(which, (unlimited,) * 2))
    root = machine(tmp_path, "")
    (root / "proc/self/statm").write_text("7 6 5 4 0 2 0\n")
    assert free_memory(root) == GiB - used * page


def test_what_the_limits_leave_is_what_is_required(monkeypatch):
    monkeypatch.setattr("skmixed.likelihood.memory.free_memory", lambda: 2.0 * GiB)
    require_memory(1.9 * GiB, "This", "Rest.")
    with pytest.raises(MemoryError, match=r"This would need about 2\.1 GiB, and 2\.0 GiB are free"):
        require_memory(2.1 * GiB, "This", "Rest.")
