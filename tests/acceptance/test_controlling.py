"""pause, resume, stop, restart and reload, with the real command line and a real hub."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.hub_process import Hub
from tests.support.projects import HOOKS, POOL, read_experiment, run_command, write_project
from tests.support.running import Running
from tests.support.tmux import SHELL_ENDED, Tmux

pytestmark = pytest.mark.timeout(240)

HELD = HOOKS.replace(
    '    begun(payload, "train")\n',
    '    begun(payload, "train")\n    import threading\n'
    '    while payload["loop"] == 1 and not Path("go").exists():\n'
    "        threading.Event().wait(0.05)\n",
)
"""Loop 1 trains until there is a file `go`."""
TRAINS = "toy/1 train started"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_project(tmp_path, loops=3, hooks=HELD)
    return tmp_path


def steer(
    folder: Path, *words: str, code: int = 0, timeout_s: float = 50
) -> subprocess.CompletedProcess[str]:
    done = run_command(*words, cwd=folder, timeout_s=timeout_s)
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_pause_lets_the_job_in_hand_end_and_outlasts_a_kill(site: Path) -> None:
    with Running(site) as agent:
        agent.until(TRAINS)
        paused = steer(site, "pause", "--for", "2h", "--note", "GPU needed")
        assert "; toy/1 goes on to the end" in paused.stdout
        assert paused.stderr == "Go on: alectio-agent resume\n"
        (site / "go").write_text("")
        said = agent.until("no job is asked for: paused since ")
        assert "(GPU needed). Go on: alectio-agent resume" in said
        assert "toy/1 infer done" in agent.text
        agent.kill()
    with Running(site) as agent:
        assert "(GPU needed)" in agent.until("this agent takes no job: paused since ")
        agent.until("registered as")
        resumed = steer(site, "resume")
        assert "asks for jobs again" in resumed.stdout
        agent.until("toy/2 train started")
        assert agent.end() == 0
    assert [loop["labels"] for loop in read_experiment(site)["loops"]] == [5, 10, 15]


def test_a_job_that_a_kill_left_is_handed_back_while_the_agent_is_paused(site: Path) -> None:
    """Nothing may begin on a machine that somebody wants for himself."""
    with Running(site) as agent:
        agent.until(TRAINS)
        steer(site, "pause")
        agent.kill()
    (site / "go").write_text("")
    begun = site / "begun"
    begun.mkdir()
    with Running(site, environment={"BEGUN_FOLDER": str(begun)}) as agent:
        agent.until("toy/1 handed back to the platform: the agent is paused")
        assert list(begun.iterdir()) == []
        steer(site, "resume")
        agent.until("toy/1 (attempt 2) train started")
        assert agent.end() == 0
    assert [loop["labels"] for loop in read_experiment(site)["loops"]] == [5, 10, 15]


def test_an_agent_is_paused_while_it_does_not_run(tmp_path: Path) -> None:
    site = tmp_path
    write_project(site, loops=2)
    missing = steer(site, "pause", code=2)
    assert "no agent has worked in this state folder" in missing.stderr
    long = steer(site, "pause", "--note", "x" * 501, code=2)
    assert "--note: found 501 characters, expected at most 500" in long.stderr
    steer(site, "run", "--once")
    assert "no agent is running: its next start is paused" in steer(site, "pause").stdout
    with Running(site) as agent:
        agent.until("this agent takes no job: paused since ")
        agent.until("registered as")
        assert "stopped" in steer(site, "stop", "--wait").stdout
        assert agent.process.poll() == 75, "the process has ended when the command does"
    again = steer(site, "stop", "--wait", "--json")
    assert json.loads(again.stdout)["is_running"] is False
    assert "the pause is over; no agent is running" in steer(site, "resume").stdout
    assert "was not paused; no agent is running" in steer(site, "resume").stdout


def test_a_stop_waits_for_the_running_step(site: Path) -> None:
    with Running(site) as agent:
        agent.until(TRAINS)
        stopped = steer(site, "stop")
        assert "stops as soon as toy/1 train has ended (no deadline)" in stopped.stdout
        steer(site, "stop")  # says nothing new, and cancels nothing
        (site / "go").write_text("")
        assert agent.end() == 75
    assert "toy/1 train done" in agent.text
    assert "toy/1 handed back" in agent.text


def test_a_stop_at_once_cancels_the_running_step(site: Path) -> None:
    with Running(site) as agent:
        agent.until(TRAINS)
        steer(site, "stop", "--now", "--wait")
        assert agent.end() == 75
    assert "control: stop --now, asked by " in agent.text
    assert "toy/1 train done" not in agent.text


def test_a_restart_is_the_same_process_with_the_new_configuration(site: Path) -> None:
    """A configuration with problems leaves the working agent alone."""
    with Running(site) as agent:
        agent.until(TRAINS)
        whole = (site / "experiment.yaml").read_text()
        (site / "experiment.yaml").write_text(f"{whole}nonsense: 1\n")
        broken = steer(site, "restart", code=78)
        assert "E-CONF-02  experiment.yaml:7 nonsense: unknown key" in broken.stderr
        (site / "experiment.yaml").write_text(whole)
        (site / "agent.yaml").write_text(
            (site / "agent.yaml").read_text() + "logging: {level: warning}\n"
        )
        command = [sys.executable, "-m", "alectio_agent", "restart", "--wait", "--json"]
        with subprocess.Popen(command, cwd=site, stdout=subprocess.PIPE) as restart:
            agent.until("stopping: toy/1 finishes its running step")
            (site / "go").write_text("")
            answer = json.loads(restart.communicate()[0])
        assert answer["pid"] == agent.process.pid
        assert answer["boot"]["count"] == 2
        assert agent.end() == 0
    assert "toy/1 train done" in agent.text
    assert "toy/2 train started" not in agent.text, "the new level is in force"
    assert [loop["labels"] for loop in read_experiment(site)["loops"]] == [5, 10, 15]


def test_a_signal_takes_a_restart_back(site: Path) -> None:
    with Running(site) as agent:
        agent.until(TRAINS)
        steer(site, "restart")
        agent.process.send_signal(signal.SIGTERM)
        agent.until("it stops instead of starting again")
        (site / "go").write_text("")
        assert agent.end() == 75
    assert "toy/1 train done" in agent.text


def test_the_live_view_shows_a_pause_and_its_end(site: Path) -> None:
    """Another terminal steers the agent, also with the hub in the box."""
    with Tmux(site) as terminal:
        terminal.type(f"{sys.executable} -m alectio_agent run")
        terminal.shows(TRAINS)
        steer(site, "pause", "--note", "GPU needed")
        screen = " ".join(terminal.shows("takes no job: paused since").split())
        assert "(GPU needed). Go on: alectio-agent resume" in screen
        (site / "go").write_text("")
        screen = terminal.shows("Ctrl-C: stop.")
        assert "takes no job: paused since" in screen
        steer(site, "resume")
        assert f"{SHELL_ENDED} 0" in terminal.ends()


@pytest.fixture
def distant(tmp_path: Path):
    """An agent of a hub that is a service of its own, which has no work."""
    hub = Hub.served(tmp_path / "hub")
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "processes.py").write_text(HOOKS)
    (folder / "token").write_text(hub.new_token("gpu01"))
    (folder / "token").chmod(0o600)
    (folder / "agent.yaml").write_text(
        f"agent: {{name: gpu01}}\nplatform: {{url: '{hub.url}', token_file: token}}\n"
        f"pipelines:\n  toy: {{hooks: processes.py, pool_size: {POOL}}}\n"
    )
    yield folder
    assert hub.stop()[0] == 0


def test_an_agent_that_stays_is_steered_and_ends_with_0(distant: Path) -> None:
    with Running(distant) as agent:
        agent.until("registered as gpu01")
        agent.until("no job now")
        assert "needs a restart" not in steer(distant, "reload").stdout
        whole = (distant / "agent.yaml").read_text()
        more = "logging: {level: debug, format: text}\nclaim: {check: exit 7}\n"
        more += "audit: {journald: true}\n"
        (distant / "agent.yaml").write_text(whole + more)
        reloaded = steer(distant, "reload")
        assert (
            "; in force now: claim.check, logging.format, logging.level; needs" in reloaded.stdout
        )
        assert "needs a restart: audit" in reloaded.stdout
        assert reloaded.stderr == "Go on: alectio-agent restart\n"
        # The poll that was held when nothing spoke against a job has ended.
        agent.until("no job is asked for: claim.check ended with 7")
        (distant / "agent.yaml").write_text(whole + more.replace("exit 7", "exit 0"))
        assert "in force now: claim.check;" in steer(distant, "reload").stdout
        # A held poll is cut: else this line would come seconds later, with its end.
        steer(distant, "pause", "--for", "1h")
        agent.until("no job is asked for: paused since")
        assert "interrupted" not in agent.text
        steer(distant, "resume")
        agent.until("control: resume, asked by ")
        assert steer(distant, "stop", "--wait").stdout == "gpu01: stopped\n"
        assert agent.end() == 0


def test_a_socket_of_a_killed_agent_fools_nobody(distant: Path) -> None:
    with Running(distant) as agent:
        agent.until("registered as gpu01")
        agent.kill()
    left = distant / ".alectio" / "control.sock"
    assert left.is_socket()
    assert steer(distant, "stop").stdout == "gpu01: no agent is running\n"
    for verb in ("reload", "restart"):
        refused = steer(distant, verb, code=2)
        assert "E-CTL-04" in refused.stderr
        assert "Start one: alectio-agent run" in refused.stderr
    with Running(distant) as agent:
        agent.until("registered as gpu01")
        steer(distant, "stop", "--wait")
        assert agent.end() == 0
    assert not left.exists()


def test_an_agent_that_is_killed_during_a_restart_is_not_waited_for(distant: Path) -> None:
    with Running(distant) as agent:
        agent.until("registered as gpu01")
        (distant / "processes.py").write_text("import no_such_module\n")
        gone = steer(distant, "restart", "--wait", code=75)
        assert "ended, and does not work again" in gone.stderr
        assert agent.end() == 78


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to any group")
def test_a_control_group_can_be_taken_away_again(distant: Path) -> None:
    folder = distant / ".alectio"
    whole = (distant / "agent.yaml").read_text()
    (distant / "agent.yaml").write_text(
        whole.replace("name: gpu01", "name: gpu01, control_group: daemon")
    )
    with Running(distant) as agent:
        agent.until("registered as gpu01")
        assert (folder.stat().st_mode & 0o777, folder.group()) == (0o710, "daemon")
        open_to_group = [file.name for file in folder.iterdir() if file.stat().st_mode & 0o077]
        assert open_to_group == ["control.sock"]
        (distant / "agent.yaml").write_text(whole)
        steer(distant, "restart", "--wait")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "control.sock").stat().st_mode & 0o777 == 0o600
        steer(distant, "stop", "--wait")
