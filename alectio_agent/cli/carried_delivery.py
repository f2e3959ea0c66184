"""Delivers a file of results from the machine that it was carried to, and writes the receipt."""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from alectio_agent.agent.client.endpoints import PlatformClient
from alectio_agent.agent.client.network import read_network
from alectio_agent.agent.client.operation import OperationClient
from alectio_agent.agent.client.transport import HttpTransport
from alectio_agent.agent.jobs.carried import Verdict
from alectio_agent.agent.jobs.hand_delivery import Way, deliver
from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.export_form import (
    CarriedVerdict,
    Export,
    Receipt,
    ReceiptBody,
    seal_of,
)
from alectio_agent.agent.journal.importing import unpack_export
from alectio_agent.cli.hub_connection import network_to, refuse_clear_text
from alectio_agent.cli.hub_hints import checked_url
from alectio_agent.cli.options import Common
from alectio_agent.cli.outbox_outcome import Imported
from alectio_agent.cli.receipt_taking import outcome_words
from alectio_agent.cli.screen import say
from alectio_agent.cli.settings import load_agent_file
from alectio_agent.config.token_file import read_token, read_token_file
from alectio_agent.core.clock import SystemClock, timestamp
from alectio_agent.core.disk_errors import disk_errors
from alectio_agent.core.errors import ExitCode, UsageError
from alectio_agent.wire.operation import PlatformInfo


def deliver_file(
    common: Common, file: Path, receipt: Path, hub: str | None, token_file: Path | None
) -> None:
    """Check the whole file, deliver what stands in it, write down what the platform said.

    Args:
        common: The options of every command.
        file: From `outbox export`.
        receipt: Where the receipt goes.
        hub: URL of the platform; None for that of `agent.yaml`.
        token_file: For `hub`.

    Raises:
        UsageError: The file is damaged, or is for another platform.
        PlatformError: The platform does not answer, or refuses the token.
    """
    with (
        disk_errors(receipt),
        TemporaryDirectory(prefix=".alectio-import-", dir=receipt.absolute().parent) as folder,
    ):
        export, sha256 = unpack_export(file, Path(folder))
        client, ask = _connect(common, hub, token_file)
        _check_platform(export, ask())
        verdicts = deliver(export, Path(folder), Way(client, SystemClock(), random.SystemRandom()))
    _write(receipt, export, sha256, verdicts)
    _print(common, receipt, export, sha256, verdicts)


def _connect(
    common: Common, hub: str | None, token_file: Path | None
) -> tuple[PlatformClient, Callable[[], PlatformInfo]]:
    """The platform as an agent sees it, and who it is."""
    clock = SystemClock()
    if hub is not None:
        if token_file is None:
            raise UsageError("--hub needs --token-file", hint="A file with a token of scope agent.")
        url, secret = checked_url(hub), read_token_file(token_file)
        refuse_clear_text(url)
        network, token = network_to(url), lambda: secret
    else:
        settings, _ = load_agent_file(common.config)
        if settings.platform.is_embedded:
            raise UsageError(
                "platform.url is `embedded`: there is nobody here to deliver results to",
                hint="Name the platform: outbox import FILE --hub URL --token-file TOKEN",
            )
        url = settings.platform.url
        network = read_network(url, os.environ, settings)
        token = lambda: read_token(settings, os.environ)  # noqa: E731 - as the branch above
    transport = HttpTransport(url, os.environ, clock, network=network)
    asked = OperationClient(transport, token, clock)
    return PlatformClient(transport, token, clock), asked.platform


def _check_platform(export: Export, found: PlatformInfo) -> None:
    if found.platform_id != export.platform_id:
        raise UsageError(
            f"the results are for the platform {export.platform_id}, and this one is "
            f"{found.platform_id}; nothing was sent",
            hint="Name the right one: --hub URL --token-file TOKEN",
            code="E-OUT-02",
        )


def _write(file: Path, export: Export, sha256: str, verdicts: Sequence[Verdict]) -> None:
    body = ReceiptBody(
        agent=export.agent,
        installation_id=export.installation_id,
        platform_id=export.platform_id,
        export_sha256=sha256,
        created_at=timestamp(SystemClock().now()),
        verdicts=[
            CarriedVerdict(key=each.key, outcome=each.outcome, reason=each.reason)
            for each in verdicts
        ],
    )
    receipt = Receipt(body=body, sha256=seal_of(body))
    SystemDisk().write(file.absolute(), receipt.model_dump_json(indent=1).encode() + b"\n")


def _print(
    common: Common, receipt: Path, export: Export, sha256: str, verdicts: Sequence[Verdict]
) -> None:
    counts = Counter(verdict.outcome for verdict in verdicts)
    told = Imported(
        receipt=str(receipt),
        platform_id=export.platform_id,
        sha256=sha256,
        accepted=counts["accepted"],
        superseded=counts["superseded"],
        refused=counts["refused"],
        noted=None,
    )
    if common.as_json:
        click.echo(told.model_dump_json(indent=2))
    else:
        click.echo(f"{outcome_words(told)}; receipt: {receipt}; SHA-256 of the results {sha256}")
        jobs = {message.key: f"{message.job} {message.step or message.kind}"
                for message in export.messages}  # fmt: skip
        for verdict in verdicts:
            if verdict.outcome != "accepted":
                say(f"{jobs[verdict.key]}: {verdict.outcome}: {verdict.reason}")
        if not common.is_quiet:
            say(f"Carry it back to {export.agent}: alectio-agent outbox import {receipt.name}")
    if told.refused:
        click.get_current_context().exit(ExitCode.FAILED)
