"""Secrets that no file may hold, and how to look for them."""

import base64
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote


def forms(secret: str) -> set[bytes]:
    """A secret as it is, in a URL, and in base64 at each of its three places."""
    raw = secret.encode()
    found = {raw, quote(secret, safe="").encode()}
    for shift in range(3):
        packed = base64.b64encode(bytes(shift) + raw)
        found.add(packed[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6])
    return found


def found_in(content: bytes, secrets: Iterable[str]) -> list[str]:
    """Those secrets of which any form stands in a text."""
    return [each for each in secrets if any(form in content for form in forms(each))]


def found_below(folder: Path, secrets: Iterable[str]) -> list[tuple[str, str]]:
    """File and secret, for each that holds one; names of files count as well."""
    secrets = list(secrets)
    return [
        (str(path), secret)
        for path in folder.rglob("*")
        for secret in found_in(
            path.name.encode() + (path.read_bytes() if path.is_file() else b""), secrets
        )
    ]
