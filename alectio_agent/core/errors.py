"""All errors of the package, grouped by what to do next.

AlectioAgentError                 exit_code, hint (what the operator should do)
├── UsageError                    stop; the command line asks for something that cannot be
│   └── NotRootError              only root may do this
├── StoppedError                  a signal ended the start: try again
├── ProblemError                  the hub's verdict on a request; answered as problem+json
├── ConfigError                   stop; fix agent.yaml or experiment.yaml
├── PlatformError
│   ├── PlatformUnavailableError  retry: no answer, or one that is not ours; carries retry_after_s
│   ├── InvalidClaimError         refuse it in the next claim, keep polling
│   ├── PlatformRejectedError     a verdict of ours: park the message, fail the job
│   │   └── ProtocolMismatchError somebody must update one of the two; tried again seldom
│   ├── NotAuthorizedError        re-read the token, slow down; `revoked` stops the agent
│   ├── LeaseLostError            stop the hook, keep the result as superseded; another counted
│   └── SupersededBootError       another agent runs with this identity: cancel, keep results, stop
├── HookError                     report to the platform, keep polling; carries the failure class
│   ├── HookLoadError             the hooks' file cannot be imported, or breaks the signature rules
│   ├── HookRaisedError           the hook raised (with traceback)
│   ├── HookCrashedError          the hook process ended (exit code, signal)
│   ├── HookResultError           what came back breaks the hook contract
│   ├── CheckpointError           a checkpoint that must exist does not
│   ├── HookTimeoutError          it took longer than its `timeout`
│   ├── HookMemoryError           it took more than its `memory`, or the kernel ran out of it
│   └── HookInterruptedError      the agent ended the step: a stop, a cancel, a lost lease
├── StoreError                    a database or folder that cannot be used; StoreVersionError
│   ├── StoreDamagedError         what it holds is not what was written
│   └── StoreUnavailableError     not now: wait, and do the same once more
│       ├── StoreBusyError        another process holds it
│       ├── StoreFullError        no room
│       ├── StoreReadOnlyError    nothing may be written there
│       └── StoreFailingError     the disk breaks
├── ControlError                  a running agent could not be steered: try again
│   ├── ControlDeniedError        this user may not steer it
│   └── ControlWordsError         it does not understand: another version, or another program
└── StrategyError                 ScoresError (shape, NaN)

Each class has a code, and a raise may give a closer one; `alectio-agent explain CODE` tells more.
Beside the tree: `SettingError`, which validators raise and the loader turns into a ConfigError.
"""

import re
from enum import IntEnum
from typing import ClassVar

from alectio_agent.core.problem_codes import AUTH_CODES, PROBLEM_CODES


class ExitCode(IntEnum):
    """What the process says to its caller when it ends."""

    CLEAN = 0
    UNEXPECTED = 1
    USAGE = 2
    FAILED = 3
    TRY_AGAIN = 75
    NOT_ALLOWED = 77
    CONFIG = 78


CODE_PATTERN = re.compile(r"E-[A-Z]+-\d\d")


class AlectioAgentError(Exception):
    """Root of all errors of this package.

    Attributes:
        code: Which kind of message it is, such as `E-CONF-02`; from the message when that begins
            with one, else as given, else of the class.
        message: What was found, where, and what was expected.
        hint: What the reader should do; empty when the message says it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    usual_code: ClassVar[str] = "E-INT-01"

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        told = CODE_PATTERN.match(message)
        self.code = told[0] if told else code or self.usual_code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        told = self.message if CODE_PATTERN.match(self.message) else f"{self.code}  {self.message}"
        return f"{told}\n{self.hint}" if self.hint else told


class UsageError(AlectioAgentError):
    """An unknown name, or the wrong state for a verb."""

    usual_code = "E-USE-01"
    exit_code = ExitCode.USAGE


class NotRootError(UsageError):
    """Only root may do this."""

    usual_code = "E-SVC-01"
    exit_code = ExitCode.NOT_ALLOWED


class StoppedError(AlectioAgentError):
    """A signal came before there was anything to stop."""

    usual_code = "E-RUN-01"
    exit_code = ExitCode.TRY_AGAIN


class ProblemError(AlectioAgentError):
    """The hub refuses a request; the API answers with the problem type of that name.

    Attributes:
        problem: Name of a problem type in `wire.problems`.
        extra: Further members of the problem document, such as `missing`.
    """

    usual_code = "E-HUB-03"

    def __init__(self, problem: str, message: str, code: str = "", **extra: object) -> None:
        super().__init__(message, code=code or PROBLEM_CODES.get(problem, ""))
        self.problem = problem
        self.extra = extra


class ConfigError(AlectioAgentError):
    """A configuration file that cannot be used; the message holds every problem of the file."""

    usual_code = "E-CONF-07"
    exit_code = ExitCode.CONFIG


class PlatformError(AlectioAgentError):
    """Anything that went wrong between agent and platform."""

    usual_code = "E-NET-01"
    exit_code = ExitCode.TRY_AGAIN


class PlatformUnavailableError(PlatformError):
    """No answer, or one that is not the platform's: try again.

    Attributes:
        retry_after_s: What the answer asked to wait, in seconds; None when it did not say.
        status: The HTTP status, when there was one.
        silence: `unreachable`: nobody was there; `cut`: the connection ended before the answer;
            `late`: the time was over; `foreign`: an answer that is not the platform's;
            `interrupted`: by this agent itself; `unrecorded`: it did not leave, since it could not
            be written down.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        code: str = "",
        retry_after_s: float | None = None,
        status: int | None = None,
        silence: str = "unreachable",
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.retry_after_s = retry_after_s
        self.status = status
        self.silence = silence


class PlatformRejectedError(PlatformError):
    """A verdict of the platform that trying again cannot change.

    Attributes:
        problem: Name of the problem type, such as `key-reused`.
        detail: The whole problem document.
    """

    usual_code = "E-HUB-03"
    exit_code = ExitCode.UNEXPECTED

    def __init__(
        self,
        message: str,
        *,
        problem: str,
        detail: dict[str, object] | None = None,
        hint: str = "",
        code: str = "",
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.problem = problem
        self.detail = detail or {}


class ProtocolMismatchError(PlatformRejectedError):
    """Agent and platform share no protocol number: one of the two is older."""

    usual_code = "E-HUB-06"
    exit_code = ExitCode.CONFIG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, problem="unsupported-protocol", hint=hint)


class NotAuthorizedError(PlatformError):
    """The token was refused: `unauthorized`, `expired` or `revoked`.

    Attributes:
        problem: Name of the problem type.
    """

    usual_code = "E-AUTH-04"
    exit_code = ExitCode.NOT_ALLOWED

    def __init__(self, message: str, *, problem: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=AUTH_CODES.get(problem, ""))
        self.problem = problem


class InvalidClaimError(PlatformError):
    """A whole answer to a claim that breaks the rules of a claim: refuse it in the next one."""

    usual_code = "E-RUN-03"


class LeaseLostError(PlatformError):
    """Another attempt's result was counted, or the job is closed: stop and keep what there is.

    Attributes:
        problem: `lease-lost` or `job-closed`.
    """

    usual_code = "E-RUN-04"

    def __init__(self, message: str, *, hint: str = "", problem: str = "lease-lost") -> None:
        super().__init__(message, hint=hint)
        self.problem = problem


class SupersededBootError(PlatformError):
    """Another agent runs with this agent's identity."""

    usual_code = "E-RUN-02"
    exit_code = ExitCode.CONFIG
    problem = "superseded-boot"


class HookError(AlectioAgentError):
    """A step that did not give a result.

    Attributes:
        failure_class: How the platform must treat it, as in the table of failure classes.
        traceback: Text of the user's traceback, empty when there is none.
    """

    usual_code = "E-HOOK-10"
    exit_code = ExitCode.FAILED
    failure_class: ClassVar[str] = "user_code"

    def __init__(
        self, message: str, *, hint: str = "", code: str = "", traceback: str = ""
    ) -> None:
        super().__init__(message, hint=hint, code=code)
        self.traceback = traceback


class HookLoadError(HookError):
    """The hooks' file cannot be imported, or its functions break the signature rules."""

    usual_code = "E-HOOK-03"
    exit_code = ExitCode.CONFIG


class HookRaisedError(HookError):
    """The hook raised an exception."""


class HookCrashedError(HookError):
    """The hook process ended without an answer."""

    usual_code = "E-HOOK-11"
    failure_class = "crash"


class HookResultError(HookError):
    """What the hook returned breaks the contract."""

    usual_code = "E-HOOK-06"
    failure_class = "contract"


class CheckpointError(HookError):
    """A checkpoint that must exist does not."""

    usual_code = "E-HOOK-08"
    failure_class = "checkpoint"


class HookTimeoutError(HookError):
    """The step took longer than its `timeout`, or made no progress for too long."""

    usual_code = "E-HOOK-13"
    failure_class = "timeout"


class HookMemoryError(HookError):
    """The hook was killed because of the memory that it took."""

    usual_code = "E-HOOK-14"
    failure_class = "oom"


class HookInterruptedError(HookError):
    """The step was ended by the agent, not by the hook: a stop, a cancel, a lost lease."""

    usual_code = "E-RUN-05"
    failure_class = "interrupted"


class StoreError(AlectioAgentError):
    """A database or a state folder that cannot be used."""

    usual_code = "E-DISK-01"


class StoreUnavailableError(StoreError):
    """It cannot be used now, and perhaps later: a running agent waits, and loses nothing."""


class StoreBusyError(StoreUnavailableError):
    """Somebody else holds it: try again."""

    usual_code = "E-DISK-02"
    exit_code = ExitCode.TRY_AGAIN


class StoreFullError(StoreUnavailableError):
    """The disk, its inodes or a quota has no room."""

    usual_code = "E-DISK-06"
    exit_code = ExitCode.TRY_AGAIN


class StoreReadOnlyError(StoreUnavailableError):
    """Mounted read-only, or this user may not write."""

    usual_code = "E-DISK-07"
    exit_code = ExitCode.CONFIG


class StoreFailingError(StoreUnavailableError):
    """The disk answers with errors."""

    usual_code = "E-DISK-08"


class StoreVersionError(StoreError):
    """It was written by a newer version of this program."""

    usual_code = "E-DISK-03"
    exit_code = ExitCode.CONFIG


class StoreDamagedError(StoreError):
    """What it holds is not what this program wrote: move it aside, and make it anew."""

    usual_code = "E-DISK-04"


class ControlError(AlectioAgentError):
    """A running agent that could not be steered."""

    usual_code = "E-CTL-01"
    exit_code = ExitCode.TRY_AGAIN


class ControlDeniedError(ControlError):
    """This user may not steer the agent."""

    usual_code = "E-CTL-02"
    exit_code = ExitCode.NOT_ALLOWED


class ControlWordsError(ControlError):
    """Agent and command do not understand each other."""

    usual_code = "E-CTL-03"
    exit_code = ExitCode.USAGE


class StrategyError(AlectioAgentError):
    """A selection that cannot be made from what there is."""

    usual_code = "E-EXP-08"


class ScoresError(StrategyError):
    """Scores of the wrong shape, or not finite."""
