"""The Debian packages: what is in them, and what they do on a clean Debian."""

import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.debian import PROJECT, DebianRoot, field, next_version, packages
from tests.support.sites import WAITING, Site

pytestmark = [pytest.mark.timeout(1500), pytest.mark.slow]

USER = "alectio-agent"
STATE = "/var/lib/alectio-agent"
IN_ETC = ", cwd: /srv/toy, checkpoints: {dir: /srv/toy/checkpoints}"
NEXT = "99.0"


@pytest.fixture
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.getbasetemp()
    return packages(base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base)


def files_of(package: Path) -> dict[str, tarfile.TarInfo]:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as told:
        assert told.stdout is not None
        with tarfile.open(fileobj=told.stdout, mode="r|") as archive:
            return {entry.name.removeprefix("./"): entry for entry in archive}


def test_the_packages_hold_what_they_should_and_lintian_finds_no_error(
    debs: dict[str, Path],
) -> None:
    agent, hub = (files_of(debs[name]) for name in ("alectio-agent", "alectio-agent-hub"))
    assert not agent.keys() & {name for name, entry in hub.items() if not entry.isdir()}
    assert agent["etc/alectio-agent"].mode == 0o750
    assert {
        "usr/bin/alectio-agent", "usr/share/man/man1/alectio-agent.1.gz",
        "usr/share/man/man5/agent.yaml.5.gz", "etc/alectio-agent/agent.yaml.example",
        "usr/share/bash-completion/completions/alectio-agent",
        "usr/share/zsh/vendor-completions/_alectio-agent",
        "usr/share/fish/vendor_completions.d/alectio-agent.fish",
    } <= agent.keys()  # fmt: skip
    units = {unit.name for unit in (PROJECT / "packaging/systemd").glob("*.service")}
    shipped = {Path(name).name for name in (*agent, *hub) if name.startswith("lib/systemd/system/")}
    assert units == shipped - {""}, "each unit, and none that starts by itself"
    assert not [name for name in (*agent, *hub) if "site-packages/pip" in name or ".pyc" in name]
    for package, files in ((debs["alectio-agent"], agent), (debs["alectio-agent-hub"], hub)):
        built = files[f"usr/share/doc/{field(package, 'Package')}/copyright"].mtime
        assert max(entry.mtime for entry in files.values()) <= built, "the same source, the same"
        leaks = [name for name in files if name.endswith("direct_url.json")]
        assert leaks == [], "a path of the machine that built it"
    judged = subprocess.run(
        ["lintian", "--fail-on", "error", "--tag-display-limit", "0", debs["alectio-agent"]],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_a_clean_debian_runs_it_and_an_upgrade_leaves_a_busy_agent_alone(
    debs: dict[str, Path], tmp_path: Path
) -> None:
    """One machine's life with the package: a clean Debian costs too much for one test each."""
    needed = ", ".join(field(package, "Depends") for package in debs.values())
    names = {re.split(r"[ (|]", wish)[0] for wish in needed.split(", ")} - {"alectio-agent"}
    with DebianRoot(tmp_path / "root", names) as debian:
        install(debian, debs["alectio-agent"])
        (tmp_path / "site").mkdir()
        site = Site(tmp_path / "site")
        try:
            configure(debian, site)
            upgrade_under_a_busy_agent(debian, site, next_version(
                debs["alectio-agent"], tmp_path, NEXT
            ))  # fmt: skip
        finally:
            site.close()
        purge_keeps_what_may_not_be_delivered(debian)
        install(debian, *debs.values())
        run_the_smallest_project(debian)
        remove_the_hub(debian)
        purge_says_what_it_removes(debian)


def install(debian: DebianRoot, *files: Path) -> None:
    debian.run("dpkg", "-i", *(debian.bring(file) for file in files))
    folder = debian.folder / "etc/alectio-agent"
    agents = debian.run("getent", "group", USER).split(":")[2]
    assert (folder.stat().st_uid, folder.stat().st_gid) == (0, int(agents))
    assert folder.stat().st_mode & 0o777 == 0o750
    enabled = debian.folder / "etc/systemd/system/multi-user.target.wants"
    assert not list(enabled.glob("alectio*")), "nothing starts by itself"


def configure(debian: DebianRoot, site: Site) -> None:
    """As an administrator does, and `check --offline` as the agent's user."""
    site.write(hooks=WAITING, keys=IN_ETC, more=f"agent: {{state_dir: {STATE}}}\n")
    for name in ("agent.yaml", "processes.py", "token"):
        shutil.copy(site.folder / name, debian.folder / "etc/alectio-agent")
    debian.run("chown", USER, "/etc/alectio-agent/token")
    debian.run("install", "-d", "-o", USER, "/srv/toy", "/srv/toy/begun")
    checked = debian.run("alectio-agent", "check", "--offline", user=USER)
    assert "FAIL" not in checked
    others = debian.run("alectio-agent", "check", "--offline", user="games", code=78)
    assert "/etc/alectio-agent/agent.yaml (this user may not look there)" in others


def upgrade_under_a_busy_agent(debian: DebianRoot, site: Site, newer: Path) -> None:
    site.create("first")
    words = debian.words("alectio-agent", "run", user=USER, BEGUN_FOLDER="/srv/toy/begun")
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as agent:
        try:
            until(agent, "first/0 train started")
            said = debian.run("dpkg", "-i", debian.bring(newer))
            assert re.search(rf"process [\d, ]*\b{agent.pid}\b[\d, ]* goes on with version", said)
            assert agent.poll() is None
            versions = debian.folder / "opt/alectio-agent"
            assert (versions / "current").readlink() == Path(NEXT)
            (old,) = {entry.name for entry in versions.iterdir()} - {"package", "current", NEXT}
            # What is imported late, and started from files, is still that of the old version.
            debian.run("touch", "/srv/toy/begun/go")
            until(agent, "first/0 test done")
            again = debian.run("alectio-agent", "restart", "--wait", "--json", user=USER)
            told = json.loads(again[again.index("{") :])
            assert (told["version"], told["pid"]) == (NEXT, agent.pid)
            debian.run("/usr/libexec/alectio-agent/versions", "take")
            assert not (versions / old).exists(), "nothing runs it any more"
            debian.run("alectio-agent", "stop", "--wait", user=USER)
            agent.communicate(timeout=60)
        finally:
            agent.kill()
    assert agent.returncode == 0


def until(agent: "subprocess.Popen[str]", text: str) -> None:
    assert agent.stderr is not None
    lines = []
    for line in agent.stderr:
        lines.append(line)
        if text in line:
            return
    raise AssertionError(f"{text!r} was not said: {''.join(lines)}")


def purge_keeps_what_may_not_be_delivered(debian: DebianRoot) -> None:
    """Results stand in the outbox, and whether they were sent only the journal knows."""
    said = debian.run("dpkg", "--purge", "alectio-agent")
    assert f"{STATE} stays: it holds results" in said
    assert list((debian.folder / STATE[1:] / "outbox").iterdir())
    for gone in ("etc/alectio-agent", "opt/alectio-agent", "usr/bin/alectio-agent"):
        assert not os.path.lexists(debian.folder / gone)
    debian.run("rm", "-r", f"{STATE}/outbox")


def run_the_smallest_project(debian: DebianRoot) -> None:
    """With the hub in the box, as a user without any right."""
    debian.run("install", "-d", "-o", "games", "/srv/play")
    project = "/srv/play/digits"
    debian.run("alectio-agent", "init", project, user="games")
    debian.run("alectio-agent", "run", "-c", f"{project}/agent.yaml", "-q", user="games")
    assert list(debian.folder.glob("srv/play/digits/results/*/report.html"))


def remove_the_hub(debian: DebianRoot) -> None:
    """The command is without it at once, although its files had second names."""
    debian.run("dpkg", "--remove", "alectio-agent-hub")
    assert not list(debian.folder.glob("opt/alectio-agent/*/lib/*/site-packages/numpy"))
    assert "alectio-agent" in debian.run("alectio-agent", "version")
    # Written while the package's unit is away, it outlasts the version that wrote it.
    unit = debian.run("alectio-agent", "service", "print-unit", "--unit", "alectio-hub")
    assert "ExecStart=/usr/bin/alectio-agent hub serve" in unit
    drop_in = debian.run("alectio-agent", "service", "print-unit", "--gpu")
    assert "ExecStart" not in drop_in, "the package's unit stays"


def purge_says_what_it_removes(debian: DebianRoot) -> None:
    debian.run("dpkg", "--remove", "alectio-agent")
    assert (debian.folder / STATE[1:]).exists(), "a removal keeps the state"
    said = debian.run("dpkg", "--purge", "alectio-agent")
    assert f"removing {STATE}" in said
    assert not (debian.folder / STATE[1:]).exists()
