"""Files of results that are carried by hand: what goes in comes out, and nothing else does."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from alectio_agent.agent.journal.disk import SystemDisk
from alectio_agent.agent.journal.export_form import (
    SEAL_BYTES,
    CarriedVerdict,
    Export,
    Receipt,
    ReceiptBody,
    seal,
    seal_of,
)
from alectio_agent.agent.journal.exporting import gather, waiting_platforms, write_export
from alectio_agent.agent.journal.importing import is_receipt, read_receipt, unpack_export
from alectio_agent.agent.journal.journal import Journal
from alectio_agent.agent.journal.outbox import Outbox
from alectio_agent.core.errors import StoreVersionError, UsageError
from alectio_agent.wire.results import JobFailure
from tests.support.claims import PLATFORM, make_claim, make_manifest
from tests.support.clocks import FakeClock

CONTENT = b"scores" * 300


class Bench:
    """A state folder with a job whose train and infer wait, and a failure of another."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder / "state", folder / "results.tar"
        self.folder.mkdir()
        self.journal = Journal(self.folder / "agent.db", FakeClock())
        self.outbox = Outbox(SystemDisk(), self.folder / "outbox")
        self.claim = make_claim()
        self.journal.put_claim("boot-1", 1, self.claim, PLATFORM)
        self.put("train")
        digest = hashlib.sha256(CONTENT).hexdigest()
        part = {"sha256": digest, "bytes": len(CONTENT), "rows": 3}
        self.put("infer", parts=[part], files=["part-0.bin"])
        other = make_claim(job="digits/2", job_id="job-2", lease="lease-2")
        self.journal.put_claim("boot-1", 2, other, PLATFORM)
        failure = JobFailure.of("user_code", "no data", "2026-01-01T00:00:00.000Z", step="train")
        self.journal.put_failure("lease-2", failure)

    def put(self, step: str, **commit: object) -> None:
        manifest = make_manifest(self.claim, step, **commit)
        folder = self.outbox.open_result(self.claim.lease, step)
        for name in manifest.files:
            (folder / name).write_bytes(CONTENT)
        self.outbox.complete(manifest)
        self.journal.put_commit(manifest, is_last=step == "infer")

    @property
    def part(self) -> Path:
        return self.outbox.result_folder(self.claim.lease, "infer") / "part-0.bin"

    def export(self) -> str:
        found = gather(self.folder, PLATFORM)
        index = Export(
            agent="gpu01", installation_id="i1", platform_id=PLATFORM, created_at="",
            claims=found.claims, messages=found.messages,
        )  # fmt: skip
        return write_export(self.file, index, found.sources)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def refuse(bench: Bench, target: Path) -> str:
    target.mkdir(exist_ok=True)
    with pytest.raises(UsageError) as raised:
        unpack_export(bench.file, target)
    assert raised.value.code == "E-OUT-01"
    return raised.value.message


def test_all_that_waits_comes_out_in_its_order(bench: Bench, tmp_path: Path) -> None:
    assert waiting_platforms(bench.folder) == [PLATFORM]
    sha256 = bench.export()
    assert sha256 == hashlib.sha256(bench.file.read_bytes()).hexdigest()
    assert bench.file.stat().st_mode & 0o777 == 0o600
    target = tmp_path / "out"
    target.mkdir()
    export, again = unpack_export(bench.file, target)
    assert again == sha256
    assert [(each.job, each.step, each.kind) for each in export.messages] == [
        ("digits/1", "train", "commit"), ("digits/1", "infer", "commit"),
        ("digits/2", "train", "fail"),
    ]  # fmt: skip
    assert [claim.lease for claim in export.claims] == ["lease-1", "lease-2"]
    assert export.claims[0].steps[0].payload.labeled == [], "samples stay here"
    assert (target / "outbox" / "lease-1.infer" / "part-0.bin").read_bytes() == CONTENT
    assert bench.journal.unsent().messages == 3, "nothing has changed for the agent"
    with tarfile.open(bench.file) as archive:
        names = archive.getnames()
    assert names == ["export.json", "outbox/lease-1.infer/part-0.bin", "SHA256"]


def test_no_bit_can_differ(bench: Bench, tmp_path: Path) -> None:
    bench.export()
    whole = bench.file.read_bytes()
    for at in [*range(0, len(whole), 97), len(whole) - 1]:
        changed = bytearray(whole)
        changed[at] ^= 1
        bench.file.write_bytes(changed)
        refuse(bench, tmp_path / "out")


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1], lambda whole: whole[:-SEAL_BYTES], lambda whole: whole[: 10],
        lambda whole: whole + b"\0", lambda whole: whole + whole, lambda _: b"",
        lambda _: b"\0" * 10240, lambda _: b"any text",
    ],
)  # fmt: skip
def test_what_was_cut_or_prolonged_is_refused(
    bench: Bench, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    bench.export()
    bench.file.write_bytes(damage(bench.file.read_bytes()))
    refuse(bench, tmp_path / "out")


def forge(bench: Bench, change: Callable[[dict], object], *, part: str = "") -> None:
    """A file that somebody made who knows how it is sealed."""
    with tarfile.open(bench.file) as archive:
        stream = archive.extractfile("export.json")
        assert stream is not None
        index = json.load(stream)
    change(index)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in (
            ("export.json", json.dumps(index).encode()),
            (part or "outbox/lease-1.infer/part-0.bin", CONTENT),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        end = archive.offset
    before = made.getvalue()[:end]
    bench.file.write_bytes(before + seal(hashlib.sha256(before).hexdigest()))


def message(index: dict, at: int = 1) -> dict:
    found: dict = index["messages"][at]
    return found


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda index: index.update(format="other"), ""),
        (lambda index: index.update(platform_id="platform-2"), ""),
        (lambda index: index.update(more=1), ""),
        (lambda index: index["claims"].pop(0), ""),
        (lambda index: message(index).update(key="another"), ""),
        (lambda index: message(index).update(files=[]), ""),
        (lambda index: message(index)["files"][0].update(sha256="0" * 64), ""),
        (lambda index: message(index)["files"][0].update(name="../../passwd"), ""),
        (lambda index: message(index, 2).update(body="{}"), ""),
        (lambda index: None, "../outside"),
        (lambda index: None, "outbox/lease-1.infer/other.bin"),
    ],
)
def test_what_does_not_fit_together_is_refused_however_it_is_sealed(
    bench: Bench, tmp_path: Path, change: Callable[[dict], object], part: str
) -> None:
    bench.export()
    forge(bench, lambda index: None)
    target = tmp_path / "sound"
    target.mkdir()
    unpack_export(bench.file, target)
    bench.export()
    forge(bench, change, part=part)
    refuse(bench, tmp_path / "out")
    assert not (tmp_path / "outside").exists()


def test_a_file_of_a_later_version_says_so(bench: Bench, tmp_path: Path) -> None:
    bench.export()
    forge(bench, lambda index: index.update(schema_number=2))
    with pytest.raises(StoreVersionError, match="newer version"):
        unpack_export(bench.file, tmp_path)


def test_a_result_whose_files_are_broken_is_left_out_with_what_is_behind_it(bench: Bench) -> None:
    bench.part.write_bytes(CONTENT[:-1] + b"!")
    found = gather(bench.folder, PLATFORM)
    assert [(each.job, each.step) for each in found.messages] == [
        ("digits/1", "train"), ("digits/2", "train"),
    ]  # fmt: skip
    [told] = found.broken
    assert "digits/1 infer" in told
    assert "no longer those that were written" in told
    bench.part.unlink()
    assert "part-0.bin: No such file" in gather(bench.folder, PLATFORM).broken[0]


def test_results_of_another_platform_are_left_alone(bench: Bench) -> None:
    assert gather(bench.folder, "platform-2").messages == []


def test_a_file_that_cannot_be_written_whole_is_not_there(bench: Bench) -> None:
    found = gather(bench.folder, PLATFORM)
    index = Export(
        agent="gpu01", installation_id="i1", platform_id=PLATFORM, created_at="",
        claims=found.claims, messages=found.messages,
    )  # fmt: skip
    bench.file.write_text("the one before")
    bench.part.write_bytes(b"another content")
    with pytest.raises(Exception, match="changed while it was read"):
        write_export(bench.file, index, found.sources)
    assert bench.file.read_text() == "the one before"
    assert [each.name for each in bench.file.parent.iterdir() if each.name[0] == "."] == []


def make_receipt() -> Receipt:
    body = ReceiptBody(
        agent="gpu01", installation_id="i1", platform_id=PLATFORM, export_sha256="0" * 64,
        created_at="", verdicts=[CarriedVerdict(key="key-train", outcome="accepted")],
    )  # fmt: skip
    return Receipt(body=body, sha256=seal_of(body))


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    file, made = tmp_path / "receipt", make_receipt()
    file.write_text(made.model_dump_json(indent=1))
    assert is_receipt(file)
    assert read_receipt(file) == made


@pytest.mark.parametrize(
    ("old", "new"),
    [("accepted", "refused"), ("key-train", "key-other"), (PLATFORM, "platform-2"), ("}", ""),
     ('"verdicts"', '"more": 1, "verdicts"'), ('"body"', '"head"')],
)  # fmt: skip
def test_a_receipt_that_was_changed_is_refused(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "receipt"
    file.write_text(make_receipt().model_dump_json().replace(old, new))
    with pytest.raises(UsageError) as raised:
        read_receipt(file)
    assert raised.value.code == "E-OUT-01"


def test_what_is_no_object_is_no_receipt(bench: Bench, tmp_path: Path) -> None:
    bench.export()
    assert not is_receipt(bench.file)
    for text in ("[]", "7", "{", '{"body": 7}'):
        (tmp_path / "receipt").write_text(text)
        with pytest.raises(UsageError):
            read_receipt(tmp_path / "receipt")
