"""The unit as systemd runs it: with its credential, its sandbox, its watchdog."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.support.booted import boot, hidden_prefixes
from tests.support.projects import HOOKS

pytestmark = pytest.mark.timeout(120)

AGENT = f"{sys.executable} -m alectio_agent"
CONFIG = """
agent: {name: gpu01}
platform: {url: 'http://127.0.0.1:1'}
claim: {min_free_disk: 0}
pipelines:
  toy: {hooks: processes.py, pool_size: 60, python: %s, checkpoints: {dir: /srv/x}}
"""
HASTY = """\
[Unit]
DefaultDependencies=no
[Service]
WatchdogSec=3s
RestartSec=100ms
StandardOutput=append:/out/agent.log
StandardError=append:/out/agent.log
"""
# The hooks' file is imported before the agent is ready.
SEEN = """
import json, os
from pathlib import Path

def tried(file):
    try:
        Path(file).write_text("x")
    except OSError as error:
        return error.strerror
    return "written"

Path("/srv/x/seen").write_text(json.dumps({
    "homes": os.listdir("/home"), "system": tried("/etc/x"), "granted": tried("/srv/x/y"),
    "tmp": [os.listdir("/tmp"), tried("/tmp/y/z")],
    "devices": [name for name in os.listdir("/dev") if name.startswith(("sd", "vd", "kmsg"))],
    "variables": [name for name in os.environ if name.startswith(("NOTIFY", "WATCHDOG"))],
    "cache": tried(os.environ["XDG_CACHE_HOME"] + "/x"),
}))
"""
SHOWN = " ".join(f"--read {each}" for each in hidden_prefixes())
BEFORE = f"""
mkdir -p /srv/x /home/somebody /tmp/y /tmp/others
chmod 600 /etc/alectio-agent/token
systemd-sysusers --inline 'u alectio-agent - "a" /var/lib/alectio-agent'
chown alectio-agent /srv/x /tmp/y
{AGENT} service install --write /srv/x --write /tmp/y {SHOWN}
"""
TRY = f"""
show() {{ echo "$1 $(systemctl show alectio-agent -p "$2" | sort | tr '\\n' ' ')"; }}
systemctl start alectio-agent; echo "start $?"
show started ActiveState,NRestarts
systemctl reload alectio-agent; echo "reload $?"
echo "seen $(cat /srv/x/seen)"
{AGENT} pause --config /etc/alectio-agent/agent.yaml --note demo > /dev/null; echo "pause $?"
for i in $(seq 100); do
  systemctl show -P StatusText alectio-agent | grep -q demo && break; sleep 0.1
done
show paused StatusText
kill -STOP $(systemctl show -P MainPID alectio-agent)
for i in $(seq 200); do
  [ "$(systemctl show -P NRestarts alectio-agent)" = 1 ] &&
  [ "$(systemctl show -P ActiveState alectio-agent)" = active ] && break; sleep 0.1
done
show restarted ActiveState,NRestarts
systemctl stop alectio-agent; show stopped ActiveState,Result
sed -i 's/^platform.*/experiment: e.yaml/' /etc/alectio-agent/agent.yaml
systemctl start alectio-agent; sleep 0.5; show embedded ActiveState,ExecMainStatus,NRestarts
"""


def test_systemd_starts_watches_and_stops_an_agent_in_its_sandbox(tmp_path: Path) -> None:
    files = {
        "alectio-agent/agent.yaml": CONFIG % sys.executable,
        "alectio-agent/token": "alt_x\n",
        "alectio-agent/e.yaml": "name: x\nclasses: 3\nbatch: 5\nloops: 1\n",
        "alectio-agent/processes.py": HOOKS + SEEN,
        "systemd/system/alectio-agent.service.d/50.conf": HASTY,
    }
    said = boot(tmp_path, files, BEFORE, TRY)
    told = dict(re.findall(r"^(\w+) (.*?)\s*$", said, re.MULTILINE))
    agent_log = (tmp_path / "agent.log").read_text()
    assert told["start"] == "0", agent_log
    assert told["started"] == "ActiveState=active NRestarts=0"
    assert told["reload"] == "0"
    assert json.loads(told["seen"]) == {
        "homes": [], "system": "Read-only file system", "granted": "written", "devices": [],
        "tmp": [["y"], "written"], "variables": [], "cache": "written",
    }  # fmt: skip
    assert told["pause"] == "0"
    assert "asks for no job: paused since" in told["paused"]
    assert told["restarted"] == "ActiveState=active NRestarts=1"
    assert told["stopped"] == "ActiveState=inactive Result=success"
    assert "Fatal Python error: Aborted" in agent_log
    assert told["embedded"] == "ActiveState=failed ExecMainStatus=78 NRestarts=0"
    assert "E-SVC-04" in agent_log
