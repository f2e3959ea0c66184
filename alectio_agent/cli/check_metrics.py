"""The check of the metrics' file: a folder that refuses is no failure, and easily overlooked."""

import os
import pwd
import shlex
from pathlib import Path

from alectio_agent.cli.service_unit import UNIT, ServiceUnit
from alectio_agent.core.checks import Check, passed

WRITE = os.W_OK | os.X_OK


def check_metrics(textfile: Path, unit: ServiceUnit | None) -> Check:
    """Look whether the file can be put into its folder.

    Args:
        textfile: As `metrics.textfile` names it.
        unit: Runs this agent; None when no unit does.
    """
    return passed("metrics", str(textfile), _doubt(textfile.parent, unit))


def _doubt(folder: Path, unit: ServiceUnit | None) -> str:
    if not folder.is_dir():
        return f"{folder} is not there: no metrics are written until it is"
    if unit is not None and not unit.may_write(folder):
        return (
            f"{UNIT} may not write there: alectio-agent service install --write "
            f"{shlex.quote(str(folder))} (beside the options it was installed with)"
        )
    user = _user_of(unit)
    if user is None:
        is_open, who = os.access(folder, WRITE), "this user"
    else:
        is_open, who = _is_open_to(user, folder), user.pw_name
    if is_open:
        return ""
    return f"{who} may not make files in {folder}; give its group the right: chgrp, chmod g+w"


def _user_of(unit: ServiceUnit | None) -> pwd.struct_passwd | None:
    """Whom the unit runs as; None when this process may as well ask for itself."""
    name = "" if unit is None else unit.user
    try:
        return pwd.getpwnam(name) if name and os.geteuid() == 0 else None
    except KeyError:
        return None


def _is_open_to(user: pwd.struct_passwd, folder: Path) -> bool:
    """As the kernel judges, but for further groups, which the unit's user has not."""
    found = folder.stat()
    shift = 6 if found.st_uid == user.pw_uid else 3 if found.st_gid == user.pw_gid else 0
    return found.st_mode >> shift & WRITE == WRITE
