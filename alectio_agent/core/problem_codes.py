"""The codes of messages about problem types of the wire that have one of their own."""

PROBLEM_CODES = {"not-found": "E-EXP-01", "conflict": "E-EXP-02"}
"""Of a request that the hub refuses."""

AUTH_CODES = {
    "unauthorized": "E-AUTH-04",
    "expired": "E-AUTH-05",
    "revoked": "E-AUTH-06",
    "forbidden": "E-AUTH-07",
}
"""Of a token that was refused."""
