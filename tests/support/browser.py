"""Debian's Chromium, driven by Playwright: what a page asks for, says on its console, and draws."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def open_browser() -> Iterator[Browser]:
    """A headless browser; skips the test where there is none, but in CI."""
    if CHROMIUM is None:
        reason = "no chromium on this machine; Debian: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        # CI runs as root, where Chromium has no sandbox.
        flags = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


class Watched:
    """A page, with everything it said and asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _heard(self, message: object) -> None:
        if getattr(message, "type", "") in ("error", "warning"):
            self.errors.append(getattr(message, "text", ""))

    @property
    def foreign_hosts(self) -> set[str]:
        """Hosts that were asked for anything, besides the page's own; a file has none."""
        return self.hosts - {urlsplit(self.page.url).netloc, ""}


@contextmanager
def open_page(
    browser: Browser, *, width: int = 1280, height: int = 900, **more: object
) -> Iterator[Watched]:
    """A fresh page without cookies, that is watched."""
    context = browser.new_context(viewport={"width": width, "height": height}, **more)  # type: ignore[arg-type]
    try:
        yield Watched(context.new_page())
    finally:
        context.close()


def file_url(path: Path) -> str:
    """How a browser opens a file."""
    return path.resolve().as_uri()
