"""All errors of the package, grouped by what to do next.

AlectioAgentError                 exit_code, hint (what the operator should do)
├── UsageError                    stop; the command line asks for something that cannot be
├── StoppedError                  a signal ended the start: try again
├── ProblemError                  the hub's verdict on a request; answered as problem+json
├── ConfigError                   stop; fix agent.yaml or experiment.yaml
├── PlatformError
│   ├── PlatformUnavailableError  retry: no answer, or one that is not ours; carries retry_after_s
│   ├── InvalidClaimError         refuse it in the next claim, keep polling
│   ├── PlatformRejectedError     a verdict of ours: park the message, fail the job
│   ├── NotAuthorizedError        re-read the token, slow down; `revoked` stops the agent
│   ├── LeaseLostError            stop the hook, keep the result as superseded; another counted
│   └── SupersededBootError       another agent runs with this identity: cancel, keep results, stop
├── HookError                     report to the platform, keep polling; carries the failure class
│   ├── HookLoadError             the hooks' file cannot be imported, or breaks the signature rules
│   ├── HookRaisedError           the hook raised (with traceback)
│   ├── HookCrashedError          the hook process ended (exit code, signal)
│   ├── HookResultError           what came back breaks the hook contract
│   ├── CheckpointError           a checkpoint that must exist does not
│   └── HookInterruptedError      the agent ended the step: a stop, a cancel, a lost lease
├── StoreError                    StoreBusyError (retry), StoreVersionError
└── StrategyError                 ScoresError (shape, NaN)

SettingError                      a ValueError inside validators of settings; becomes a ConfigError
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the process says to its caller when it ends."""

    CLEAN = 0
    UNEXPECTED = 1
    USAGE = 2
    FAILED = 3
    TRY_AGAIN = 75
    NOT_ALLOWED = 77
    CONFIG = 78


class AlectioAgentError(Exception):
    """Root of all errors of this package.

    Attributes:
        message: What was found, where, and what was expected.
        hint: What the reader should do; empty when the message says it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class UsageError(AlectioAgentError):
    """An unknown name, or the wrong state for a verb."""

    exit_code = ExitCode.USAGE


class StoppedError(AlectioAgentError):
    """A signal came before there was anything to stop."""

    exit_code = ExitCode.TRY_AGAIN


class ProblemError(AlectioAgentError):
    """The hub refuses a request; the API answers with the problem type of that name.

    Attributes:
        problem: Name of a problem type in `wire.problems`.
        extra: Further members of the problem document, such as `missing`.
    """

    def __init__(self, problem: str, message: str, **extra: object) -> None:
        super().__init__(message)
        self.problem = problem
        self.extra = extra


class ConfigError(AlectioAgentError):
    """A configuration file that cannot be used; the message holds every problem of the file."""

    exit_code = ExitCode.CONFIG


class SettingError(ValueError):
    """Raised inside a validator of settings: a value breaks a rule.

    A ValueError, since pydantic collects nothing else. It never leaves the room that validates:
    the loader of configuration files turns it into a line of a ConfigError.

    Attributes:
        message: What was found and what was expected, without the key.
        key: Dotted, from the model that raises; empty for that model itself.
        depends_on: Dotted keys that the rule read besides `key`.
        is_missing: Whether the mend is to add the key.
        others: Further rules that are broken at the same time.
    """

    def __init__(
        self,
        message: str,
        *,
        key: str = "",
        depends_on: tuple[str, ...] = (),
        missing: bool = False,
    ) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.message = message
        self.key = key
        self.depends_on = depends_on
        self.is_missing = missing
        self.others: tuple[SettingError, ...] = ()

    @staticmethod
    def raise_any(found: "list[SettingError]") -> None:
        """Raise the first of these, if there is one, with the others beside it.

        Args:
            found: Broken rules, in the order to show them.

        Raises:
            SettingError: The list is not empty.
        """
        if found:
            found[0].others = tuple(found[1:])
            raise found[0]


class PlatformError(AlectioAgentError):
    """Anything that went wrong between agent and platform."""

    exit_code = ExitCode.TRY_AGAIN


class PlatformUnavailableError(PlatformError):
    """No answer, or one that is not the platform's: try again.

    Attributes:
        retry_after_s: What the answer asked to wait, in seconds; None when it did not say.
        status: The HTTP status, when there was one.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        retry_after_s: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_s = retry_after_s
        self.status = status


class PlatformRejectedError(PlatformError):
    """A verdict of the platform that trying again cannot change.

    Attributes:
        problem: Name of the problem type, such as `key-reused`.
        detail: The whole problem document.
    """

    exit_code = ExitCode.UNEXPECTED

    def __init__(
        self, message: str, *, problem: str, detail: dict[str, object] | None = None, hint: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.problem = problem
        self.detail = detail or {}


class NotAuthorizedError(PlatformError):
    """The token was refused: `unauthorized`, `expired` or `revoked`.

    Attributes:
        problem: Name of the problem type.
    """

    exit_code = ExitCode.NOT_ALLOWED

    def __init__(self, message: str, *, problem: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.problem = problem


class InvalidClaimError(PlatformError):
    """A whole answer to a claim that breaks the rules of a claim: refuse it in the next one."""


class LeaseLostError(PlatformError):
    """Another attempt's result was counted, or the job is closed: stop and keep what there is."""


class SupersededBootError(PlatformError):
    """Another agent runs with this agent's identity."""

    exit_code = ExitCode.CONFIG


class HookError(AlectioAgentError):
    """A step that did not give a result.

    Attributes:
        failure_class: How the platform must treat it, as in the table of failure classes.
        traceback: Text of the user's traceback, empty when there is none.
    """

    exit_code = ExitCode.FAILED
    failure_class: ClassVar[str] = "user_code"

    def __init__(self, message: str, *, hint: str = "", traceback: str = "") -> None:
        super().__init__(message, hint=hint)
        self.traceback = traceback


class HookLoadError(HookError):
    """The hooks' file cannot be imported, or its functions break the signature rules."""

    exit_code = ExitCode.CONFIG


class HookRaisedError(HookError):
    """The hook raised an exception."""


class HookCrashedError(HookError):
    """The hook process ended without an answer."""

    failure_class = "crash"


class HookResultError(HookError):
    """What the hook returned breaks the contract."""

    failure_class = "contract"


class CheckpointError(HookError):
    """A checkpoint that must exist does not."""

    failure_class = "checkpoint"


class HookInterruptedError(HookError):
    """The step was ended by the agent, not by the hook: a stop, a cancel, a lost lease."""

    failure_class = "interrupted"


class StoreError(AlectioAgentError):
    """A database or a state folder that cannot be used."""


class StoreBusyError(StoreError):
    """Somebody else holds it: try again."""

    exit_code = ExitCode.TRY_AGAIN


class StoreVersionError(StoreError):
    """It was written by a newer version of this program."""

    exit_code = ExitCode.CONFIG


class StrategyError(AlectioAgentError):
    """A selection that cannot be made from what there is."""


class ScoresError(StrategyError):
    """Scores of the wrong shape, or not finite."""
