"""Several jobs side by side, with a real agent, real hooks and a real hub."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.sites import WAITING, Site

pytestmark = pytest.mark.timeout(120)  # each starts a hub, and an agent or two

TWO = "slots: [{gpus: [4]}, {gpus: [5]}]\n"

# Each train waits until the other's has begun: alone none would end.
MEETING = WAITING.replace('"go").exists()', '"red-0-train").exists()').replace(
    '"red-0-train").exists():',
    '"red-0-train").exists() or not Path(folder, "blue-0-train").exists():',
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


def test_two_jobs_run_at_once_each_with_the_gpus_of_its_slot(site: Site) -> None:
    site.write(hooks=MEETING, more=TWO)
    site.create("red", "blue")
    agent = site.start("--until-done")
    said = agent.communicate(timeout=50)
    assert agent.returncode == 0, said
    assert "2 jobs done" in said[0] + said[1]
    seen = {name: (site.begun / f"gpus-{name}").read_text() for name in ("red", "blue")}
    assert sorted(seen.values()) == ["4", "5"]


def test_a_killed_agent_gets_both_its_jobs_back(site: Site) -> None:
    site.write(more=TWO)
    site.create("red", "blue")
    killed = site.start()
    site.wait_for("red-0-train", "blue-0-train")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    site.let_go()
    agent = site.start("--until-done")
    said = agent.communicate(timeout=50)
    assert agent.returncode == 0, said
    assert "red/0 goes on where it was" in said[1]
    assert "blue/0 goes on where it was" in said[1]
    assert "attempt" not in said[1]


def read_until(agent: "subprocess.Popen[str]", text: str, times: int = 1) -> list[str]:
    """What an agent says, up to the line that has a text for the last of so many times."""
    assert agent.stderr is not None
    lines: list[str] = []
    for line in agent.stderr:
        lines.append(line)
        times -= text in line
        if not times:
            return lines
    raise AssertionError(f"{text!r} was not said: {''.join(lines)}")


def test_a_stop_waits_for_the_running_steps_of_all_slots(site: Site) -> None:
    site.write(more=TWO)
    site.create("red", "blue")
    agent = site.start()
    lines = read_until(agent, "train started", times=2)  # both are in hand, and the agent knows
    site.wait_for("red-0-train", "blue-0-train")
    agent.send_signal(signal.SIGTERM)
    lines += read_until(agent, "stopping: ")
    site.let_go()
    lines += agent.communicate(timeout=50)[1].splitlines(keepends=True)
    said = "".join(lines)
    assert agent.returncode == 0, said
    both = "(red/0 and blue/0|blue/0 and red/0)"
    assert re.search(rf"stopping: {both} finish their running steps", said)
    assert said.count("train done in") == 2
    assert said.count("handed back to the platform") == 2


def test_a_cancel_reaches_the_steps_of_all_slots(site: Site) -> None:
    site.write(more=TWO)
    site.create("red", "blue")
    agent = site.start()
    site.wait_for("red-0-train", "blue-0-train")
    agent.send_signal(signal.SIGQUIT)
    said = agent.communicate(timeout=50)
    assert agent.returncode == 0, said
    assert said[1].count("handed back to the platform") == 2


def test_it_never_takes_more_jobs_than_it_was_asked_to(site: Site) -> None:
    site.write(more=TWO)
    site.let_go()
    site.create("red", "blue", loops=2)
    agent = site.start("--max-jobs", "3")
    said = agent.communicate(timeout=50)
    assert agent.returncode == 0, said
    assert "3 jobs done" in said[0] + said[1]


def test_a_pipeline_runs_in_its_own_slots_only(site: Site) -> None:
    site.write(more=TWO, keys=", slots: [1]")
    site.let_go()
    site.create("red", "blue")
    agent = site.start("--until-done")
    said = agent.communicate(timeout=50)
    assert agent.returncode == 0, said
    assert [(site.begun / f"gpus-{name}").read_text() for name in ("red", "blue")] == ["5", "5"]


def test_a_check_that_says_no_holds_jobs_back_until_it_says_yes(site: Site) -> None:
    check = f"claim: {{check: 'test -e {site.folder}/free || (echo GPU is taken; false)'}}\n"
    site.write()
    text = (site.folder / "agent.yaml").read_text()
    (site.folder / "agent.yaml").write_text(text.replace("claim: {min_free_disk: 0}\n", check))
    site.create("red")
    agent = site.start()
    line = read_until(agent, "no job is asked for")[-1]
    assert "claim.check ended with 1, not with 0: GPU is taken" in line
    agent.send_signal(signal.SIGTERM)
    agent.communicate(timeout=50)
    (site.folder / "free").touch()
    site.let_go()
    agent = site.start("--until-done")
    said = agent.communicate(timeout=50)
    assert "1 job done" in said[0] + said[1]


def test_a_check_that_hangs_does_not_keep_an_agent_from_stopping(site: Site) -> None:
    check = f"claim: {{check: 'touch {site.folder}/asked; sleep 1000'}}\n"
    site.write()
    text = (site.folder / "agent.yaml").read_text()
    (site.folder / "agent.yaml").write_text(text.replace("claim: {min_free_disk: 0}\n", check))
    agent = site.start()
    site.wait_until(lambda: (site.folder / "asked").exists())
    agent.send_signal(signal.SIGTERM)
    said = agent.communicate(timeout=20)  # a check may take 30 s
    assert agent.returncode == 0, said
