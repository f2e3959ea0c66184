"""When the view is drawn anew, and what is shown of the hook."""

from dataclasses import replace
from pathlib import Path

from alectio_agent.agent.client.traffic import Contact
from alectio_agent.agent.service.snapshot import AgentSnapshot, StopState
from alectio_agent.cli.live.glyphs import ASCII
from alectio_agent.cli.live.region import Size
from alectio_agent.cli.live.source import HookLines, SceneSource, Told
from tests.support.clocks import FakeClock
from tests.support.scenes import make_agent, make_job, make_view

SIZE = Size(80, 24)


class Bench:
    def __init__(self, agent: AgentSnapshot) -> None:
        self.agent = agent
        self.view = make_view()
        told = Told("1.0.0", "in the box", ASCII)
        self.source = SceneSource(told, lambda: self.agent, FakeClock(), lambda: (self.view, None))
        assert self.source.rows(SIZE) is not None

    def is_drawn(self, **members: object) -> bool:
        self.agent = replace(self.agent, **members)  # type: ignore[arg-type]
        return self.source.rows(SIZE) is not None


def test_nothing_is_drawn_while_nothing_changes() -> None:
    bench = Bench(make_agent(at_s=100.0))
    assert not bench.is_drawn(at_s=100.9)
    assert bench.is_drawn(at_s=101.1), "a second more is shown"


def test_an_idle_agent_is_drawn_every_ten_seconds() -> None:
    bench = Bench(make_agent(at_s=100.0, job=None, state="idle"))
    assert not bench.is_drawn(at_s=105.0)
    assert bench.is_drawn(at_s=110.0)


def test_what_changes_is_drawn_at_once() -> None:
    bench = Bench(make_agent(at_s=100.0))
    assert bench.is_drawn(stops=StopState(1))
    assert bench.is_drawn(contact=Contact(1, 99.0, 100.0, "no answer"))
    bench.view = make_view(version=8)
    assert bench.is_drawn()
    assert bench.source.rows(Size(90, 24)) is not None


def test_the_newest_lines_of_the_hook_are_shown_safe_to_print(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("".join(f"line {n}\n" for n in range(20)) + "\n\x1b[2J\tend\n")
    lines = HookLines()
    lines.look({log: "digits/1"})
    assert lines.shown[0] == "line 14"
    assert lines.shown[-1] == "\\x1b[2J end"


def test_a_progress_bar_that_is_being_written_shows_its_last_state(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("begin\n 10%|#  |\r 50%|## |")
    lines = HookLines()
    lines.look({log: "digits/1"})
    assert lines.shown == ("begin", " 50%|## |")


def test_the_next_job_begins_with_its_own_lines(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("old\n")
    lines = HookLines()
    lines.look({tmp_path / "a.log": "digits/1"})
    lines.look({tmp_path / "b.log": "digits/2"})
    assert lines.shown == ()


def test_the_log_is_looked_at_while_a_job_is_in_hand(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("from the hook\n")
    bench = Bench(make_agent(job=make_job(log_file=tmp_path / "a.log")))
    (tmp_path / "a.log").write_text("from the hook\nmore\n")
    rows = bench.source.rows(SIZE)
    assert rows is not None
    assert any(row.plain == "   more" for row in rows)
