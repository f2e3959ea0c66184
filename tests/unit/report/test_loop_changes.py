"""What changed between two loops, for loops that tell little."""

from alectio_agent.report.loop_changes import changed_sections


def test_loops_that_tell_nothing_are_compared_without_a_word_about_it() -> None:
    found = changed_sections({}, {}, {})
    assert {name for name, section in found.items() if section} == set()


def test_a_loop_without_provenance_leaves_code_unknown() -> None:
    found = changed_sections({}, {"provenance": None}, {"provenance": {}})
    assert (found["code"], found["packages"], found["args"]) == (None, None, None)
