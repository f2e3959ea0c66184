"""What `try` does, from the configuration to the exit code."""

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from alectio_agent.agent.hooks.groups import ForgetfulGroups
from alectio_agent.agent.hooks.inspection import HookInspection
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.hooks.site_environment import site_environment
from alectio_agent.agent.hooks.trial.attempts import Attempts
from alectio_agent.agent.hooks.trial.bench import TrialBench
from alectio_agent.agent.hooks.trial.order import Samples, TrialOrder, choose_samples
from alectio_agent.agent.hooks.trial.trial import Trial
from alectio_agent.cli.announcement import pool_size
from alectio_agent.cli.check_lines import print_checks
from alectio_agent.cli.fit import check_pool
from alectio_agent.cli.options import Common
from alectio_agent.cli.screen import say
from alectio_agent.cli.trial_order import Wanted, clear_folder, make_order, read_wanted, taken
from alectio_agent.core.clock import SystemClock
from alectio_agent.core.errors import ExitCode, UsageError
from alectio_agent.wire.experiment import ExperimentSettings


def try_hooks_of(wanted: Wanted, common: Common) -> ExitCode:
    """Try the hooks of one pipeline, and print what was found.

    Args:
        wanted: What to try.
        common: The options of every command.

    Returns:
        0, or 3 when something failed, or 78 when the hooks cannot be loaded.

    Raises:
        AlectioAgentError: Nothing could be tried.
    """
    if wanted.is_debugged:
        _check_terminal(common)
    found = read_wanted(wanted, common.config)
    order = make_order(wanted, found)
    with taken(order.folder):
        clear_folder(order, keeps_checkpoint=wanted.step in ("test", "infer"))
        if not (common.is_quiet or common.as_json or order.is_debugged):
            say(f"pipeline {order.pipeline_name}; what the hooks print: {order.log_file}")
            if order.needs_labels:
                say('people give the labels: payload["labels"] holds made-up ones here')
        chooser = _Chooser((found.file, found.experiment_file), found.experiment, order)
        variables = site_environment(found.settings, os.environ, order.folder)
        gpus = found.settings.gpus_of(found.settings.first_slot(order.pipeline_name))
        slot = HookSlot(SystemClock(), ForgetfulGroups(), variables, gpus=gpus)
        return _run(order, chooser, wanted.step, common, slot)


@dataclass(frozen=True)
class _Chooser:
    """Chooses samples once the hooks have said how many there are."""

    files: tuple[Path, Path]
    experiment: ExperimentSettings
    order: TrialOrder

    def __call__(self, found: HookInspection) -> Samples:
        order = self.order
        pool = pool_size(order.pipeline, found)
        check_pool(self.files, self.experiment, order.pipeline_name, pool)
        size = self.experiment.pool or pool or 1
        rng = random.Random(f"{order.seed}/try")  # noqa: S311 - the same samples each time, no secret
        return choose_samples(order, size, rng)


def _run(
    order: TrialOrder,
    chooser: _Chooser,
    step: str | None,
    common: Common,
    slot: HookSlot,
) -> ExitCode:
    attempts = Attempts(SystemClock(), None if order.is_debugged else order.log_file)
    trial = Trial(TrialBench(order, slot), attempts, chooser)
    try:
        with _interrupts(slot, is_debugged=order.is_debugged):
            checks = trial.one(step) if step else trial.all()
            print_checks(checks, common, next_step=lambda: common.next_step("run"))
    finally:
        slot.close()
    return attempts.exit_code


def _check_terminal(common: Common) -> None:
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise UsageError("--pdb needs a terminal to type into; stdin or stdout is none")
    if common.as_json:
        raise UsageError("--pdb and --json cannot go together: the debugger prints in between")


@contextmanager
def _interrupts(slot: HookSlot, *, is_debugged: bool) -> Iterator[None]:
    """While a debugger runs, Ctrl-C is meant for the hook, and Ctrl-Z for nobody."""
    if not is_debugged:
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if not slot.interrupt():
            raise KeyboardInterrupt

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, interrupt),
        # The shell would read from the terminal at the same time as the debugger.
        signal.SIGTSTP: signal.signal(signal.SIGTSTP, signal.SIG_IGN),
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
