"""The model of `agent.yaml`. Loaded settings hold absolute paths, seconds, and every default."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from alectio_agent.config.agent import AgentSettings
from alectio_agent.config.claim import ClaimSettings
from alectio_agent.config.keeping import LoggingSettings, OutboxSettings
from alectio_agent.config.network import ProxySettings, TlsSettings
from alectio_agent.config.notify import NotifySettings
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.config.record import AuditSettings, MetricsSettings
from alectio_agent.config.section import Section
from alectio_agent.config.slots import ANY_SLOT, PINS, SlotSettings
from alectio_agent.config.values import (
    EMBEDDED as EMBEDDED,
)
from alectio_agent.config.values import (
    AbsolutePath,
    Name,
    PlatformUrl,
    TokenPath,
    is_loopback,
    surroundings,
)
from alectio_agent.core.setting_error import SettingError

TOKEN_FILE_VARIABLE = "ALECTIO_AGENT_TOKEN_FILE"  # noqa: S105 - the name of a variable
_NEVER_INLINE = (
    "tokens are never written here: put it into a file of mode 0600 and name that file in "
    "`platform.token_file`"
)


class PlatformSettings(Section):
    """Section `platform`.

    Attributes:
        url: `embedded` for the hub in the box, or where a platform listens.
        token_file: Holds the token, and nothing else. By default systemd's credential `token`,
            then what `$ALECTIO_AGENT_TOKEN_FILE` names, then `token` beside the file.
        allow_insecure_http: Send the token in the clear to another machine.
    """

    refused_keys: ClassVar[Mapping[str, str]] = dict.fromkeys(
        ("token", "api_key", "apikey", "key", "secret", "password"), _NEVER_INLINE
    )

    url: PlatformUrl = EMBEDDED
    token_file: TokenPath | None = None
    allow_insecure_http: bool = False

    @property
    def is_embedded(self) -> bool:
        """Whether `run` starts the hub itself."""
        return self.url == EMBEDDED


class AgentFile(Section):
    """All keys of `agent.yaml`.

    Attributes:
        agent: This agent.
        platform: Where work comes from.
        proxy: The way out of this site.
        tls: Whom to trust, and what this agent shows of itself.
        slots: Jobs side by side, one each; empty for one slot with all GPUs.
        pipelines: Your functions and how to run them, by name; at least one.
        experiment: `experiment.yaml` for the hub in the box.
        claim: When this agent asks for a job.
        outbox: Results on this machine.
        logging: What the agent writes about itself.
        audit: The record of what left the site.
        metrics: Figures for node_exporter.
        notify: Whom to tell when something happens.
    """

    refused_keys: ClassVar[Mapping[str, str]] = {"token": _NEVER_INLINE, "api_key": _NEVER_INLINE}

    agent: AgentSettings = Field(default_factory=AgentSettings)
    platform: PlatformSettings = Field(default_factory=PlatformSettings)
    proxy: ProxySettings = Field(default_factory=ProxySettings)
    tls: TlsSettings = Field(default_factory=TlsSettings)
    slots: list[SlotSettings] = []
    pipelines: dict[Name, PipelineSettings] = Field(
        description="names of pipelines, each with its keys, such as digits: {hooks: processes.py}",
        json_schema_extra={"minProperties": 1},
    )
    experiment: AbsolutePath | None = None
    claim: ClaimSettings = Field(default_factory=ClaimSettings)
    outbox: OutboxSettings = Field(default_factory=OutboxSettings)
    logging: LoggingSettings = Field(default_factory=LoggingSettings)
    audit: AuditSettings = Field(default_factory=AuditSettings)
    metrics: MetricsSettings = Field(default_factory=MetricsSettings)
    notify: NotifySettings = Field(default_factory=NotifySettings)

    @model_validator(mode="before")
    @classmethod
    def _every_section(cls, raw: Any) -> Any:
        """An absent section is read like an empty one, so that its defaults see the context."""
        sections: dict[str, Any] = {"agent": {}, "platform": {}, "outbox": {}, "logging": {}}
        return {**sections, **raw} if isinstance(raw, dict) else raw

    @field_validator("platform", mode="after")
    @classmethod
    def _token_source(cls, found: PlatformSettings, info: ValidationInfo) -> PlatformSettings:
        if found.is_embedded or found.token_file is not None:
            return found
        around = surroundings(info)
        source = default_token_file(around.environment) or _beside(around.folder)
        return found.model_copy(update={"token_file": source})

    @field_validator("pipelines", mode="after")
    @classmethod
    def _at_least_one(cls, found: dict[str, PipelineSettings]) -> dict[str, PipelineSettings]:
        if not found:
            raise ValueError(
                "found no pipeline, expected at least one, such as digits: {hooks: processes.py}"
            )
        return found

    @property
    def slot_count(self) -> int:
        """Jobs that run side by side at most."""
        return max(1, len(self.slots))

    def gpus_of(self, slot: int) -> list[int | str] | None:
        """The GPUs that the hooks of a slot see; None for all.

        Args:
            slot: Its position, from 0 on.
        """
        return self.slots[slot].gpus if self.slots else None

    def first_slot(self, pipeline: str) -> int:
        """The first slot that a pipeline may run in: there it is tried and looked at.

        Args:
            pipeline: Its name.
        """
        found = self.pipelines[pipeline]
        return next(slot for slot in range(self.slot_count) if found.may_run_in(slot))

    def pipelines_of(self, slot: int) -> list[str]:
        """The pipelines that may run in a slot.

        Args:
            slot: Its position, from 0 on.
        """
        return [name for name, pipeline in self.pipelines.items() if pipeline.may_run_in(slot)]

    @model_validator(mode="after")
    def _all_stays_on_this_machine(self) -> Self:
        """A hub on this machine gets everything: nothing leaves the site."""
        if self.platform.is_embedded or is_loopback(self.platform.url):
            opened = {
                name: pipeline.model_copy(update={"share": pipeline.share.opened()})
                for name, pipeline in self.pipelines.items()
            }
            self.pipelines.update(opened)
        return self

    @model_validator(mode="after")
    def _slots_are_there(self) -> Self:
        SettingError.raise_any(
            [
                _no_slot(name, slot, self.slot_count)
                for name, pipeline in self.pipelines.items()
                for slot in ([] if pipeline.slots == ANY_SLOT else pipeline.slots)
                if slot >= self.slot_count
            ]
        )
        return self

    @model_validator(mode="after")
    def _gpus_are_named_once(self) -> Self:
        SettingError.raise_any(
            [
                _pinned(name, variable, pipeline.env[variable])
                for name, pipeline in self.pipelines.items()
                for variable in PINS
                if variable in pipeline.env and self._is_pinned(pipeline)
            ]
        )
        return self

    def _is_pinned(self, pipeline: PipelineSettings) -> bool:
        """Whether a slot that it may run in says which GPUs its hooks see."""
        slots = range(self.slot_count)
        return any(self.gpus_of(slot) is not None for slot in slots if pipeline.may_run_in(slot))

    @model_validator(mode="after")
    def _sections_fit_together(self) -> Self:
        url = self.platform.url
        if self.platform.is_embedded:
            SettingError.raise_any([] if self.experiment else [_no_experiment()])
            return self
        broken = []
        if url.startswith("http:") and not (self.platform.allow_insecure_http or is_loopback(url)):
            broken.append(_insecure(url))
        if self.platform.token_file is None:
            broken.append(_no_token(url))
        SettingError.raise_any(broken)
        return self


def default_token_file(environment: Mapping[str, str]) -> Path | None:
    """Where the token lies when the file does not say.

    Args:
        environment: The process's variables.

    Returns:
        systemd's credential `token`, else what `$ALECTIO_AGENT_TOKEN_FILE` names, else None.
    """
    credentials = environment.get("CREDENTIALS_DIRECTORY")
    if credentials and _may_be_there(Path(credentials) / "token"):
        return Path(credentials) / "token"
    named = environment.get(TOKEN_FILE_VARIABLE)
    return Path(named).absolute() if named else None


def _beside(folder: Path) -> Path | None:
    """The file that our units take the credential from: people who steer a service have none."""
    return folder / "token" if _may_be_there(folder / "token") else None


def _may_be_there(file: Path) -> bool:
    """Whether a file is there; whoever reads one that may not be seen says what is wrong."""
    try:
        return file.exists()
    except OSError:
        return True


def _no_experiment() -> SettingError:
    return SettingError(
        "missing. The hub in the box needs it, such as `experiment: experiment.yaml`; "
        "for another platform set `platform.url`",
        key="experiment",
        depends_on=("platform.url",),
        missing=True,
    )


def _no_slot(pipeline: str, slot: int, count: int) -> SettingError:
    there = "only slot 0" if count == 1 else f"slots 0 to {count - 1}"
    return SettingError(
        f"found slot {slot}, expected {there}, or also another entry of `slots`",
        key=f"pipelines.{pipeline}.slots",
        depends_on=("slots",),
    )


def _pinned(pipeline: str, variable: str, value: str) -> SettingError:
    return SettingError(
        f"found '{value}', while the slots say which GPUs their hooks see; expected no such "
        "variable here, or no `gpus` in those slots",
        key=f"pipelines.{pipeline}.env.{variable}",
        depends_on=("slots",),
    )


def _no_token(url: str) -> SettingError:
    return SettingError(
        f"missing. A platform elsewhere needs a token: alectio-agent enroll {url} writes one "
        "beside this file. Expected that, or here the path of a file of mode 0600, a systemd "
        f"credential `token`, or a path in ${TOKEN_FILE_VARIABLE}",
        key="platform.token_file",
        depends_on=("platform.url",),
        missing=True,
    )


def _insecure(url: str) -> SettingError:
    return SettingError(
        f"found '{url}', which sends the token in the clear to another machine; expected "
        "https://, or also `platform.allow_insecure_http: true`",
        key="platform.url",
        depends_on=("platform.allow_insecure_http",),
    )
