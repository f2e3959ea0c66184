"""Takes secrets out of text by their value, in whatever form they stand there."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter value stands everywhere by chance: `1`, `yes`, `a`."""
LEAST_BASE64 = 8
_SHAPES = (
    (re.compile(rb"alt_[A-Za-z0-9_-]{16,}"), b"[masked: a token]"),
    (re.compile(rb"(?i)\b(bearer|basic) +[A-Za-z0-9+/=_.~-]{8,}"), rb"\1 [masked]"),
    (re.compile(rb"(://)[^/@\s\"'<>:]*:[^/@\s\"'<>]+@"), rb"\1[masked]@"),
    (
        re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)",
                   re.DOTALL),
        b"[masked: a private key]",
    ),
)  # fmt: skip
"""What is secret by its form, though nobody has named its value."""


class Masker:
    """Knows secrets, and replaces each form of each with its name."""

    def __init__(self, secrets: Iterable[tuple[str, str]]) -> None:
        """Prepare.

        Args:
            secrets: What each is, for people, and its value.
        """
        forms: dict[bytes, str] = {}
        self.names: set[str] = set()
        self.too_short: set[str] = set()
        """What each of those is that cannot be told from other text."""
        for name, value in secrets:
            if len(value) < SHORTEST:
                self.too_short.update({name} if value else ())
                continue
            self.names.add(name)
            for form in _forms(value):
                forms.setdefault(form, name)
        self._forms: Mapping[bytes, str] = forms
        # The longest first: a value may be the beginning of another.
        longest_first = sorted(forms, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, longest_first))) if forms else None

    def mask(self, text: bytes) -> bytes:
        """A text without any secret.

        Args:
            text: In UTF-8, or anything else.

        Returns:
            The same, with names in the places of secrets.
        """
        if self._any is not None:
            text = self._any.sub(lambda found: self._named(found[0]), text)
        for shape, instead in _SHAPES:
            text = shape.sub(instead, text)
        return text

    def _named(self, form: bytes) -> bytes:
        return f"[masked: {self._forms[form]}]".encode()


def _forms(value: str) -> set[bytes]:
    """How a value may stand in a text: as it is, in a URL, in JSON, Python, base64 or hex."""
    raw = value.encode("utf-8", "surrogateescape")
    written = {
        quote(raw), quote(raw, safe=""), quote_plus(raw), quote(raw, safe="").lower(),
        json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1],
    }  # fmt: skip
    found = {raw} | {form.encode("utf-8", "surrogateescape") for form in written}
    found |= {raw.hex().encode(), raw.hex().upper().encode()} if len(raw) >= LEAST_BASE64 else set()
    for shift in range(3):
        found |= _in_base64(raw, shift)
    return {form for form in found if len(form) >= SHORTEST}


def _in_base64(raw: bytes, shift: int) -> set[bytes]:
    """What stands for a value within the base64 of a longer text, at one of three places.

    The characters at both ends depend on what stands beside the value; those between do not.
    """
    packed = base64.b64encode(bytes(shift) + raw)
    first = (shift * 8 + 5) // 6
    last = (shift + len(raw)) * 8 // 6
    middle = packed[first:last]
    if len(middle) < LEAST_BASE64:
        return set()
    return {middle, middle.replace(b"+", b"-").replace(b"/", b"_")}
