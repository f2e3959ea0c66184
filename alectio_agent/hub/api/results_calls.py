"""Results files over HTTP, under the paths that they have on disk."""

import asyncio
import os
import re
from asyncio import wrap_future
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import IO, Annotated

from fastapi import Path as PathParameter
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from alectio_agent.core.clock import timestamp
from alectio_agent.core.errors import ProblemError
from alectio_agent.hub.access.gate import READER
from alectio_agent.hub.api.calls import Call, answer
from alectio_agent.hub.api.services import Services
from alectio_agent.hub.experiments.versions import version_of
from alectio_agent.wire.names import EXPERIMENT_PATTERN
from alectio_agent.wire.results_files import (
    FILE_PATTERN,
    OUTPUTS,
    ResultsFile,
    ResultsFiles,
    in_order,
    media_type_of,
)

CHUNK_BYTES = 256 * 1024

# A report holds names that people wrote. Should one of them ever get past the escaping, it runs
# in a page that belongs to nobody: without this hub's cookies, and without a way out.
REPORT_POLICY = (
    "sandbox allow-scripts allow-downloads allow-popups; default-src 'none'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:"
)

Name = Annotated[str, PathParameter(pattern=EXPERIMENT_PATTERN)]
FilePath = Annotated[str, PathParameter(pattern=FILE_PATTERN)]


class ResultsCalls:
    """Endpoints for those who read results with a program of their own."""

    def __init__(self, services: Services) -> None:
        """Bind the endpoints to what they call."""
        self._services = services

    def calls(self) -> list[Call]:
        """What there is to serve."""
        return [
            Call(
                "GET", "/results/{experiment}/", self.list_results, READER, None, ResultsFiles,
                ("not-found",), is_protocol=False,
            ),
            Call(
                "GET", "/results/{experiment}/{file:path}", self.read_result, READER,
                problems=("not-found",), is_protocol=False,
            ),
        ]  # fmt: skip

    async def list_results(self, experiment: Name) -> Response:
        """List the results files of an experiment that there are."""
        services = self._services
        known = await wrap_future(services.store.read(partial(version_of, name=experiment)))
        if known is None:
            raise ProblemError("not-found", f"no experiment is called `{experiment}`")
        files = await asyncio.to_thread(_list, services.results / experiment)
        return answer(ResultsFiles(experiment=experiment, files=files))

    async def read_result(self, request: Request, experiment: Name, file: FilePath) -> Response:
        """Read a results file, such as `loops.csv` or `outputs/loop_3.npz`."""
        path = self._services.results / experiment / file
        try:
            stream = await asyncio.to_thread(path.open, "rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise ProblemError(
                "not-found", f"{experiment} has no results file {file}", code="E-EXP-01"
            ) from None
        headers = _headers(os.fstat(stream.fileno()), file)
        if headers["etag"] in request.headers.get("if-none-match", ""):
            stream.close()
            return Response(status_code=304, headers={"etag": headers["etag"]})
        if request.method == "HEAD":
            stream.close()
            return Response(headers=headers, media_type=media_type_of(file))
        return StreamingResponse(_content(stream), media_type=media_type_of(file), headers=headers)


def _content(stream: IO[bytes]) -> Iterator[bytes]:
    """A file as it was when it was opened: a newer one that takes its place changes nothing."""
    with stream:
        while chunk := stream.read(CHUNK_BYTES):
            yield chunk


def _headers(found: os.stat_result, file: str) -> dict[str, str]:
    headers = {
        "content-length": str(found.st_size),
        "etag": f'"{found.st_mtime_ns:x}-{found.st_size:x}"',
        "last-modified": formatdate(found.st_mtime, usegmt=True),
        "cache-control": "private, no-cache",
        "x-content-type-options": "nosniff",
    }
    if file.endswith(".html"):
        headers["content-security-policy"] = REPORT_POLICY
    return headers


def _list(folder: Path) -> list[ResultsFile]:
    """The files that can be asked for; somebody may have put others beside them."""
    found = []
    for place in (folder, folder / OUTPUTS):
        for file in place.iterdir() if place.is_dir() else ():
            path = str(file.relative_to(folder))
            if re.fullmatch(FILE_PATTERN, path) and file.is_file():
                told = file.stat()
                moment = datetime.fromtimestamp(told.st_mtime, UTC)
                found.append(
                    ResultsFile(path=path, bytes=told.st_size, modified_at=timestamp(moment))
                )
    return sorted(found, key=lambda file: in_order(file.path))
