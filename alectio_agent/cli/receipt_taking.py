"""Takes note of a receipt on the machine of the agent whose results were carried away."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from alectio_agent.agent.jobs.carried import Ended, Verdict, note_verdicts
from alectio_agent.agent.journal.export_form import CarriedVerdict, ReceiptBody
from alectio_agent.agent.journal.importing import read_receipt
from alectio_agent.agent.service.control.protocol import Request, SaidVerdict
from alectio_agent.cli.installation import UNKNOWN, installation_id
from alectio_agent.cli.options import Common
from alectio_agent.cli.outbox_outcome import Imported
from alectio_agent.cli.outbox_view import check_folder
from alectio_agent.cli.resting_journal import resting_journal
from alectio_agent.cli.steered import Target
from alectio_agent.core.errors import UsageError

AT_ONCE = 10
"""In one request, which may have 8 KiB."""
MOST_REASON_CHARS = 400


def take_receipt(common: Common, file: Path) -> None:
    """Note what a platform said, in the running agent or in its folder.

    Args:
        common: The options of every command.
        file: The receipt.

    Raises:
        UsageError: It is damaged, or about the results of another agent.
    """
    body = read_receipt(file).body
    target = Target.of(common)
    check_folder(target.folder)
    here = installation_id(target.folder)
    if UNKNOWN not in (here, body.installation_id) and here != body.installation_id:
        raise UsageError(
            f"{file}: of the results of another agent ({body.agent}); nothing was noted",
            hint="Take it where those were exported, or name that agent's file: --config PATH",
            code="E-OUT-02",
        )
    noted = 0
    for some in _batches(body):
        noted += _note(target, body.platform_id, some)
    counts = Counter(verdict.outcome for verdict in body.verdicts)
    told = Imported(
        receipt=str(file),
        platform_id=body.platform_id,
        sha256=body.export_sha256,
        accepted=counts["accepted"],
        superseded=counts["superseded"],
        refused=counts["refused"],
        noted=noted,
    )
    if common.as_json:
        click.echo(told.model_dump_json(indent=2))
    else:
        news = f"{noted} of them noted here now" if noted else "nothing of it is news here"
        click.echo(f"{target.name}: {outcome_words(told)}; {news}")


def outcome_words(told: Imported) -> str:
    """How many of each, for people.

    Args:
        told: What came out.
    """
    counts = {
        "accepted": told.accepted,
        "superseded by another attempt": told.superseded,
        "refused for good": told.refused,
    }
    return ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "nothing"


def _batches(body: ReceiptBody) -> Iterator[list[Verdict]]:
    for at in range(0, len(body.verdicts), AT_ONCE):
        yield [_verdict(each) for each in body.verdicts[at : at + AT_ONCE]]


def _verdict(said: CarriedVerdict) -> Verdict:
    return Verdict(said.key, said.outcome, said.reason[:MOST_REASON_CHARS])


def _note(target: Target, platform_id: str, verdicts: list[Verdict]) -> int:
    said = [
        SaidVerdict(key=each.key, outcome=each.outcome, reason=each.reason) for each in verdicts
    ]
    request = Request(verb="verdicts", platform_id=platform_id, verdicts=said)
    with target.asked(request) as made:
        if made is not None:
            return int(made.answer["noted"])
    with resting_journal(target.folder) as journal:
        return note_verdicts(journal, platform_id, verdicts, _nobody)


def _nobody(_: Ended) -> None:
    """No agent runs that would have to know."""
