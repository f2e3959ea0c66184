"""How memory is read, and when it is too much."""

from pathlib import Path

from alectio_agent.agent.hooks.memory import (
    PAGE_BYTES,
    SAMPLE_S,
    MemoryWatch,
    held_bytes,
    part_bytes,
)
from tests.support.clocks import FakeClock


class NobodyAtAll:
    """A family without a living process."""

    def __init__(self, clock: FakeClock, takes_s: float = 0.0) -> None:
        self.looks = 0
        self._clock, self._takes_s = clock, takes_s

    def look(self) -> set[int]:
        self.looks += 1
        self._clock.advance(self._takes_s)
        return set()


def test_a_process_is_told_by_its_part_of_what_it_shares(tmp_path: Path) -> None:
    (tmp_path / "statm").write_text("900 300 20 1 0 100 0\n")
    (tmp_path / "smaps_rollup").write_text(
        "00400000-7ffe [rollup]\nRss:  1200 kB\nPss:   700 kB\nPss_Anon:  9 kB\n"
    )
    assert held_bytes(tmp_path) == 300 * PAGE_BYTES
    assert part_bytes(tmp_path) == 700 * 1024


def test_where_the_parts_are_not_told_all_that_a_process_holds_counts(tmp_path: Path) -> None:
    """Of a process of another user, and where the kernel was built without them."""
    (tmp_path / "statm").write_text("900 300 20 1 0 100 0\n")
    assert part_bytes(tmp_path) == 300 * PAGE_BYTES
    (tmp_path / "smaps_rollup").write_text("")
    assert part_bytes(tmp_path) == 300 * PAGE_BYTES


def test_a_process_that_has_ended_holds_nothing(tmp_path: Path) -> None:
    assert (held_bytes(tmp_path), part_bytes(tmp_path)) == (0, 0)


def test_a_sample_is_taken_each_second() -> None:
    clock = FakeClock()
    family = NobodyAtAll(clock)
    watch = MemoryWatch(1, family, clock)
    seen = []
    for _ in range(8):
        assert watch.look() is None
        seen.append(family.looks)
        clock.advance(SAMPLE_S / 2)
    assert seen == [0, 0, 1, 1, 2, 2, 3, 3]


def test_samples_that_take_long_come_seldom() -> None:
    """A fifth of a core is the most that is spent on looking."""
    clock = FakeClock()
    watch = MemoryWatch(1, NobodyAtAll(clock, takes_s=3), clock)
    clock.advance(SAMPLE_S)
    watch.look()
    assert watch.due_s == SAMPLE_S + 3 + 15
