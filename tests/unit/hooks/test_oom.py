"""What the kernel tells of processes that it ended for memory, on any kind of control groups."""

from pathlib import Path

import pytest

from alectio_agent.agent.hooks.oom import MemoryBound, OomKills, OomWitness

MIB = 2**20


def write(root: Path, **files: str) -> None:
    for name, content in files.items():
        file = root / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine without control groups for memory."""
    write(
        tmp_path,
        proc__vmstat="nr_free_pages 12\noom_kill 3\noom_kill_other 99\n",
        proc__meminfo="MemTotal:       2048 kB\nMemFree:        1 kB\n",
        proc__self__cgroup="0::/\n",
    )
    return tmp_path


@pytest.fixture
def service(root: Path) -> Path:
    """A service in a control group of version 2; gives that group's folder."""
    write(root, proc__self__cgroup="0::/system.slice/agent.service\n")
    folder = root / "sys/fs/cgroup/system.slice/agent.service"
    folder.mkdir(parents=True)
    (folder / "memory.events").write_text("low 0\noom 2\noom_kill 5\n")
    (folder / "memory.max").write_text("max\n")
    return folder


def test_without_a_control_group_the_whole_machine_counts(root: Path) -> None:
    witness = OomWitness(root)
    assert witness.kills() == OomKills(3)
    assert not witness.is_quick


def test_in_a_control_group_only_its_own_kills_count(root: Path, service: Path) -> None:
    witness = OomWitness(root)
    assert witness.kills() == OomKills(5, is_own=True)
    assert witness.is_quick


def test_what_happened_meanwhile_is_the_difference(root: Path) -> None:
    witness = OomWitness(root)
    before = witness.kills()
    assert witness.kills().since(before) == 0
    write(root, proc__vmstat="oom_kill 5\n")
    assert witness.kills().since(before) == 2


@pytest.mark.parametrize(
    ("now", "before"),
    [(OomKills(None), OomKills(3)), (OomKills(3), OomKills(None)), (OomKills(3), OomKills(7))],
)
def test_what_is_not_known_is_no_kill(now: OomKills, before: OomKills) -> None:
    assert now.since(before) == 0


def test_a_system_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    witness = OomWitness(tmp_path)
    assert witness.kills() == OomKills(None)
    assert witness.bound() is None


def test_a_kernel_that_does_not_count_is_no_error(root: Path) -> None:
    write(root, proc__vmstat="nr_free_pages 12\n")
    assert OomWitness(root).kills() == OomKills(None)


def test_without_a_limit_the_memory_of_the_machine_bounds(root: Path, service: Path) -> None:
    assert OomWitness(root).bound() == MemoryBound("the memory of the machine", 2 * MIB)


def test_the_narrowest_limit_bounds_also_that_of_a_group_above(root: Path, service: Path) -> None:
    (service / "memory.max").write_text(f"{MIB}\n")
    (service.parent / "memory.max").write_text(f"{MIB // 2}\n")
    bound = OomWitness(root).bound()
    assert bound == MemoryBound("memory.max of the control group system.slice", MIB // 2)


def test_control_groups_of_version_1_have_limits_too(root: Path) -> None:
    write(root, proc__self__cgroup="4:memory:/jobs/7\n3:cpu,cpuacct:/\n0::/\n")
    folder = root / "sys/fs/cgroup/memory/jobs/7"
    folder.mkdir(parents=True)
    (folder / "memory.limit_in_bytes").write_text(f"{MIB}\n")
    (folder.parent / "memory.limit_in_bytes").write_text("9223372036854771712\n")
    witness = OomWitness(root)
    assert witness.bound() == MemoryBound("memory.limit_in_bytes of the control group 7", MIB)
    assert witness.kills() == OomKills(3), "its own count does not hold for groups below it"


def test_a_container_that_sees_the_path_of_the_machine_outside_reads_its_own_group(
    root: Path,
) -> None:
    write(root, proc__self__cgroup="0::/kubepods/pod7/abc\n")
    folder = root / "sys/fs/cgroup"
    folder.mkdir(parents=True)
    (folder / "memory.events").write_text("oom_kill 1\n")
    (folder / "memory.max").write_text(f"{MIB}\n")
    witness = OomWitness(root)
    assert witness.kills() == OomKills(1, is_own=True)
    assert witness.bound() == MemoryBound("memory.max of the control group cgroup", MIB)
