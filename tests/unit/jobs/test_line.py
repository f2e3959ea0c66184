"""The size of slices follows the line."""

from alectio_agent.agent.jobs.line import Line

KIB, MIB = 2**10, 2**20


def test_a_line_starts_with_the_largest_slices() -> None:
    assert Line().slice_bytes(1) == 4 * MIB


def test_parts_in_flight_share_what_may_be_lost_at_once() -> None:
    assert Line().slice_bytes(3) == 4 * MIB // 3


def test_each_loss_halves_down_to_64_kib() -> None:
    line, sizes = Line(), []
    for _ in range(8):
        sizes.append(line.slice_bytes(1) // KIB)
        line.note_lost(line.slice_bytes(1), 1)
    assert sizes == [4096, 2048, 1024, 512, 256, 128, 64, 64]


def test_slices_that_are_lost_together_count_once() -> None:
    line = Line()
    size = line.slice_bytes(2)
    for _ in range(2):
        line.note_lost(size, 2)
    assert line.slice_bytes(2) == 1 * MIB


def test_quick_slices_grow_again_more_slowly_after_each_loss() -> None:
    """Otherwise a proxy with a limit refuses every other slice."""
    line = Line()
    grown = []
    for _ in range(2):
        line.note_lost(line.slice_bytes(1), 1)
        small, tries = line.slice_bytes(1), 0
        while line.slice_bytes(1) == small:
            line.note_taken(line.slice_bytes(1), 0.1, 1)
            tries += 1
        grown.append(tries)
    assert grown == [2, 4]
    assert line.slice_bytes(1) == 4 * MIB


def test_a_slow_slice_is_large_enough() -> None:
    line = Line()
    line.note_lost(4 * MIB, 1)
    for _ in range(10):
        line.note_taken(2 * MIB, 1.5, 1)
    assert line.slice_bytes(1) == 2 * MIB


def test_a_small_slice_proves_nothing() -> None:
    line = Line()
    line.note_lost(4 * MIB, 1)
    for _ in range(10):
        line.note_taken(1000, 0.01, 1)
    assert line.slice_bytes(1) == 2 * MIB


def test_the_smallest_slice_cannot_become_smaller() -> None:
    line = Line()
    assert line.note_lost(64 * KIB + 1, 1)
    assert not line.note_lost(64 * KIB, 1)
