"""A browser that a test can drive, and the page of a real DICOMweb viewer on a loopback port."""

from __future__ import annotations

import functools
import http.client
import json
import os
import re
import shutil
import subprocess
import threading
from base64 import b64decode
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parent
_SHOWS_WITHIN = 60  # seconds


class PageError(Exception):
    """The page, or a script in it, failed."""


class Browser:
    """Chromium without a window, by the few commands of W3C WebDriver that the tests need.

    Args:
        driver: Port of a running chromedriver.
        arguments: The browser's command line.
        binary: The browser.
    """

    def __init__(self, driver: int, binary: str, arguments: list[str]) -> None:
        self._driver = driver
        wanted = {
            "goog:chromeOptions": {"binary": binary, "args": arguments},
            "timeouts": {"script": _SHOWS_WITHIN * 1000, "pageLoad": _SHOWS_WITHIN * 1000},
        }
        started = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{started['sessionId']}"

    def open(self, url: str) -> None:
        """Load a page."""
        self._call("POST", f"{self._session}/url", {"url": url})

    def run(self, script: str) -> Any:
        """Run the body of a function in the page and return its value; a promise is waited for.

        Raises:
            PageError: The script threw, or its promise was rejected.
        """
        return self._call("POST", f"{self._session}/execute/sync", {"script": script, "args": []})

    def picture_of(self, selector: str) -> bytes:
        """Return a PNG of an element as the browser shows it."""
        found = self._call("POST", f"{self._session}/element", {"using": "css selector", "value": selector})
        (element,) = found.values()
        return b64decode(self._call("GET", f"{self._session}/element/{element}/screenshot"))

    def close(self) -> None:
        """End the browser."""
        self._call("DELETE", self._session)

    def _call(self, method: str, path: str, body: object = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._driver, timeout=2 * _SHOWS_WITHIN)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            value = json.load(connection.getresponse())["value"]
        finally:
            connection.close()
        if isinstance(value, dict) and "error" in value:
            raise PageError(value["error"], value.get("message"))
        return value


class _Page(SimpleHTTPRequestHandler):
    def guess_type(self, path: str | os.PathLike[str]) -> str:
        """Name scripts as browsers want them, whatever the machine's table says."""
        return "text/javascript" if str(path).endswith(".js") else super().guess_type(path)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep pytest's output free of requests."""


@pytest.fixture(scope="session")
def viewer_port() -> Iterator[int]:
    """Return the loopback port that ``viewer.html`` and its npm packages are served from."""
    if not (FOLDER / "node_modules" / "dwv").is_dir():
        _absent("the viewer's npm packages are not installed (npm ci --ignore-scripts --prefix tests/viewer)")
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Page, directory=str(FOLDER))) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        yield site.server_port
        site.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return headless Chromium with a profile of its own. Names that end in ``.example`` lead to this machine."""
    binary, program = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or program is None:
        _absent("chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)")
    arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--no-proxy-server",
        "--force-device-scale-factor=1",
        "--window-size=1500,1000",
        "--host-resolver-rules=MAP *.example 127.0.0.1",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ]
    with subprocess.Popen([program, "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout
            ports = (re.search(r"started successfully on port (\d+)", line) for line in driver.stdout)
            started = next(filter(None, ports))
            browser = Browser(int(started[1]), binary, arguments)
            yield browser
            browser.close()
        finally:
            driver.terminate()


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """Return the folder that screenshots are kept in: ``HEALTHCARE_DEID_ARTIFACTS``, or the test's own."""
    folder = Path(os.environ.get("HEALTHCARE_DEID_ARTIFACTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _absent(message: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
