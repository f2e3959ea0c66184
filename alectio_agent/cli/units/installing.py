"""Puts units into place, and takes them away; state and configuration stay where they are."""

import os
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from alectio_agent.cli.units.machine import Machine
from alectio_agent.cli.units.plan import Plan, own_command
from alectio_agent.cli.units.texts import CONFIG, MARK, Unit
from alectio_agent.cli.units.wishes import Wishes
from alectio_agent.core.errors import NotRootError, StoreError, UsageError


@dataclass
class Outcome:
    """What was done, and what a person does next.

    Attributes:
        written: Files, as they are called on that machine.
        removed: The same.
        kept: What was left as it is, and why, in words; empty when nothing was.
        warnings: What did not work, with no harm done.
        next: Commands.
    """

    written: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: str = ""
    warnings: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)


def install(plan: Plan, machine: Machine) -> Outcome:
    """Write a unit and its drop-in; a drop-in of an earlier install is replaced, or removed.

    Args:
        plan: What to write.
        machine: Where.

    Raises:
        UsageError: It cannot be installed like this; nothing was written.
        StoreError: A file cannot be written.
    """
    files = plan.files()
    _check_machine(plan, machine)
    for path in files:
        _check_free(machine.root / path)
    outcome = Outcome(kept=plan.kept)
    for path, text in files.items():
        _write(machine.root / path, text)
        outcome.written.append(f"/{path}")
    if plan.drop_in not in files:
        _remove(machine.root / plan.drop_in, outcome, f"/{plan.drop_in}")
    _make_user(plan, machine, outcome)
    _reload(machine, outcome)
    _tell_next(plan, machine, outcome)
    return outcome


def uninstall(unit: Unit, machine: Machine) -> Outcome:
    """Remove what `install` wrote, and the links that start it with the machine.

    Args:
        unit: Which one.
        machine: Where.

    Raises:
        UsageError: It runs, or somebody else wrote it.
        StoreError: A file cannot be removed.
    """
    _check_root(machine, "uninstall")
    plan = Plan(unit, Wishes(), machine.root)
    outcome = Outcome(kept=plan.kept)
    _check_free(machine.root / plan.unit_file)
    pattern = unit.file_name.replace("@.", "@*.")
    if machine.is_booted and not machine.run(["systemctl", "is-active", "--quiet", pattern]):
        raise UsageError(
            f"E-SVC-03  {pattern} is running; nothing was removed",
            hint=f"Stop it first (it finishes its step): systemctl disable --now '{pattern}'",
        )
    wants = machine.root / plan.unit_file.parent / "multi-user.target.wants"
    # Not glob: it passes over links whose target is not below this root.
    entries = sorted(wants.iterdir()) if wants.is_dir() and not plan.packaged else []
    links = [each for each in entries if fnmatch(each.name, pattern) and each.is_symlink()]
    drop_in = machine.root / plan.drop_in
    for path in (machine.root / plan.unit_file, drop_in, *links):
        _remove(path, outcome, f"/{path.relative_to(machine.root)}")
    if drop_in.parent.is_dir() and not any(drop_in.parent.iterdir()):
        drop_in.parent.rmdir()
    _reload(machine, outcome)
    return outcome


def _check_root(machine: Machine, verb: str) -> None:
    if not machine.may_write:
        raise NotRootError(
            f"service {verb} writes below /etc/systemd/system: only root may",
            hint=f"sudo {own_command()} service {verb} ..., or into a folder of your own: --root "
            "DIR. What it would write: alectio-agent service print-unit",
        )


def _check_machine(plan: Plan, machine: Machine) -> None:
    """What the service will need, as far as it can be known here."""
    _check_root(machine, "install")
    if machine.is_image:
        return
    wishes = plan.wishes
    if wishes.run_as is not None and not machine.knows_user(wishes.run_as):
        raise UsageError(
            f"E-SVC-02  --run-as: found {wishes.run_as}, expected a user of this machine",
            hint=f"Make it: useradd --system {wishes.run_as}",
        )
    for path in (*wishes.read, *wishes.write):
        if not path.exists():
            raise UsageError(
                f"E-SVC-02  {path}: no such file or folder; a service with it would not start"
            )
    for prefix in dict.fromkeys(machine.own):
        if not wishes.shows(prefix):
            raise UsageError(
                f"E-SVC-02  this alectio-agent lies in {prefix}, which the service cannot see",
                hint=f"Install it below /opt, or show it to the service: --read {prefix}",
            )


def _check_free(file: Path) -> None:
    """Somebody's own unit is not overwritten, and not removed."""
    try:
        is_foreign = not file.read_text(encoding="utf-8", errors="replace").startswith(MARK)
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}") from error
    if is_foreign:
        raise UsageError(
            f"E-SVC-03  {file} was not written by service install; nothing was changed",
            hint="Move it away first. Changes of your own belong into a drop-in: systemctl edit",
        )


def _write(file: Path, text: str) -> None:
    young = file.with_name(f".{file.name}.new")
    try:
        file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        young.write_text(text, encoding="utf-8")
        young.chmod(0o644)
        young.replace(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error


def _remove(file: Path, outcome: Outcome, shown: str) -> None:
    try:
        file.unlink()
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreError(f"{file}: cannot be removed: {error.strerror}") from error
    outcome.removed.append(shown)


def _make_user(plan: Plan, machine: Machine, outcome: Outcome) -> None:
    """The unit's own user, whom nobody else needs to make."""
    user = plan.unit.user
    if plan.wishes.run_as is not None or (not machine.is_image and machine.knows_user(user)):
        return
    root = [f"--root={machine.root}"] if machine.is_image else []
    words = ["systemd-sysusers", *root, "--inline", f'u {user} - "{user}" /var/lib/{user}']
    if machine.is_image:
        outcome.next.append(_shown(words))
    elif wrong := machine.run(words):
        outcome.warnings.append(f"the user {user} was not made: {wrong}")
        outcome.next.append(_shown(words))


def _reload(machine: Machine, outcome: Outcome) -> None:
    if machine.is_booted and (wrong := machine.run(["systemctl", "daemon-reload"])):
        outcome.warnings.append(f"systemctl daemon-reload: {wrong}")


def _tell_next(plan: Plan, machine: Machine, outcome: Outcome) -> None:
    unit, several = plan.unit, plan.unit.name.endswith("@")
    name = f"{unit.name}NAME" if several else unit.name
    if not unit.is_hub:
        folder = f"{CONFIG}/NAME" if several else CONFIG
        wanting = [
            what
            for what in ("agent.yaml", "token")
            if several or not os.path.lexists(machine.root / CONFIG[1:] / what)
        ]
        outcome.next += _configuring(folder, wanting, is_image=machine.is_image)
    root = f"--root={machine.root} " if machine.is_image else ""
    outcome.next.append(f"systemctl {root}enable {'' if root else '--now '}{name}")
    if not machine.is_image:
        outcome.next.append(f"systemctl status {name}")


def _configuring(folder: str, wanting: list[str], *, is_image: bool) -> list[str]:
    """How to come to the files that are not there; in an image no command can be run."""
    if is_image:
        return [f"write {folder}/{what}" for what in wanting]
    which = "" if folder == CONFIG else f" -c {folder}/agent.yaml"
    told = [f"write {folder}/agent.yaml"] if "agent.yaml" in wanting else []
    told += [f"alectio-agent enroll URL{which}"] if "token" in wanting else []
    return [*told, f"alectio-agent check{which}"]


def _shown(words: list[str]) -> str:
    return shlex.join(words)
