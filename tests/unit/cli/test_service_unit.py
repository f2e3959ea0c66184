"""What is read of an installed unit, and the words that enter a sandbox like its own."""

from pathlib import Path

from alectio_agent.cli.check_sandbox import inner_command, sandboxed, why_outside
from alectio_agent.cli.enrolment import restart_note
from alectio_agent.cli.service_unit import UNIT, ServiceUnit
from alectio_agent.config.loader import load
from alectio_agent.config.settings import AgentFile

TEXT = """
[Unit]
Description=agent
[Service]
Type=notify
ExecStart=/opt/alectio/bin/alectio-agent --config /srv/agent.yaml run
Restart=on-failure
WatchdogSec=60
User=alectio
StateDirectory=alectio-agent
RuntimeDirectory=alectio-agent
ProtectHome=yes
ProtectSystem=strict
# ReadWritePaths=/nowhere
SystemCallFilter=@system-service \\
    ~@mount
Environment=XDG_CACHE_HOME=%C/alectio-agent
Environment=TOKEN=%d/token
LoadCredential=token:/etc/alectio-agent/token
DevicePolicy=closed
[Install]
WantedBy=multi-user.target
"""


def install(folder: Path, text: str = TEXT, **drop_ins: str) -> ServiceUnit:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / UNIT).write_text(text)
    (folder / f"{UNIT}.d").mkdir(exist_ok=True)
    for name, lines in drop_ins.items():
        (folder / f"{UNIT}.d" / f"{name}.conf").write_text(f"[Service]\n{lines}\n")
    found = ServiceUnit.find([folder])
    assert found is not None
    return found


def test_all_that_bounds_a_process_is_passed_on_and_nothing_else(tmp_path: Path) -> None:
    """A RuntimeDirectory would be removed under the agent at work."""
    assert install(tmp_path).run_within(["python", "-m", "x"]) == [
        "systemd-run",
        "--quiet",
        "--pipe",
        "--wait",
        "--collect",
        "--property=User=alectio",
        "--property=StateDirectory=alectio-agent",
        "--property=ProtectHome=yes",
        "--property=ProtectSystem=strict",
        "--property=SystemCallFilter=@system-service      ~@mount",
        "--property=Environment=XDG_CACHE_HOME=/var/cache/alectio-agent",
        "--property=LoadCredential=token:/etc/alectio-agent/token",
        "--property=DevicePolicy=closed",
        "--",
        "python",
        "-m",
        "x",
    ]


def test_drop_ins_add_and_take_back_in_the_order_of_their_names(tmp_path: Path) -> None:
    found = install(
        tmp_path, b="DeviceAllow=/dev/nvidia0 rw", a="DeviceAllow=/dev/null r", c="ProtectHome="
    )
    wanted = [each for each in found.properties if each.startswith(("Device", "ProtectHome"))]
    assert wanted == [
        "DevicePolicy=closed", "DeviceAllow=/dev/null r", "DeviceAllow=/dev/nvidia0 rw",
    ]  # fmt: skip


def test_the_first_folder_wins_for_the_unit_and_for_each_drop_in(tmp_path: Path) -> None:
    install(tmp_path / "lib", "[Service]\nUser=lib\n", gpu="PrivateDevices=no", x="UMask=0077")
    install(tmp_path / "etc", "[Service]\nUser=etc\n", gpu="PrivateDevices=yes")
    found = ServiceUnit.find([tmp_path / "etc", tmp_path / "lib"])
    assert found is not None
    assert found.properties == ("User=etc", "PrivateDevices=yes", "UMask=0077")


def test_it_runs_the_configuration_that_its_command_names(tmp_path: Path) -> None:
    assert install(tmp_path).runs(Path("/srv/agent.yaml"))
    assert not install(tmp_path).runs(Path("/etc/alectio-agent/agent.yaml"))
    bare = install(tmp_path, "[Service]\nExecStart=/usr/bin/alectio-agent run\n")
    assert bare.runs(Path("/etc/alectio-agent/agent.yaml"))
    named = "[Service]\nExecStart=/a run\nEnvironment=ALECTIO_AGENT_CONFIG=/srv/a.yaml\n"
    assert install(tmp_path, named).runs(Path("/srv/a.yaml"))
    joined = install(tmp_path, "[Service]\nExecStart=/a run --config=/srv/b.yaml\n")
    assert joined.runs(Path("/srv/b.yaml"))


def test_a_service_with_a_copy_of_the_token_is_to_be_restarted(tmp_path: Path) -> None:
    """Its agent reads the copy anew for each call, and the copy stays what it was."""
    install(tmp_path)
    note = restart_note(Path("/srv/agent.yaml"), [tmp_path])
    assert note.endswith("sudo systemctl restart alectio-agent.service")
    assert restart_note(Path("/srv/another.yaml"), [tmp_path]) == ""
    assert restart_note(Path("/srv/agent.yaml"), [tmp_path / "none"]) == ""
    install(tmp_path, TEXT.replace("LoadCredential", "#LoadCredential"))
    assert restart_note(Path("/srv/agent.yaml"), [tmp_path]) == ""


def test_inside_the_same_look_is_made_without_network_and_goes_no_deeper() -> None:
    words = inner_command(Path("/srv/agent.yaml"))
    assert words[1:4] == ["-m", "alectio_agent", "check"]
    assert {"--offline", "--here", "--json"} <= set(words)
    assert words[-2:] == ["--config", "/srv/agent.yaml"]


def test_without_a_unit_or_with_one_of_another_agent_there_is_nothing_to_enter(
    tmp_path: Path,
) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(
        "platform: {url: 'https://x.invalid', token_file: t}\npipelines: {x: {hooks: a.py}}\n"
    )
    settings = load(file, AgentFile)
    assert sandboxed(file, settings, [tmp_path]) == []
    install(tmp_path)
    assert sandboxed(file, settings, [tmp_path]) == []


def test_a_machine_that_systemd_does_not_run_is_named(tmp_path: Path) -> None:
    assert why_outside(tmp_path / "missing") == "systemd does not run here"
