"""Who is at the other end of a connection on loopback."""

import os
from pathlib import Path

import pytest

from alectio_agent.hub.dashboard.peers import is_loopback, is_of_another_user

OURS, THEIRS = os.getuid(), os.getuid() + 1
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


def table(folder: Path, address: str, uid: int) -> tuple[Path, ...]:
    path = folder / "tcp"
    zeros = "01 00000000:00000000 00:00000000 00000000"
    path.write_text(f"{HEAD}   0: {address} 0100007F:21C2 {zeros} {uid}        0 1234 1\n")
    return (folder / "missing", path)


@pytest.mark.parametrize("uid", [OURS, 0])
def test_our_own_connections_are_ours_and_so_are_those_of_root(tmp_path: Path, uid: int) -> None:
    assert not is_of_another_user("127.0.0.1", 5000, table(tmp_path, "0100007F:1388", uid))


def test_another_users_connection_is_told(tmp_path: Path) -> None:
    assert is_of_another_user("127.0.0.1", 5000, table(tmp_path, "0100007F:1388", THEIRS))


def test_ipv6_is_written_in_groups_of_four_bytes(tmp_path: Path) -> None:
    address = "00000000000000000000000001000000:1388"
    assert is_of_another_user("::1", 5000, table(tmp_path, address, THEIRS))


def test_where_the_kernel_says_nothing_nobody_is_suspected(tmp_path: Path) -> None:
    assert not is_of_another_user("127.0.0.1", 5001, table(tmp_path, "0100007F:1388", THEIRS))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.1.2.3", True), ("::1", True), ("10.0.0.1", False), ("x", False)],
)
def test_loopback_is_known(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected
