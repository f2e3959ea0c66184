"""Scripts and styles: from this package and from the report's, never from another host."""

import asyncio
import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.dashboard.answers import COMMON
from alectio_agent.report.assets import asset, plotly_script

CSS, JAVASCRIPT = "text/css", "text/javascript"
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class _Static:
    body: bytes
    packed: bytes
    kind: str
    version: str


def _own(name: str) -> str:
    return files("alectio_agent.hub.dashboard").joinpath("static", name).read_text("utf-8")


_SOURCES: dict[str, tuple[str, Callable[[], str]]] = {
    "dashboard.css": (CSS, partial(_own, "dashboard.css")),
    "dashboard.js": (JAVASCRIPT, partial(_own, "dashboard.js")),
    "report.css": (CSS, partial(asset, "report.css")),
    "report.js": (JAVASCRIPT, partial(asset, "report.js")),
    "plotly.js": (JAVASCRIPT, plotly_script),
}


def static_url(name: str) -> str:
    """Where a file is served, with a version, so that browsers may keep it.

    Args:
        name: Such as `dashboard.css`.
    """
    return f"/static/{name}?v={_version(name)}"


@cache
def plotly_style_ids() -> list[str]:
    """Ids of the style elements that plotly would write when it is loaded."""
    return re.findall(r'getElementById\("([0-9a-f]{64})"\)', plotly_script())


async def read_static(request: Request) -> Response:
    """Serve a file; open to all, since it tells nothing of anybody.

    Args:
        request: Names it in its path.

    Raises:
        ProblemError: `not-found`.
    """
    name = str(request.path_params["file"])
    if name not in _SOURCES:
        raise ProblemError("not-found", "there is no such file")
    found = await asyncio.to_thread(_read, name)  # packing takes a moment, once
    is_current = request.query_params.get("v") == found.version
    headers = {
        **COMMON,
        "Cache-Control": FOR_EVER if is_current else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, 200, headers, found.kind)
    return Response(found.body, 200, headers, found.kind)


@cache
def _version(name: str) -> str:
    return hashlib.sha256(_SOURCES[name][1]().encode()).hexdigest()[:16]


@cache
def _read(name: str) -> _Static:
    kind, read = _SOURCES[name]
    body = read().encode()
    return _Static(body, gzip.compress(body, 6), kind, _version(name))
