"""The Debian packages, built once for all tests, and a clean Debian to install them on."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Self

import pytest

PROJECT = Path(__file__).parents[2]
TOOLS = ("dpkg-buildpackage", "dh", "fakeroot", "debootstrap", "unshare", "nsenter", "lintian")
QUICK = {"COMPRESSION": "-Zgzip -z1"}
CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}


def need_debian() -> None:
    """Skip without root or Debian's tools; in CI that is a failure."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if not missing:
        return
    reason = f"Debian packages need {', '.join(missing)}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def build_wheel(folder: Path) -> Path:
    """Wheel and sdist; gives the wheel."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", folder],
        cwd=PROJECT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


def packages(shared: Path) -> dict[str, Path]:
    """The packages by name.

    Args:
        shared: Seen by all processes of the test run: the first of them builds, others wait.
    """
    need_debian()
    if made := os.environ.get("PACKAGES_UNDER_TEST"):
        return _by_name(Path(made))
    folder = shared / "debian-packages"
    with (shared / "debian-packages.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "built").exists():
            built = subprocess.run(
                [PROJECT / "packaging/build-deb", build_wheel(folder), folder],
                capture_output=True, text=True, env={**os.environ, **QUICK}, check=False,
            )  # fmt: skip
            assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
            (folder / "built").touch()
    return _by_name(folder)


def _by_name(folder: Path) -> dict[str, Path]:
    return {file.name.partition("_")[0]: file for file in folder.glob("*.deb")}


def next_version(package: Path, folder: Path, version: str) -> Path:
    """The same package as a later version, as an upgrade brings it."""
    tree = folder / "next"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    old = field(package, "Version")
    (info,) = tree.glob(f"opt/alectio-agent/package/lib/*/site-packages/*-{old}.dist-info")
    command = tree / "opt/alectio-agent/package/bin/alectio-agent"
    for file in (tree / "DEBIAN/control", info / "METADATA", command):
        file.write_text(file.read_text().replace(old, version))
    info.rename(info.with_name(info.name.replace(old, version)))
    made = folder / f"next_{version}.deb"
    subprocess.run(
        ["dpkg-deb", "-Zgzip", "-z1", "--root-owner-group", "-b", tree, made],
        check=True, capture_output=True,
    )  # fmt: skip
    return made


def field(package: Path, name: str) -> str:
    """What the package says of itself."""
    told = ["dpkg-deb", "-f", str(package), name]
    return subprocess.run(told, check=True, capture_output=True, text=True).stdout.strip()


class DebianRoot:
    """A minimal Debian of this machine's release in a folder, with a mount namespace of its own.

    The namespace ends with the last process in it, so that nothing stays mounted.
    """

    def __init__(self, folder: Path, include: set[str]) -> None:
        self.folder = folder
        release, mirror = _own_mirror()
        done = subprocess.run(
            ["debootstrap", "--variant=minbase", f"--include={','.join(sorted(include))}",
             release, folder, mirror],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        mounting = (
            f"mount -t proc proc {folder}/proc && mkdir -p {folder}/dev/shm && "
            f"mount -t tmpfs tmpfs {folder}/dev/shm && echo mounted && read -r end"
        )
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", mounting],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "mounted\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.communicate("end\n", timeout=20)
        shutil.rmtree(self.folder)

    def words(self, *words: str, user: str = "root", **environment: str) -> list[str]:
        """A command line of the machine that runs another one in here."""
        return [
            "nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt",
            "chroot", f"--userspec={user}:{user}", str(self.folder), "/usr/bin/env", "-i",
            *(f"{name}={value}" for name, value in {**CLEAN, **environment}.items()), *words,
        ]  # fmt: skip

    def run(self, *words: str, user: str = "root", code: int = 0, **environment: str) -> str:
        """What a command printed in here, once it ended as it should."""
        done = subprocess.run(
            self.words(*words, user=user, **environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == code, f"{words} ended with {done.returncode}: {done.stdout}"
        return done.stdout

    def bring(self, file: Path) -> str:
        """Copy a file in; gives its path in here."""
        shutil.copy(file, self.folder / "srv")
        return f"/srv/{file.name}"


def _own_mirror() -> tuple[str, str]:
    """Release and mirror of this machine, from the configuration of its apt."""
    lines = Path("/etc/os-release").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if "=" in line)
    release = told["VERSION_CODENAME"].strip('"')
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(CODENAME) $(COMPONENT) $(REPO_URI)",
         "Created-By: Packages"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found = [line.split()[2] for line in listed.splitlines() if line.startswith(f"{release} main ")]
    assert found, f"apt knows no mirror of {release}"
    return release, found[0]
