"""What an agent tells of its pipelines, and the names that it would hand out."""

import os
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from alectio_agent.agent.hooks.checkpoints import held_checkpoints
from alectio_agent.agent.hooks.groups import HOME_VARIABLE, home_mark
from alectio_agent.agent.hooks.inspection import HookInspection, prefix_digest
from alectio_agent.agent.hooks.partials import held_partials
from alectio_agent.agent.hooks.runner import HookSlot
from alectio_agent.agent.hooks.site_environment import site_environment
from alectio_agent.agent.jobs.announcement import Announcement
from alectio_agent.agent.jobs.share import Share, Shares
from alectio_agent.cli.agent_state import State
from alectio_agent.config.pipeline import PipelineSettings
from alectio_agent.core.clock import SystemClock
from alectio_agent.wire.agents import HeldCheckpoint, PipelineOffer
from alectio_agent.wire.names import EXPERIMENT_PATTERN


def hook_slots(state: State) -> list[HookSlot]:
    """What starts hook processes as this agent does: one for each of its slots.

    Args:
        state: The opened state folder.

    Raises:
        ConfigError: The environment of the processes cannot be made.
    """
    settings = state.settings
    folder = settings.agent.state_dir
    variables = site_environment(settings, os.environ, folder)
    home = {HOME_VARIABLE: home_mark(folder)}
    return [
        HookSlot(SystemClock(), state.journal, {**variables, **home}, gpus=settings.gpus_of(slot))
        for slot in range(settings.slot_count)
    ]


def inspect_hooks(state: State, hooks: Sequence[HookSlot]) -> dict[str, HookInspection]:
    """Load the hooks of every pipeline once, to know them.

    Args:
        state: The opened state folder.
        hooks: From `hook_slots`; each pipeline is looked at in the first slot that it may run in.

    Returns:
        What was found, by name of the pipeline.

    Raises:
        HookLoadError: Hooks that cannot be loaded, or break the signature rules.
    """
    folder = state.settings.agent.state_dir / "state"
    state.disk.make_folder(folder)
    return {
        name: hooks[state.settings.first_slot(name)].inspect(name, pipeline, folder)
        for name, pipeline in state.settings.pipelines.items()
    }


def pool_size(pipeline: PipelineSettings, found: HookInspection) -> int | None:
    """Number of samples of a pipeline: from its settings, else from its `state()`."""
    return pipeline.pool_size if pipeline.pool_size is not None else found.state_size


def name_files(inspections: dict[str, HookInspection], shares: Shares) -> dict[str, Path]:
    """The names that may leave, whatever the platform asks for.

    Args:
        inspections: What is known of each pipeline's hooks.
        shares: What may leave.

    Returns:
        Digest to file.
    """
    return {
        found.state_digest: found.state_file
        for name, found in inspections.items()
        if shares.at(name).keys.names
        and found.state_digest is not None
        and found.state_file is not None
    }


def announcement(
    state: State, inspections: dict[str, HookInspection], shares: Shares
) -> Announcement:
    """What an agent says when it registers.

    Args:
        state: The opened state folder.
        inspections: What is known of each pipeline's hooks.
        shares: What may leave.
    """
    settings = state.settings

    def checkpoints() -> list[HeldCheckpoint]:
        return [
            checkpoint
            for pipeline in settings.pipelines.values()
            for checkpoint in held_in(pipeline.checkpoints.dir)
        ]

    def digest(pipeline: str, size: int) -> str | None:
        names = inspections[pipeline].state_file
        return None if names is None else prefix_digest(names, size)

    return Announcement(
        name=shown_name(state, shares),
        version=version("alectio-agent"),
        tags=list(settings.agent.tags),
        offers={
            name: offer(name, pipeline, inspections[name], shares.at(name))
            for name, pipeline in settings.pipelines.items()
        },
        checkpoints=checkpoints,
        digest=digest,
        slots=settings.slot_count,
    )


def offer(
    name: str, pipeline: PipelineSettings, found: HookInspection, share: Share
) -> PipelineOffer:
    """A pipeline as it is registered.

    Args:
        name: Of the pipeline.
        pipeline: Its settings.
        found: What is known of its hooks.
        share: What may leave.
    """
    return PipelineOffer(
        name=name,
        pool_size=pool_size(pipeline, found),
        state_digest=found.state_digest,
        state_size=found.state_size,
        store=pipeline.checkpoints.store,
        shares_names=share.keys.names and found.state_file is not None,
    )


def held_in(folder: Path) -> list[HeldCheckpoint]:
    """The checkpoints on disk, whole ones and partial ones; foreign files are passed over.

    Args:
        folder: Of a pipeline; holds a folder per experiment.
    """
    if not folder.is_dir():
        return []
    return [
        HeldCheckpoint(experiment=inside.name, name=name)
        for inside in sorted(folder.iterdir())
        if inside.is_dir() and re.match(EXPERIMENT_PATTERN, inside.name)
        for name in (*held_checkpoints(inside), *held_partials(inside))
    ]


def shown_name(state: State, shares: Shares) -> str:
    """The host's name stays here unless every pipeline lets it leave, or somebody wrote a name.

    Args:
        state: The opened state folder.
        shares: What may leave.
    """
    agent = state.settings.agent
    if shares.tells_host or "name" in agent.model_fields_set:
        return agent.name
    return f"agent-{state.identity.installation_id[:8]}"
