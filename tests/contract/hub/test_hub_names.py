"""Record names at the hub: checked, kept by their digest, found for experiments."""

import hashlib
import json
import random
from pathlib import Path

import pytest

from alectio_agent.hub.experiments import name_files
from alectio_agent.hub.experiments.name_files import EVERY, NameFiles
from alectio_agent.hub.experiments.record_names import names_of
from alectio_agent.hub.experiments.records import named_experiment
from alectio_agent.hub.experiments.results_document import read_document
from alectio_agent.wire.agents import Registration
from tests.support.benches import Bench, BenchAgent, refused


def lines_of(names: list[str]) -> bytes:
    return "".join(json.dumps(name) + "\n" for name in names).encode()


def digest_of(names: list[str]) -> str:
    return hashlib.sha256(lines_of(names)).hexdigest()


def make_names(count: int) -> list[str]:
    return [f"study/scän-{index:07}.png" for index in range(count)]


POOL = make_names(20)


def arrived(files: NameFiles, lines: bytes) -> Path:
    files.folder.mkdir(parents=True, exist_ok=True)
    file = files.folder / ".some.arriving"
    file.write_bytes(lines)
    return file


def take(files: NameFiles, names: list[str]) -> str:
    digest = digest_of(names)
    files.take(arrived(files, lines_of(names)), digest, len(names))
    return digest


@pytest.fixture
def files(tmp_path: Path) -> NameFiles:
    return NameFiles(tmp_path / "names")


class TestFiles:
    def test_names_are_read_by_their_indices_in_any_order(self, files: NameFiles) -> None:
        names = make_names(5 * EVERY + 3)
        digest = take(files, names)
        indices = [*range(len(names)), 7, 7, 0]
        random.Random(1).shuffle(indices)
        assert files.read(digest, indices) == [names[index] for index in indices]
        assert files.count(digest) == len(names)

    @pytest.mark.parametrize("count", [1, EVERY - 1, EVERY, EVERY + 1, 2 * EVERY])
    def test_the_last_name_is_read_whatever_the_number(self, files: NameFiles, count: int) -> None:
        names = make_names(count)
        assert files.read(take(files, names), [count - 1]) == names[-1:]

    def test_names_over_several_pieces_of_the_file_are_read(
        self, files: NameFiles, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(name_files, "CHUNK_BYTES", 100)
        names = make_names(3 * EVERY + 1)
        digest = take(files, names)
        assert files.read(digest, range(len(names))) == names
        assert files.prefix_digest(digest, EVERY + 5) == digest_of(names[: EVERY + 5])

    def test_no_names_are_read_from_no_indices(self, files: NameFiles) -> None:
        assert files.read(take(files, POOL), []) == []

    def test_what_is_here_is_told(self, files: NameFiles) -> None:
        assert files.digests() == []
        assert not files.holds(digest_of(POOL))
        digest = take(files, POOL)
        assert files.holds(digest)
        assert files.digests() == [digest]
        assert sorted(file.name for file in files.folder.iterdir()) == [
            f"{digest}.index",
            f"{digest}.jsonl",
        ]

    def test_names_without_their_index_are_not_here(self, files: NameFiles) -> None:
        digest = take(files, POOL)
        (files.folder / f"{digest}.index").unlink()
        assert not files.holds(digest)

    def test_the_digest_of_the_first_names_is_told(self, files: NameFiles) -> None:
        names = make_names(3 * EVERY)
        digest = take(files, names)
        for count in (1, EVERY - 1, EVERY, EVERY + 1, 3 * EVERY - 1, 3 * EVERY):
            assert files.prefix_digest(digest, count) == digest_of(names[:count])
        assert files.prefix_digest(digest, 3 * EVERY + 1) is None

    @pytest.mark.parametrize(
        ("lines", "count", "told"),
        [
            (b'"a"\n"b"\n', 3, "found 2 names"),
            (b'"a"\n"b"\n', 1, "more than 1"),
            (b'"a"\n"b"', 2, "no end"),
            (b'"a"\n7\n', 2, "line 2"),
            (b'"a"\nnull\n', 2, "line 2"),
            (b'"a"\n["b"]\n', 2, "line 2"),
            (b'"a"\n' + b"[" * 60_000 + b"\n", 2, "line 2"),
            (b'"a"\n{"b": "c"}\n', 2, "line 2"),
            (b'"a"\nb\n', 2, "line 2"),
            (b'"a"\n\n', 2, "line 2"),
            (b'"a", "b"\n\n', 2, "line 1"),
            (b'"a\nb"\n"c", "d"\n', 3, "line 1"),
            (b'"a"\n"\xff"\n', 2, "line 2"),
            (b'"a"\n"\\ud83d"\n', 2, "line 2"),
            (b'"a"\n"' + b"x" * 2**16 + b'"\n', 2, "line 2"),
            (b'"' + b"x" * 2**21, 1, "no end"),
        ],
    )
    def test_lines_that_are_no_names_are_refused(
        self, files: NameFiles, lines: bytes, count: int, told: str
    ) -> None:
        file = arrived(files, lines)
        with refused("invalid") as caught:
            files.take(file, "d" * 64, count)
        assert told in caught.value.message
        assert list(files.folder.iterdir()) == [file]

    def test_characters_of_any_kind_may_be_in_names(self, files: NameFiles) -> None:
        names = ["schön", "\U0001f600", "a\nb", '"', "\\", "", "\u2028"]
        digest = take(files, names)
        assert files.read(digest, range(len(names))) == names


def offer(names: list[str], *, shares: bool = True, **said: object) -> dict[str, object]:
    return {
        "name": "digits",
        "state_digest": digest_of(names),
        "state_size": len(names),
        "shares_names": shares,
        **said,
    }


def agent_with(bench: Bench, names: list[str], name: str = "gpu01", **said: object) -> BenchAgent:
    return bench.agent(name, pipelines=[offer(names, **said)])


def wanted(bench: Bench, **said: object) -> list[str]:
    record = Registration.model_validate(
        {
            "installation_id": "i1",
            "boot": {"count": 1, "id": "b1"},
            "name": "gpu01",
            "version": "1",
            "pipelines": [offer(POOL, **said)],
        }
    )
    return bench.run(lambda tx: bench.platform.register(tx, record)).names_wanted


class TestAsking:
    def test_names_that_are_not_here_are_asked_for(self, bench: Bench) -> None:
        assert wanted(bench) == [digest_of(POOL)]

    def test_names_are_asked_for_once(self, bench: Bench) -> None:
        take(bench.platform.names, POOL)
        assert wanted(bench) == []

    def test_names_that_stay_at_the_site_are_not_asked_for(self, bench: Bench) -> None:
        assert wanted(bench, shares=False) == []

    def test_an_older_agent_is_asked_for_nothing(self, bench: Bench) -> None:
        record = Registration.model_validate(
            {
                "installation_id": "i1",
                "boot": {"count": 1, "id": "b1"},
                "name": "gpu01",
                "version": "1",
                "pipelines": [{"name": "digits", "state_digest": "a" * 64, "state_size": 3}],
            }
        )
        assert bench.run(lambda tx: bench.platform.register(tx, record)).names_wanted == []

    def test_only_what_an_agent_registered_may_come(self, bench: Bench) -> None:
        agent = agent_with(bench, POOL)
        platform, digest = bench.platform, digest_of(POOL)
        assert bench.run(lambda tx: platform.names_count(tx, agent.agent_id, digest)) == 20
        with refused("invalid"):
            bench.run(lambda tx: platform.names_count(tx, agent.agent_id, "e" * 64))
        with refused("unknown-agent"):
            bench.run(lambda tx: platform.names_count(tx, "nobody", digest))


class TestFinding:
    def names(self, bench: Bench, *indices: int) -> list[str] | None:
        files = bench.platform.names
        return bench.run(
            lambda tx: names_of(tx, files, named_experiment(tx, "digits"), list(indices))
        )

    def test_the_names_of_the_pinned_pool_are_found(self, bench: Bench) -> None:
        agent_with(bench, POOL)
        bench.create()
        take(bench.platform.names, POOL)
        assert self.names(bench, 19, 0) == [POOL[19], POOL[0]]

    def test_names_that_have_not_come_are_not_known(self, bench: Bench) -> None:
        agent_with(bench, POOL)
        bench.create()
        assert self.names(bench, 0) is None

    def test_without_names_there_are_none(self, bench: Bench) -> None:
        bench.agent()
        bench.create()
        take(bench.platform.names, POOL)
        assert self.names(bench, 0) is None

    def test_before_the_pool_is_known_there_are_none(self, bench: Bench) -> None:
        bench.create()
        assert self.names(bench, 0) is None

    def test_an_index_that_is_not_in_the_pool_has_no_name(self, bench: Bench) -> None:
        agent_with(bench, POOL)
        bench.create()
        take(bench.platform.names, POOL)
        assert self.names(bench, 20) is None
        assert self.names(bench, -1) is None

    def test_a_longer_file_that_begins_with_the_pool_will_do(self, bench: Bench) -> None:
        """The agent's data has grown; its old names were never sent."""
        agent = agent_with(bench, POOL)
        bench.create()
        agent.restart(pipelines=[offer(make_names(30))])
        take(bench.platform.names, make_names(30))
        assert self.names(bench, 19) == [POOL[19]]

    def test_a_longer_file_in_another_order_will_not(self, bench: Bench) -> None:
        agent = agent_with(bench, POOL)
        bench.create()
        other = ["new", *make_names(29)]
        agent.restart(pipelines=[offer(other)])
        take(bench.platform.names, other)
        assert self.names(bench, 19) is None

    def test_names_of_more_than_the_pool_are_found_by_what_agents_offer(self, bench: Bench) -> None:
        """Then no digest is pinned."""
        agent_with(bench, make_names(30))
        bench.create(pool=20)
        take(bench.platform.names, make_names(30))
        assert self.names(bench, 19) == [POOL[19]]

    def test_agents_that_disagree_about_them_leave_them_unknown(self, bench: Bench) -> None:
        agent_with(bench, make_names(30))
        agent_with(bench, ["new", *make_names(30)], "gpu02")
        bench.create(pool=20)
        take(bench.platform.names, make_names(30))
        assert self.names(bench, 19) == [POOL[19]]
        take(bench.platform.names, ["new", *make_names(30)])
        assert self.names(bench, 19) is None

    def test_agents_that_agree_about_the_pool_may_differ_behind_it(self, bench: Bench) -> None:
        agent_with(bench, make_names(30))
        agent_with(bench, make_names(40), "gpu02")
        bench.create(pool=20)
        for count in (30, 40):
            take(bench.platform.names, make_names(count))
        assert self.names(bench, 19) == [POOL[19]]

    def test_fewer_names_than_the_pool_has_are_no_names_of_it(self, bench: Bench) -> None:
        agent_with(bench, make_names(10), pool_size=20)
        bench.create()
        take(bench.platform.names, make_names(10))
        assert self.names(bench, 3) is None

    def test_an_extended_pool_has_the_new_names(self, bench: Bench) -> None:
        agent = agent_with(bench, POOL)
        bench.create()
        agent.restart(pipelines=[offer(make_names(30))])
        bench.extend(pool=30)
        take(bench.platform.names, POOL)
        assert self.names(bench, 3) is None, "the new ones have not come"
        take(bench.platform.names, make_names(30))
        assert self.names(bench, 3, 29) == [POOL[3], make_names(30)[29]]


class TestDocument:
    def test_names_stand_beside_the_samples_of_each_loop(self, bench: Bench) -> None:
        agent = agent_with(bench, POOL)
        bench.create()
        take(bench.platform.names, POOL)
        bench.run_loops(agent)
        document = bench.run(lambda tx: bench.platform.history(tx, "digits"))
        assert len(document["loops"]) == 3
        for loop in document["loops"]:
            assert loop["names"] == [POOL[index] for index in loop["selected"]]

    def test_unknown_names_are_null(self, bench: Bench) -> None:
        agent_with(bench, POOL)
        bench.create()
        document = bench.run(lambda tx: bench.platform.history(tx, "digits"))
        assert [loop["names"] for loop in document["loops"]] == [None]

    def test_without_the_files_at_hand_names_are_null(self, bench: Bench) -> None:
        agent_with(bench, POOL)
        bench.create()
        take(bench.platform.names, POOL)
        document = bench.run(lambda tx: read_document(tx, "digits"))
        assert [loop["names"] for loop in document["loops"]] == [None]

    def test_names_that_arrive_have_the_results_written_anew(self, bench: Bench) -> None:
        agent_with(bench, POOL)
        bench.create()
        bench.platform.context.due.take_marked()
        digest = take(bench.platform.names, POOL)
        bench.run(lambda tx: bench.platform.names_arrived(tx, digest))
        assert bench.platform.context.due.take_marked() == ["digits"]
        bench.run(lambda tx: bench.platform.names_arrived(tx, "e" * 64))
        assert bench.platform.context.due.take_marked() == []
