"""What is wrong with a certificate or a handshake, in plain words, with the mend."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alectio_agent.agent.client.inspection import INSPECTS, issuer_of, looks_inspected
from alectio_agent.agent.client.trust import SHOWN
from alectio_agent.core.log import printable

NO_TLS = "that port speaks no TLS"
NO_HANDSHAKE = "it ended the connection instead of a TLS handshake"
ENDED_AT_ONCE = (
    "it ended the connection as soon as TLS was ready: perhaps it does not accept the certificate "
    "in tls.client_cert, or wants to see one"
)
NOTHING_SENT = "Nothing was sent to it"
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
"""How OpenSSL's versions name an answer that is plain text."""
_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "NO_PROTOCOLS_AVAILABLE"})
_NOT_YET, _EXPIRED, _SELF_SIGNED = 9, 10, 18
_UNKNOWN = frozenset({2, 19, 20, 21, 27})
_NAMES = frozenset({62, 64})
_RULES = range(79, 95)
"""OpenSSL's numbers of what VERIFY_X509_STRICT complains about."""


@dataclass(frozen=True)
class Words:
    """What is said about a failure.

    Attributes:
        text: What was found, and the mend where a log must show it too.
        code: Of the message.
        mend: What else to do; may be empty.
    """

    text: str
    code: str
    mend: str = ""


def is_no_tls(error: ssl.SSLError) -> bool:
    """Whether the other end answered in plain text, or not at all.

    Args:
        error: Of the handshake.
    """
    return error.reason in _NOT_TLS or isinstance(error, ssl.SSLEOFError)


def certificate_words(
    error: ssl.SSLCertVerificationError, place: str, ca_file: Path | None = None
) -> Words:
    """Why a certificate was not accepted.

    Args:
        error: With the certificate, where the Python tells it.
        place: Host and port that showed it.
        ca_file: Trusted besides the system's store; None for nothing.
    """
    distrust = "which the system does not trust"
    where = "name its file in tls.ca_file"
    if ca_file is not None:
        distrust = f"which neither the system nor {ca_file} (tls.ca_file) trusts"
        where = "put it into that file"
    shown: Mapping[str, Any] = getattr(error, SHOWN, {})
    number = error.verify_code
    if number in (_NOT_YET, _EXPIRED):
        return _dates(place, shown, is_expired=number == _EXPIRED)
    if number in _NAMES:
        return _names(place, shown)
    if number == _SELF_SIGNED:
        what = f"shows a self-signed certificate ({_issuer(shown)}), {distrust}"
        mend = f"If it is the right one, {where}"
        return Words(f"{place} {what}. {mend}. {NOTHING_SENT}", "E-TLS-01")
    said = printable(error.verify_message, 120)
    if number in _RULES:
        what = f"shows a certificate that breaks a rule of RFC 5280 ({said})"
        mend = "For an internal CA that is known to be such: tls.strict: false"
        return Words(f"{place} {what}. {mend}. {NOTHING_SENT}", "E-TLS-04")
    if number in _UNKNOWN:
        what = f"shows a certificate by {_issuer(shown)}, {distrust}"
        mend = f"If that is a CA of your site or of its proxy, {where}"
        return Words(f"{place} {what}. {mend}. {NOTHING_SENT}", "E-TLS-01")
    return Words(
        f"{place} shows a certificate that is not good: {said}. {NOTHING_SENT}", "E-TLS-01"
    )


def handshake_words(error: ssl.SSLError) -> Words:
    """Why no TLS connection came about, the certificate aside.

    Args:
        error: Of the handshake, or of the first answer.
    """
    reason = error.reason or ""
    if is_no_tls(error):
        text = NO_HANDSHAKE if isinstance(error, ssl.SSLEOFError) else NO_TLS
        return Words(text, "E-TLS-05", "Is it http://... instead of https://...?")
    if reason in _OLD:
        return Words("it speaks no TLS as new as 1.2; older ones are not safe", "E-TLS-05")
    if "CERTIFICATE_REQUIRED" in reason:
        mend = "Name one in tls.client_cert, and its key in tls.client_key."
        return Words(f"it wants to see a certificate of this agent. {mend}", "E-TLS-06")
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        said = reason.partition("ALERT_")[2].lower().replace("_", " ")
        return Words(f"it does not accept the certificate in tls.client_cert ({said})", "E-TLS-06")
    return Words(printable(error.strerror or str(error), 200), "E-NET-01")


def _dates(place: str, shown: Mapping[str, Any], *, is_expired: bool) -> Words:
    key, what = ("notAfter", "expired") if is_expired else ("notBefore", "not yet good")
    day = f" ({printable(shown[key], 40)})" if key in shown else ""
    mend = "Let who runs it renew it" if is_expired else "Is the clock of this machine right?"
    text = f"{place} shows a certificate that is {what}{day}. {mend}. {NOTHING_SENT}"
    return Words(text.replace("?.", "?"), "E-TLS-02")


def _names(place: str, shown: Mapping[str, Any]) -> Words:
    names = [str(value) for _, value in shown.get("subjectAltName", ())]
    if shown and not names:
        what = "shows a certificate without a subjectAltName; its common name is not looked at"
        mend = "Let who runs it issue one with the host's name there"
    else:
        found = f"for {printable(', '.join(names), 200)}" if names else "for another host"
        what = f"shows a certificate {found}, not for that name"
        mend = "Use a name that it has, or let who runs it issue another"
    return Words(f"{place} {what}. {mend}. {NOTHING_SENT}", "E-TLS-03")


def _issuer(shown: Mapping[str, Any]) -> str:
    name = issuer_of(shown)
    if not name:
        return "a CA that it does not name"
    return f'"{name}"{INSPECTS if looks_inspected(shown) else ""}'
