"""Tells by the name of a CA whether a proxy that looks into TLS has made a certificate."""

import re
from collections.abc import Mapping
from typing import Any

from alectio_agent.core.log import printable

INSPECTS = " (by that name a TLS-inspecting proxy)"
_PRODUCTS = re.compile(
    r"zscaler|netskope|forti(gate|net)|palo ?alto|blue ?coat|umbrella|check ?point|forcepoint|"
    r"websense|sophos|barracuda|mcafee|skyhigh|watchguard|untangle|mitmproxy|charles|fiddler|squid|"
    r"smoothwall|sonicwall|trend ?micro|kaspersky|bitdefender|cato networks|iboss|menlo security",
    re.IGNORECASE,
)
_KINDS = re.compile(r"\b(proxy|inspection|inspect|intercept\w*|decrypt\w*|firewall|dpi)\b", re.I)


def issuer_of(certificate: Mapping[str, Any]) -> str:
    """The name of who has signed a certificate; empty when it has none.

    Args:
        certificate: As `getpeercert` tells it.
    """
    parts = [pair for group in certificate.get("issuer", ()) for pair in group]
    for wanted in ("commonName", "organizationalUnitName", "organizationName"):
        for key, value in parts:
            if key == wanted:
                return printable(value, 80)
    return ""


def looks_inspected(certificate: Mapping[str, Any]) -> bool:
    """Whether the issuer calls itself as those do that look into TLS.

    Args:
        certificate: As `getpeercert` tells it.
    """
    said = " ".join(str(pair[1]) for group in certificate.get("issuer", ()) for pair in group)
    return bool(_PRODUCTS.search(said) or _KINDS.search(said))
