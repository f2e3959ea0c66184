"""The folder of an experiment's checkpoints: what lies under a name, what may go."""

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from alectio_agent.agent.hooks.failures import mend
from alectio_agent.core.disk_errors import disk_errors, store_error
from alectio_agent.core.errors import CheckpointError, HookResultError

LOG_FOLDER = "log"
PARTIAL = ".partial"
"""Behind a checkpoint's name: saved in the middle of `train`, so no checkpoint."""
Snapshot = dict[str, tuple[int, int, int]]
"""Path inside the folder, to what changes whenever the file is written."""


def held_checkpoints(folder: Path) -> list[str]:
    """The checkpoints that lie in an experiment's folder.

    Args:
        folder: Named after the experiment; may be missing.

    Returns:
        Their names as the platform knows them, without a suffix, sorted.
    """
    return sorted(_by_name(folder))


def prune_checkpoints(folder: Path, keep: int, protected: Collection[str]) -> list[str]:
    """Remove the checkpoints of all loops but the newest.

    Args:
        folder: Named after the experiment.
        keep: Number of loops whose checkpoints stay.
        protected: Names that stay whatever their loop.

    Returns:
        The names that were removed, sorted.

    Raises:
        StoreError: One cannot be removed.
    """
    found = _by_name(folder)
    newest = sorted(set(found.values()), reverse=True)[:keep]
    gone = [name for name, loop in found.items() if loop not in newest and name not in protected]
    for name in gone:
        remove_checkpoint(folder, name)
    return sorted(gone)


def remove_checkpoint(folder: Path, name: str) -> None:
    """Remove what lies under a name.

    Args:
        folder: Of the experiment.
        name: Of the checkpoint.

    Raises:
        StoreError: It cannot be removed.
    """
    with disk_errors(folder / name):
        for path in _lying_under(folder, name):
            remove_path(path)


def remove_path(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it; it may be gone.

    Args:
        path: In an experiment's folder.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def lies_under(folder: Path, name: str) -> bool:
    """Whether a checkpoint lies in a folder, whole.

    Args:
        folder: Of the experiment.
        name: Of the checkpoint.
    """
    return bool(_lying_under(folder, name))


def checkpoint_bytes(folder: Path, name: str) -> int | None:
    """How large a checkpoint is.

    Args:
        folder: Of the experiment.
        name: Of the checkpoint.

    Returns:
        Bytes of all its files; None when nothing lies under the name.
    """
    lying = _lying_under(folder, name)
    files = [file for path in lying for file in (path, *path.rglob("*")) if file.is_file()]
    return sum(file.stat().st_size for file in files) if lying else None


def prepare_train(folder: Path, resume_from: str | None, ckpt_file: str) -> Snapshot:
    """Make the folder ready for `train`: nothing lies under the name that it will write.

    Args:
        folder: Of the experiment; exists.
        resume_from: The checkpoint to start from.
        ckpt_file: The name to write.

    Returns:
        What the folder holds now, for `check_trained`.

    Raises:
        CheckpointError: The folder holds checkpoints, and `resume_from` is not among them.
    """
    remove_checkpoint(folder, ckpt_file)
    if resume_from is not None and not lies_under(folder, resume_from):
        held = held_checkpoints(folder)
        if held:
            raise CheckpointError(
                f"E-HOOK-08  {folder}: checkpoint {resume_from} is gone; found "
                f"{', '.join(held[-10:])}. The loop is issued again, from nothing"
            )
    return _snapshot(folder)


def check_trained(folder: Path, before: Snapshot, ckpt_file: str, job: str) -> str | None:
    """Check that `train` wrote its checkpoint, when it keeps files in the folder at all.

    Args:
        folder: Of the experiment.
        before: From `prepare_train`.
        ckpt_file: The name to write.
        job: For messages.

    Returns:
        A warning when the hook keeps its checkpoints elsewhere, else None.

    Raises:
        HookResultError: It wrote into the folder, but not under this name.
    """
    if lies_under(folder, ckpt_file):
        return None
    after = _snapshot(folder)
    changed = sorted(path for path, state in after.items() if before.get(path) != state)
    if not changed:
        return (
            f"train wrote nothing into {folder} (EXPT_DIR): its checkpoint is neither checked, "
            "nor made durable, nor pruned"
        )
    raise HookResultError(
        f"E-HOOK-08  {job} train: expected the checkpoint {ckpt_file} in {folder}, a file or a "
        'folder, perhaps with a suffix such as .pt. Write payload["ckpt_dir"] + "/" + '
        f'payload["ckpt_file"]. {mend(job)}',
        hint=f"found {', '.join(changed[:10])}",
    )


def _lying_under(folder: Path, name: str) -> list[Path]:
    """A file or folder of that name, and those with a suffix: `name.pt`, `name_optimizer.pt`."""
    starts = (f"{name}.", f"{name}_")
    return [
        folder / lying
        for lying in names_in(folder)
        if lying == name or (lying.startswith(starts) and not _is_partial(lying[len(name) :]))
    ]


def _by_name(folder: Path) -> dict[str, int]:
    """Name of each checkpoint, to its loop."""
    pattern = re.compile(rf"({re.escape(folder.name)}-ckpt_(\d+)(?:-a\d+)?)([._].*)?")
    found = (pattern.fullmatch(name) for name in names_in(folder))
    return {match[1]: int(match[2]) for match in found if match and not _is_partial(match[3] or "")}


def _is_partial(rest: str) -> bool:
    """Whether what stands behind a checkpoint's name marks a partial one, or a file on its way."""
    return re.search(rf"\{PARTIAL}(?:[._]|$)", rest) is not None


def names_in(folder: Path) -> list[str]:
    """What lies in a folder.

    Args:
        folder: Any; there need not be one.
    """
    try:
        return os.listdir(folder)  # noqa: PTH208 - names: a path for each takes long
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise store_error(folder, error) from error


def _snapshot(folder: Path) -> Snapshot:
    """Every file below the folder, less the logs."""
    found: Snapshot = {}
    root = str(folder)
    for inside, folders, files in os.walk(root):
        if inside == root and LOG_FOLDER in folders:
            folders.remove(LOG_FOLDER)
        start = inside[len(root) + 1 :]
        for name in files:
            try:
                state = os.lstat(f"{inside}/{name}")
            except FileNotFoundError:
                continue
            found[f"{start}/{name}" if start else name] = (
                state.st_mtime_ns,
                state.st_size,
                state.st_ino,
            )
    return found
