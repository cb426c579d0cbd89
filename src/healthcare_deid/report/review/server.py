"""Review page on a loopback port. Access needs the token in the URL, which no other machine or page has."""

from __future__ import annotations

import hashlib
import json
import secrets
import threading
from base64 import b64encode
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import TYPE_CHECKING, Any, Self

from healthcare_deid.engine.pixels.frames.targets import PIXEL_TAGS
from healthcare_deid.errors import ConfigError, EngineError, RunRefused
from healthcare_deid.report.before_after import frame_picture
from healthcare_deid.report.review.again import RerunMode
from healthcare_deid.report.review.boxes import NotPossibleError
from healthcare_deid.report.review.items import Decision, Reason

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from healthcare_deid.report.review.items import Item
    from healthcare_deid.report.review.review import Review

_LARGEST_BODY = 4096
_PAGE = resources.files("healthcare_deid.report.review").joinpath("page.html").read_text("utf-8")
_SCRIPT = _PAGE.partition("<script>")[2].partition("</script>")[0]
_ALLOWED = b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; "
    f"script-src 'sha256-{_ALLOWED}'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class ReviewServer:
    """Server of the review page for a browser on this machine.

    Args:
        review: Review to serve.
        port: Port to listen on; 0 selects a free one.

    Attributes:
        url: URL of the page, with its token.
    """

    def __init__(self, review: Review, port: int = 0) -> None:
        token = secrets.token_urlsafe(24)
        handler = type("Handler", (_Handler,), {"review": review, "token": token})
        self._server = _Server(("127.0.0.1", port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="healthcare-deid-review", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/{token}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *ignored: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self) -> None:
        """Serve until the program is interrupted."""
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: what is left here are connections that the browser ended, such as of a picture passed by."""


class _RefusedError(Exception):
    """Error that ends a request with a status. Its text is shown on the page."""

    def __init__(self, status: int, text: str = "") -> None:
        super().__init__(text)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    review: Review
    token: str
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(self._get)

    def do_POST(self) -> None:
        self._answer(self._post)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Write no log, because its lines would contain the token."""

    def _answer(self, work: Any) -> None:
        try:
            kind, body = work(self._path())
            status = 200
        except _RefusedError as refused:
            status, kind, body = refused.status, "text/plain; charset=utf-8", str(refused).encode()
        except (NotPossibleError, ConfigError, EngineError, RunRefused) as error:
            status, kind, body = 422, "text/plain; charset=utf-8", str(error).encode()
        except (ValueError, KeyError, TypeError, IndexError):
            status, kind, body = 400, "text/plain; charset=utf-8", b"the request is not one of the page's"
        except Exception as error:  # noqa: BLE001 - the server would print it, and its text may quote data
            status, kind, body = 500, "text/plain; charset=utf-8", type(error).__name__.encode()
        if status != 200:
            self.close_connection = True  # an unread body would be parsed as the next request
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _path(self) -> list[str]:
        """Return the parts of the path after the token.

        Raises:
            _RefusedError: The token is missing or wrong, or the request is for another host, or from another page.
        """
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        origin = self.headers.get("Origin")  # set by the browser, and not changeable by a page
        first, *rest = self.path.partition("?")[0].lstrip("/").split("/")
        if host not in ("127.0.0.1", "localhost") or not secrets.compare_digest(first.encode(), self.token.encode()):
            raise _RefusedError(404)
        if origin is not None and origin != f"http://{self.headers['Host']}":
            raise _RefusedError(404)
        return rest

    def _get(self, path: list[str]) -> tuple[str, bytes]:
        match path:
            case [""]:
                return "text/html; charset=utf-8", _PAGE.encode()
            case ["items.json"]:
                self.review.refresh()
                return _json(
                    [{"result": item.result, "reasons": item.reasons} | _now(item) for item in self.review.items]
                )
            case ["seen", index]:  # asked before the picture: an approval is for a file that did not change since
                self.review.refresh()
                return _json(self._seen(int(index)))
            case ["again.json"]:
                return _json({"why_not": self.review.why_not_again()})
            case ["attributes", index]:
                return _json(asdict(self.review.attributes(int(index))))
            case ["picture", index, side, frame]:
                dataset = self.review.dataset(int(index), original=side == "before")
                if dataset is None or not _has_image(dataset):
                    raise _RefusedError(404)
                return "image/png", frame_picture(dataset, int(frame))
            case _:
                raise _RefusedError(404)

    def _seen(self, index: int) -> dict[str, Any]:
        """Return which file is shown, and the number of its frames and of its original's: 0 without pixels."""
        told = {"seen": self.review.digest(index)} | _now(self.review.items[index])
        frames = {
            name: _frames(self.review.dataset(index, original=original))
            for name, original in (("frames", False), ("frames_before", True))
        }
        return told | frames

    def _post(self, path: list[str]) -> tuple[str, bytes]:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _LARGEST_BODY or self.headers.get("Content-Type") != "application/json":
            raise _RefusedError(400, "a small JSON body is needed")
        body: dict[str, Any] = json.loads(self.rfile.read(length))
        index = int(body["index"])
        if not 0 <= index < len(self.review.items):
            raise _RefusedError(404)
        match path:
            case ["decide"]:
                reason = Reason(body["reason"]) if body.get("reason") else None
                decision = Decision(body["decision"])
                self.review.decide(
                    index, decision, reason, seen=str(body["seen"]) if decision is Decision.APPROVED else None
                )
            case ["cover" | "uncover" as what]:
                x, y, width, height = map(int, body["box"])
                change = self.review.cover if what == "cover" else self.review.uncover
                change(index, int(body["frame"]), (x, y, width, height))
            case ["again"]:
                self.review.run_again(index, RerunMode(body["mode"]))
            case _:
                raise _RefusedError(404)
        return _json(_now(self.review.items[index]))


def _now(item: Item) -> dict[str, Any]:
    return {"decision": item.decision, "boxes": item.boxes}


def _has_image(dataset: Dataset) -> bool:
    return any(tag in dataset for tag in PIXEL_TAGS)


def _frames(dataset: Dataset | None) -> int:
    if dataset is None or not _has_image(dataset):
        return 0
    try:
        return max(1, int(dataset.get("NumberOfFrames") or 1))
    except (ValueError, TypeError):
        return 1


def _json(value: object) -> tuple[str, bytes]:
    return "application/json", json.dumps(value).encode()
