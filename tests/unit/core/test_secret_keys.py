"""What is secret by its name."""

import pytest

from alectio_agent.core.secret_keys import hide_secret_words, hide_secrets, is_secret


@pytest.mark.parametrize(
    "key", ["token", "api_key", "api-key", "authToken", "dbPassword", "PWD", "secret_key", "auth"]
)
def test_keys_of_secrets_are_known_however_they_are_written(key: str) -> None:
    assert is_secret(key, "x")


@pytest.mark.parametrize("key", ["key", "keys", "author", "tokenizer", "learning_rate", "bypass"])
def test_other_keys_are_none(key: str) -> None:
    assert not is_secret(key, "x")


def test_a_number_of_tokens_is_no_token() -> None:
    assert not is_secret("max_tokens", 5)


def test_secrets_are_hidden_at_any_depth() -> None:
    found = hide_secrets({"a": [{"password": "p", "b": 1}], "token": "t"}, "***")
    assert found == {"a": [{"password": "***", "b": 1}], "token": "***"}


def test_secret_words_of_a_command_line_are_hidden() -> None:
    words = ["--token", "abc", "--lr", "0.1", "--api-key=def", "--password", "--verbose", "x"]
    assert hide_secret_words(words, "***") == [
        "--token", "***", "--lr", "0.1", "--api-key=***", "--password", "--verbose", "x",
    ]  # fmt: skip
