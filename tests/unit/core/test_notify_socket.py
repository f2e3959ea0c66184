"""Whom the environment names, and what is said to it."""

import os

import pytest

from alectio_agent.core.notify_socket import NotifySocket, extend_stop, reloading, status


@pytest.mark.parametrize("address", ["", "vsock:2:1234", "run/notify"])
def test_without_an_address_that_is_understood_nobody_is_told(address: str) -> None:
    socket = NotifySocket.of({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"})
    assert (socket.is_heard, socket.watchdog_s) == (False, None)
    socket.tell("READY=1")


def test_a_socket_that_is_not_there_is_no_reason_to_fail() -> None:
    NotifySocket("/nowhere/notify").tell("READY=1")


@pytest.mark.parametrize(
    ("variables", "expected_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "180000000"}, 180.0),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": str(os.getpid())}, 180.0),
        ({"WATCHDOG_USEC": "180000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_fed_by_the_process_that_it_is_about(
    variables: dict[str, str], expected_s: float | None
) -> None:
    assert NotifySocket.of({"NOTIFY_SOCKET": "@x", **variables}).watchdog_s == expected_s


def test_a_status_is_one_line() -> None:
    """Else a host name in a message of the network could say READY=1."""
    assert status("no answer\nREADY=1") == "STATUS=no answer\\x0aREADY=1"
    assert len(status("x" * 1000)) < 400


def test_times_are_whole_microseconds() -> None:
    assert extend_stop(90) == "EXTEND_TIMEOUT_USEC=90000000"
    assert reloading(12.5) == ("RELOADING=1", "MONOTONIC_USEC=12500000")
