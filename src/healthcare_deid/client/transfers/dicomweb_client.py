"""`dicomweb_client`: a ``DICOMwebClient`` that uses the client's own connection.

The same code then runs against Google, an emulator on a port, and the in-process emulator, with the same credentials,
timeouts and exceptions.
"""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.client.http.limits import MEMORY_BYTES
from healthcare_deid.client.transfers.dicomweb import METHODS
from healthcare_deid.errors import ForeignUrlError, MissingExtraError, ReplyError

if TYPE_CHECKING:
    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.transfers.dicomweb import DicomWeb

# Request headers that the connection sets itself.
_CONNECTION_HEADERS = ("host", "connection", "transfer-encoding", "content-length", "accept-encoding", "user-agent")


def dicomweb_client(web: DicomWeb) -> DICOMwebClient:
    """Return a ``dicomweb_client.DICOMwebClient`` for a store.

    Raises:
        MissingExtraError: The extra ``[dicomweb]`` is not installed.
    """
    try:
        from dicomweb_client.web import DICOMwebClient
    except ModuleNotFoundError:
        raise MissingExtraError("dicomweb", "DICOMweb") from None
    requests_session = _requests_session(web)
    _silence("dicomweb_client.web")
    client = DICOMwebClient(url=web.base, session=requests_session)
    client.set_http_retry_params(retry=False)  # DicomWeb.send retries, with the client's policy
    return client


def _requests_session(web: DicomWeb) -> Any:
    """Return a requests session that sends every URL over the connection."""
    from requests import RequestException, Session

    class WebSession(Session):
        """Session whose requests all go through the connection and its origin check."""

        @border
        def request(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().request(*arguments, **options)
            # requests quotes a URL that it cannot parse in full.
            except RequestException:
                pass
            raise ForeignUrlError(web.endpoint)

    session = WebSession()
    session.trust_env = False  # the connection handles proxies itself; a password from .netrc must not be sent
    session.adapters.clear()
    # The empty prefix matches every URL, so that no request bypasses the connection.
    session.mount("", _adapter(web))
    return session


def _adapter(web: DicomWeb) -> Any:
    """Return a requests adapter for the connection."""
    from requests import Response
    from requests.adapters import BaseAdapter
    from requests.structures import CaseInsensitiveDict

    class WebResponse(Response):
        """Response whose text never shows in an exception."""

        def json(self, **options: Any) -> Any:
            try:
                return super().json(**options)
            # JSONDecodeError holds the whole reply in its `doc` attribute.
            except (ValueError, RecursionError):
                pass
            raise ReplyError(f"{METHODS}.get: HTTP {self.status_code} with a body that is not JSON", accepted=True)

    class Adapter(BaseAdapter):
        """Adapter that sends through the connection, whose exceptions contain no URL."""

        def send(self, request: Any, **ignored: Any) -> Response:  # type: ignore[override] # connection sets options
            del ignored
            body = request.body
            if body is not None and not isinstance(body, bytes | str):
                # requests also accepts an iterable of bytes.
                body = b"".join(body)
            headers = {name.lower(): _text(value) for name, value in request.headers.items()}
            for name in _CONNECTION_HEADERS:
                headers.pop(name, None)
            reply = web.send(
                request.method,
                request.url,
                body=body.encode() if isinstance(body, str) else body,
                headers=headers,
                memory=MEMORY_BYTES,
            )
            response = WebResponse()
            response.status_code = reply.status
            response.headers = CaseInsensitiveDict(reply.headers)
            response.url = request.url
            response.request = request
            response._content = reply.content
            response._content_consumed = True  # type: ignore[attr-defined]
            # requests calls these when it closes a response.
            response.raw = SimpleNamespace(close=lambda: None, release_conn=lambda: None)
            return response

        def close(self) -> None:
            """Do nothing; the connection belongs to the client."""

    return Adapter()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _NoUrls(logging.Filter):
    """Filter that drops all records of a library that logs URLs and UIDs."""

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return False


def _silence(name: str) -> None:
    logger = logging.getLogger(name)
    if not any(isinstance(item, _NoUrls) for item in logger.filters):
        logger.addFilter(_NoUrls())
