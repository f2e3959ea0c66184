"""Durations and sizes as people write them."""

import pytest

from alectio_agent.core.units import (
    format_duration,
    format_size,
    parse_duration,
    parse_size,
    write_duration,
    write_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("5m", 300), ("5min", 300), ("1h 30m", 5400), ("1h30m", 5400), ("7d", 604800),
        ("2w", 1209600), ("2y", 63072000), ("250ms", 0.25), ("1.5h", 5400),
        (" 3 s ", 3), ("10 S", 10),
        ("0s", 0), ("45", 45), ("0.5", 0.5), (45, 45), (0.5, 0.5), (0, 0),
    ],
)  # fmt: skip
def test_durations_are_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4MiB", 4 * 2**20), ("64GiB", 64 * 2**30), ("500MB", 500_000_000), ("512 kib", 512 * 1024),
        ("1TB", 10**12), ("1.5KiB", 1536), ("10b", 10), ("1024", 1024), (1024, 1024), (0, 0),
    ],
)  # fmt: skip
def test_sizes_are_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "soon", "5 parsecs", "-5s", "5s later", "s", "1h,30m", "1:30", "5m5", "1e3s",
        "4MiB", "9" * 400, "9" * 400 + "s", -1, float("nan"), float("inf"), True, None, [5],
    ],
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r"^expected a duration such as 30s, 5m, 1h 30m or 7d"):
        parse_duration(text)


@pytest.mark.parametrize(
    "text", ["", "big", "4 MiBs", "-1GiB", "5m", "1e3MB", "9" * 400, -1, False, None]
)
def test_what_is_no_size_is_refused_with_examples(text):
    with pytest.raises(ValueError, match=r"^expected a size such as 512KiB, 4MiB, 10GiB or 500MB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.00 s"), (0.424, "0.42 s"), (14.2, "14 s"), (60, "1 min 0 s"), (115, "1 min 55 s"),
        (3599, "59 min 59 s"), (3600, "1 h 0 min"), (6120, "1 h 42 min"), (86399, "23 h 59 min"),
        (86400, "1 d 0 h"), (273600, "3 d 4 h"), (86400 * 400, "400 d 0 h"),
    ],
)  # fmt: skip
def test_durations_are_written_in_their_two_largest_units(seconds, text):
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"), (812, "812 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (65536, "64.0 KiB"),
        (1258291, "1.2 MiB"), (3 * 2**30, "3.0 GiB"), (5 * 2**40, "5.0 TiB"), (2**51, "2048.0 TiB"),
    ],
)  # fmt: skip
def test_sizes_are_written_with_one_digit_after_the_point(size, text):
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0s"), (300.0, "5m"), (90.0, "1m 30s"), (604800.0, "7d"), (5400.0, "1h 30m"),
        (0.25, "0.25s"), (90061.0, "1d 1h 1m 1s"),
    ],
)  # fmt: skip
def test_a_written_duration_reads_as_the_same(seconds: float, written: str) -> None:
    assert write_duration(seconds) == written
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0B"), (1, "1B"), (1024, "1KiB"), (50 * 2**30, "50GiB"), (1536 * 2**20, "1536MiB"),
        (500_000_000, "500000000B"), (2**40, "1TiB"),
    ],
)  # fmt: skip
def test_a_written_size_is_read_as_the_same(size, text):
    assert write_size(size) == text
    assert parse_size(text) == size
