"""The closed list of verdicts."""

import pytest

from alectio_agent.wire.problems import PROBLEM_TYPES, Problem

STATUS = {
    "lease-lost": 409, "job-closed": 409, "parts-missing": 409, "stale-seq": 409,
    "superseded-boot": 409, "conflict": 409, "invalid": 422, "key-reused": 422,
    "unknown-agent": 404, "not-found": 404, "unauthorized": 401, "expired": 401, "revoked": 401,
    "forbidden": 403, "unsupported-protocol": 426,
}  # fmt: skip


def test_each_verdict_has_the_status_of_the_protocol():
    """A new one needs a new protocol number, since agents act on nothing else."""
    assert {name: found.status for name, found in PROBLEM_TYPES.items()} == STATUS


@pytest.mark.parametrize("name", STATUS)
def test_each_verdict_says_what_it_means(name):
    assert PROBLEM_TYPES[name].name == name
    assert PROBLEM_TYPES[name].title


def test_a_problem_keeps_what_it_brings_along():
    problem = Problem.model_validate(
        {"type": "parts-missing", "status": 409, "missing": [{"sha256": "ab", "have": 5}]}
    )
    assert problem.extra("missing") == [{"sha256": "ab", "have": 5}]
    assert problem.extra("other") is None
    assert (problem.title, problem.detail) == ("", "")
