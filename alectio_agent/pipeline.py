"""`Pipeline` of the old SDK's scripts: calling it runs the agent instead of opening a port.

In the hook process a stand-in of the same name takes its place, which only registers.
"""

import inspect
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

Function = Callable[..., Any]

NO_LONGER_NEEDED = ("debug", "host", "port")
INSTALLED = {"site-packages", "dist-packages", "bin"}

_made_at: list[int] = []


class Pipeline:
    """The functions of a script; calling it hands the script over to `alectio-agent run`."""

    def __init__(
        self,
        name: Any = None,
        train_fn: Function | None = None,
        test_fn: Function | None = None,
        infer_fn: Function | None = None,
        getstate_fn: Function | None = None,
        args: Mapping[str, Any] | None = None,
        token: object = None,
        **unknown: object,
    ) -> None:
        """Remember the functions.

        Args:
            name: Which pipeline of `agent.yaml` is meant, when there are several.
            train_fn: The hook `train`.
            test_fn: The hook `test`.
            infer_fn: The hook `infer`.
            getstate_fn: The hook `state`.
            args: Defaults below those of `agent.yaml`.
            token: Not kept.
            unknown: Whatever else some version had; not used.
        """
        self.name = name
        self.functions = {"train": train_fn, "test": test_fn, "infer": infer_fn}
        if getstate_fn is not None:
            self.functions["state"] = getstate_fn
        self.args = dict(args) if isinstance(args, Mapping) else {}
        frame = inspect.currentframe()
        caller = frame.f_back if frame is not None else None
        self._line = _top_level_line(caller)
        self._nth = 0  # of those that this line makes: it may stand in a loop
        if self._line is not None:
            self._nth = _made_at.count(self._line)
            _made_at.append(self._line)
        if token is not None:
            _warn(
                "Pipeline(token=...) was not kept. Take it out of the script; a platform's token "
                "belongs into a file of mode 0600 (platform.token_file in agent.yaml)"
            )
        if unknown:
            _warn(f"Pipeline() has no {', '.join(sorted(unknown))}: ignored")

    def __call__(self, *_: object, **options: object) -> NoReturn:
        """Replace this process by the agent, which runs this script's functions.

        Args:
            options: `debug`, `host`, `port`: nothing listens any more.

        Raises:
            SystemExit: It cannot; the reason is on stderr.
        """
        from alectio_agent.cli.handover import Handover, hand_over
        from alectio_agent.cli.screen import say_error
        from alectio_agent.core.errors import AlectioAgentError

        _name_options(options)
        try:
            hand_over(Handover(self.name, self.functions, self.args, self._line, self._nth))
        except AlectioAgentError as error:
            say_error(error)
            raise SystemExit(error.exit_code) from None

    run = __call__


def prepare_script() -> None:
    """Give a script of the old SDK the folders that it reads from its environment at import."""
    main = getattr(sys.modules.get("__main__"), "__file__", None)
    if main is None or not _is_a_persons(Path(main)):
        return
    folder = Path(main).absolute().parent / "checkpoints"
    os.environ.setdefault("EXPT_DIR", str(folder))
    os.environ.setdefault("LOG_DIR", str(Path(os.environ["EXPT_DIR"], "log")))
    for name in ("EXPT_DIR", "LOG_DIR"):
        with suppress(OSError):  # the hooks get folders of their own: nothing is lost yet
            Path(os.environ[name]).mkdir(parents=True, exist_ok=True)


def _is_a_persons(main: Path) -> bool:
    """Whether a main file is somebody's script, not an installed command such as pytest."""
    library = Path(os.__file__).parent
    is_installed = INSTALLED & set(main.parent.parts[-1:]) or INSTALLED & set(main.parts[:-2])
    return main.is_file() and not is_installed and not main.is_relative_to(library)


def _top_level_line(caller: Any) -> int | None:
    """Line of the main file's top level that makes the pipeline; None when it is made elsewhere."""
    main = sys.modules.get("__main__")
    if caller is None or main is None or caller.f_globals is not vars(main):
        return None
    return int(caller.f_lineno) if caller.f_code.co_name == "<module>" else None


def _name_options(options: Mapping[str, object]) -> None:
    gone = [name for name in NO_LONGER_NEEDED if name in options]
    if gone:
        _warn(f"{', '.join(gone)}: no longer needed, nothing listens on a port any more")
    unknown = sorted(options.keys() - set(NO_LONGER_NEEDED))
    if unknown:
        _warn(f"calling a Pipeline takes no {', '.join(unknown)}: ignored")


def _warn(text: str) -> None:
    sys.stderr.write(f"alectio-agent: {text}.\n")
