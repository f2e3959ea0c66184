"""How YAML files look that are written for people."""

from alectio_agent.cli.yaml_text import aligned


def test_comments_stand_in_one_column() -> None:
    text = (
        "# A heading.\nname: x # short\nbatch: 100 # longer\n# off: true # commented out\nlast: 1\n"
    )
    assert aligned(text) == (
        "# A heading.\nname: x      # short\nbatch: 100   # longer\n"
        "# off: true  # commented out\nlast: 1\n"
    )


def test_a_long_value_does_not_push_the_others() -> None:
    long = "classes: " + "x" * 60
    assert aligned(f"a: 1 # one\n{long} # many\n") == f"a: 1  # one\n{long}  # many\n"


def test_a_number_sign_within_quotes_is_no_comment() -> None:
    assert aligned('a: "x # y" # z\n') == 'a: "x # y"  # z\n'
    assert aligned('a: "x # y"\n') == 'a: "x # y"\n'
