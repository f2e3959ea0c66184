"""Signals to an agent that waits for its restart."""

from types import SimpleNamespace

from alectio_agent.cli.steering import cancelling, without_restart


class FakeAgent:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def stop(self) -> None:
        self.asked.append("stop")

    def cancel(self) -> None:
        self.asked.append("cancel")


def test_the_first_ctrl_c_takes_the_restart_back_and_cancels_nothing() -> None:
    agent, verbs = FakeAgent(), SimpleNamespace(starts_again=True)
    stop = without_restart(verbs, agent)  # type: ignore[arg-type]
    stop()
    assert (agent.asked, verbs.starts_again) == ([], False)
    stop()
    assert agent.asked == ["stop"]


def test_quit_takes_it_back_too() -> None:
    agent, verbs = FakeAgent(), SimpleNamespace(starts_again=True)
    cancelling(verbs, agent)()  # type: ignore[arg-type]
    assert (agent.asked, verbs.starts_again) == (["cancel"], False)
