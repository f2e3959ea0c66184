"""systemd itself, as PID 1 of its own namespaces, over a root folder that ends with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path("/lib/systemd/systemd")
TOOLS = ("unshare", "pivot_root", "mount", "chroot", "systemctl")
NEEDED = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
OWN = {"home", "root", "tmp"}
CANNOT = 99
"""Exit code of the script where namespaces or control groups are refused."""

# Everything is mounted in namespaces of this script, and gone when its PID 1 ends.
SCRIPT = """\
set -e
R={out}/root
trap 'exit {cannot}' ERR
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs $R
cd $R
mkdir -p etc/systemd/system var/lib var/cache var/tmp run tmp proc sys dev home root srv out old
chmod 1777 tmp var/tmp
chmod 755 root
for entry in {entries}; do
  if [ -L /$entry ]; then cp -P /$entry .; else mkdir $entry; mount --rbind -o ro /$entry $entry; fi
done
for folder in {hidden}; do mkdir -p ./$folder; mount --bind -o ro $folder ./$folder; done
cp -a /etc/passwd /etc/group /etc/ld.so.cache /etc/alternatives etc/
cp -a /etc/ssl /etc/nsswitch.conf etc/ 2>/dev/null || true
echo 11112222333344445555666677778888 > etc/machine-id
mount --bind {out} out
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for node in null zero full random urandom tty ptmx; do cp -a /dev/$node dev/; done
mkdir dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=755 tmpfs run
trap - ERR
cp -r {out}/etc/. etc/
pivot_root . old
umount -l /old
mount --make-rshared /
bash -e /out/before.sh > /out/before.log 2>&1
exec env -i container=other PATH=/usr/sbin:/usr/bin {systemd} --unit=try.target \\
  --show-status=0 --log-target=console > /out/systemd.log 2>&1
"""
UNITS = {
    "try.target": "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nWants=try.service\n",
    "try.service": "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\n"
    "TimeoutStartSec=100\nExecStart=/bin/bash /out/try.sh\nExecStopPost=systemctl exit 0\n"
    "StandardOutput=append:/out/try.log\nStandardError=append:/out/try.log\n",
}


def boot(folder: Path, files: dict[str, str], before: str, script: str) -> str:
    """Boot, run a script there, and end; what the script printed.

    `files` go below /etc; `before` runs before systemd does.
    """
    if os.geteuid() != 0 or not SYSTEMD.exists() or not all(map(shutil.which, TOOLS)):
        assert "CI" not in os.environ, "root, systemd and util-linux are needed"
        pytest.skip("booting systemd needs root, systemd and util-linux")
    if sys.prefix.startswith("/tmp/"):
        pytest.skip("Python's environment lies below /tmp, which is empty in the image")
    (folder / "root").mkdir()
    units = {f"systemd/system/{name}": text for name, text in UNITS.items()}
    for name, text in {**files, **units}.items():
        file = folder / "etc" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "before.sh").write_text(f"export PATH=/usr/sbin:/usr/bin\n{before}")
    (folder / "try.sh").write_text(f"export PATH=/usr/sbin:/usr/bin\n{script}")
    (folder / "boot.sh").write_text(
        SCRIPT.format(
            out=folder, cannot=CANNOT, systemd=SYSTEMD,
            entries=" ".join(sorted(set(folders_of_the_machine()) - OWN)),
            hidden=" ".join(hidden_prefixes()),
        )
    )  # fmt: skip
    group = make_group()
    try:
        ended = subprocess.run(
            ["unshare", "--kill-child", "-mpfCnui", "bash", str(folder / "boot.sh")],
            capture_output=True,
            text=True,
            timeout=110,
            preexec_fn=lambda: enter(group),
        )
    finally:
        remove(group)
    if ended.returncode == CANNOT:
        pytest.skip(f"namespaces cannot be made here: {ended.stderr.strip()[-200:]}")
    log = folder / "try.log"
    assert log.exists(), ended.stderr + (folder / "before.log").read_text()
    return log.read_text()


def folders_of_the_machine() -> list[str]:
    """What a system needs of the real root folder, and what this Python needs."""
    needed = {Path(path).parts[1] for path in (sys.prefix, sys.base_prefix, *sys.path)
              if Path(path).is_dir()}  # fmt: skip
    return [name for name in {*NEEDED, *needed} if Path("/", name).is_dir()]


def hidden_prefixes() -> list[str]:
    """Where this Python and what it imports lie, as far as they lie in a home."""
    prefixes = {path for path in (sys.prefix, sys.base_prefix, *sys.path) if Path(path).is_dir()}
    inside = sorted(each for each in prefixes if each.startswith(("/root/", "/home/")))
    return [each for each in inside if not any(each.startswith(f"{one}/") for one in inside)]


def make_group() -> Path | None:
    """A control group of version 2, which systemd takes for the whole tree; None without any."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            group = Path(line.split()[4]) / f"alectio-boot-{os.getpid()}"
            group.mkdir(exist_ok=True)
            return group
    return None


def enter(group: Path | None) -> None:
    """Put this process into a control group."""
    if group is not None:
        (group / "cgroup.procs").write_text(str(os.getpid()))


def remove(group: Path | None) -> None:
    """Remove a control group with those below it, once nothing runs there."""
    if group is not None:
        for folder, _, _ in os.walk(group, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                return  # left for the machine's next start: it costs nothing
