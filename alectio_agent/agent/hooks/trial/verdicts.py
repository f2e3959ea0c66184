"""The messages of checks that compare two results."""

from alectio_agent.agent.hooks.trial.agreement import Agreement
from alectio_agent.core.errors import HookError, HookResultError

LOAD = "Load it in test and infer"


def test_forgets(agreement: Agreement) -> HookResultError:
    """`test` gave other predictions in a fresh process."""
    return HookResultError(
        "E-HOOK-05  try: test gives other predictions in a fresh process "
        f'({agreement.describe()}): it does not load payload["ckpt_file"]. After a restart the '
        f"wrong score would be recorded. {LOAD}"
    )


def test_wavers(agreement: Agreement) -> str:
    """A warning: so few predictions differ in a fresh process that rounding may be the reason."""
    return (
        f"E-HOOK-05  try: test gives almost the same predictions in a fresh process "
        f"({agreement.describe()}): it is not quite deterministic"
    )


def scores_waver(differing: list[int], count: int) -> str:
    """A warning: `test` gave the same predictions in a fresh process, with other scores."""
    return (
        f"E-HOOK-05  try: test gives other `outputs` in a fresh process for {len(differing):,} of "
        f"{count:,} samples, though the same predictions: dropout is still on (model.eval() is "
        "missing), or it is not deterministic. What reports say of calibration would differ"
    )


def scores_disagree(odd: list[int], count: int) -> str:
    """A warning: `outputs` of `test` do not belong to its predictions, or it has thresholds."""
    some = ", ".join(str(sample) for sample in odd[:10])
    return (
        f"E-HOOK-06  try: for {len(odd):,} of {count:,} samples of test the prediction is not the "
        f"class with the highest score in `outputs`: {some}. Either the rows are in another order "
        "than the predictions, or predictions are made with a threshold"
    )


def step_needs_memory(step: str, code: str, error: HookError) -> HookResultError:
    """A step worked right after `train` and fails in a fresh process."""
    return HookResultError(
        f"{code}  try: {step} works right after train and fails in a fresh process: it uses what "
        f'train left in memory instead of loading payload["ckpt_file"]. {LOAD}',
        hint=str(error),
    )


def infer_wavers(differing: list[int], count: int) -> HookResultError:
    """`infer` gave other rows for the same samples."""
    some = ", ".join(str(sample) for sample in differing[:10])
    return HookResultError(
        f"E-HOOK-09  try: asked again in a fresh process, infer gives other rows for "
        f"{len(differing):,} of {count:,} samples: {some}. Its rows are in another order than its "
        'keys (shuffle=True), or it does not load payload["ckpt_file"], or dropout is still on '
        "(model.eval() is missing). The wrong samples would be chosen"
    )


OTHER = (
    "E-HOOK-12  try: trained from nothing with the same samples and seed, a second experiment "
    "gives other predictions"
)


def files_carry_over(agreement: Agreement, written: list[str]) -> HookResultError:
    """Another experiment trained differently, and `train` writes files beside its checkpoints."""
    return HookResultError(
        f'{OTHER} ({agreement.describe()}). train writes outside of payload["ckpt_dir"]: '
        f"{_named(written)}; what it loads from there is carried over. Keep files in "
        'payload["ckpt_dir"], and start from fresh weights when resume_from is None'
    )


def train_wavers(agreement: Agreement, written: list[str]) -> str:
    """A warning: another experiment trained differently, and it is not known why."""
    if written:
        why = (
            "either it is not deterministic, as on many GPUs, or it loads something that an "
            f"earlier run left in {_named(written)}"
        )
    else:
        why = (
            "it wrote no file outside of its folder below `cwd`: most likely it is not "
            "deterministic, as on many GPUs"
        )
    return f"{OTHER} ({agreement.describe()}). {why}. Scores will differ from run to run"


def _named(written: list[str]) -> str:
    more = f" and {len(written) - 10:,} more" if len(written) > 10 else ""
    return f"{', '.join(written[:10])}{more}"


def globals_carry_over(agreement: Agreement) -> str:
    """A warning: the same process trained differently the second time."""
    return (
        f"E-HOOK-12  try: trained from nothing twice in one process, train gives other models "
        f"({agreement.describe()}): a global variable carries over. The agent starts a new process "
        "for each experiment, so that it does no harm here; in a script of your own it would"
    )
