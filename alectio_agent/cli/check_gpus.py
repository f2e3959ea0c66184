"""The check of GPUs: those that the hooks of a pipeline see, in their interpreter and slot."""

from collections.abc import Mapping, Sequence

from alectio_agent.agent.hooks.environment import build_environment
from alectio_agent.agent.hooks.gpu_sight import GpuSight, ask_gpus
from alectio_agent.agent.hooks.gpus import gpu_pins
from alectio_agent.config.settings import AgentFile
from alectio_agent.core.checks import Check, passed
from alectio_agent.core.errors import HookLoadError
from alectio_agent.core.units import count

SHOWN = 3
MEND = (
    "Do the driver and torch's CUDA fit (nvidia-smi), and may this user open /dev/nvidia*? Under "
    "systemd: alectio-agent service install --gpu"
)


def check_gpus(name: str, settings: AgentFile, inherited: Mapping[str, str]) -> Check:
    """Ask the interpreter of a pipeline which GPUs it sees in its first slot.

    Args:
        name: Of the pipeline.
        settings: Of the agent.
        inherited: The variables that hooks are given, besides those of the pipeline.

    Raises:
        HookLoadError: The slot names GPUs that are not there, or the interpreter cannot be asked.
    """
    pipeline = settings.pipelines[name]
    wanted = settings.gpus_of(settings.first_slot(name))
    environment = build_environment(pipeline, inherited, None, "check", gpu_pins(wanted))
    seen = ask_gpus(name, pipeline, environment)
    line = f"{name}: gpu"
    if wanted is not None and not wanted:
        return passed(line, "none: the slot has none (slots)")
    said = _seen(seen)
    missing = _missing(seen, wanted or [])
    if missing:
        raise HookLoadError(
            f"E-HOOK-18  slots: gpus {_listed(list(wanted or []))}: {missing} ({said})", hint=MEND
        )
    if seen.torch == "broken":
        return passed(line, said, f"torch is installed and cannot be imported: {seen.why}")
    if seen.torch and seen.cards and not seen.names:
        why = f" ({seen.why})" if seen.why else ""
        return passed(line, said, f"E-HOOK-18  torch sees no GPU{why}. {MEND}")
    if wanted and not seen.torch and not seen.cards:
        return passed(line, said, f"slots name {_listed(wanted)}: nothing here can look for them")
    return passed(line, said)


def _seen(seen: GpuSight) -> str:
    cards = [card[1] for card in seen.cards]
    shown = f"nvidia-smi shows {count(len(cards), 'GPU')}: {_listed(cards)}" if cards else ""
    if not seen.torch:
        return f"no torch; {shown}" if shown else "none seen: neither torch nor nvidia-smi is there"
    if seen.names:
        return f"torch {seen.torch} sees {count(len(seen.names), 'GPU')}: {_listed(seen.names)}"
    why = f" ({seen.why})" if seen.why else ""
    return f"torch {seen.torch} sees none{why}" + (f"; {shown}" if shown else "")


def _missing(seen: GpuSight, wanted: Sequence[int | str]) -> str:
    """What the slot names and the hooks do not get; empty when that is fine, or cannot be told."""
    if seen.torch and seen.torch != "broken":
        if len(seen.names) >= len(wanted):
            return ""
        return f"torch sees {len(seen.names)} of {len(wanted)}"
    known = {each for card in seen.cards for each in (card[0], card[2])}
    gone = [str(gpu) for gpu in wanted if str(gpu) not in known]
    return f"there is no GPU {', '.join(gone)}" if known and gone else ""


def _listed(names: Sequence[object]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more
