"""Secrets are taken out of text by value, in every form in which programs write them."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest

from alectio_agent.core.masking import Masker

SECRET = 'p@ss "wörd"/+&x'
RAW = SECRET.encode()


def mask(text: str | bytes, *more: tuple[str, str]) -> bytes:
    masker = Masker([("the password", SECRET), *more])
    return masker.mask(text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(
    "form",
    [
        SECRET, quote(SECRET), quote(SECRET, safe=""), quote_plus(SECRET), json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1], repr(SECRET)[1:-1], RAW.hex(),
        quote(SECRET, safe="").lower(),
    ],
)  # fmt: skip
def test_each_form_becomes_the_name_of_the_secret(form: str) -> None:
    assert mask(f"before {form} after") == b"before [masked: the password] after"


@pytest.mark.parametrize("before", ["", "a", "me:", "user:", "long user name:"])
@pytest.mark.parametrize("after", ["", "\n", " and more"])
def test_a_secret_within_the_base64_of_a_longer_text_is_found(before: str, after: str) -> None:
    """As in the header of a proxy: `Basic base64(user:password)`."""
    whole = before.encode() + RAW + after.encode()
    for packed in (base64.b64encode(whole), base64.urlsafe_b64encode(whole)):
        masked = mask(b"x=" + packed)
        assert b"[masked" in masked
        left = masked.replace(b"[masked: the password]", b"")
        assert len(left) < len(packed) - len(RAW)


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    assert mask(f"{SECRET}-and-more", ("all", f"{SECRET}-and-more")) == b"[masked: all]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alt_" + "Ab1-_" * 9, "[masked: a token]"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [masked]"),
        ("proxy http://me:secret@proxy:3128 said", "proxy http://[masked]@proxy:3128 said"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",
         "[masked: a private key]\n"),
        ("https://hub.example.org:443/x@y", "https://hub.example.org:443/x@y"),
    ],
)  # fmt: skip
def test_what_is_secret_by_its_form_is_masked_though_nobody_named_it(
    text: str, expected: str
) -> None:
    assert Masker([]).mask(text.encode()) == expected.encode()


def test_a_value_that_stands_everywhere_is_not_masked_but_named() -> None:
    masker = Masker([("a PIN", "1"), ("nothing", "")])
    assert masker.mask(b"100 of 101") == b"100 of 101"
    assert masker.too_short == {"a PIN"}
