"""`dicomweb_client`: a dicomweb-client whose requests go over the client's own connection.

The same code then works against Google, a port and the emulator in this process, with the same credentials, timeouts
and errors.
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

_OF_THE_CONNECTION = ("host", "connection", "transfer-encoding", "content-length", "accept-encoding", "user-agent")
"""Headers of requests that the connection sets itself."""


def dicomweb_client(web: DicomWeb) -> DICOMwebClient:
    """Return a ``dicomweb_client.DICOMwebClient`` of a store.

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
    client.set_http_retry_params(retry=False)  # the connection retries by this package's policy
    return client


def _requests_session(web: DicomWeb) -> Any:
    """Return a requests session over the connection, whatever the URL."""
    from requests import RequestException, Session

    class WebSession(Session):
        """Hands every request to the connection, which decides where requests may go."""

        @border
        def request(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().request(*arguments, **options)
            except RequestException:  # a URL that requests cannot read, quoted in full
                pass
            raise ForeignUrlError(web.endpoint)

    session = WebSession()
    session.trust_env = False  # the connection has its own proxies, and wants no password of a .netrc
    session.adapters.clear()
    session.mount("", _adapter(web))
    return session


def _adapter(web: DicomWeb) -> Any:
    """Return a requests adapter over the connection."""
    from requests import Response
    from requests.adapters import BaseAdapter
    from requests.structures import CaseInsensitiveDict

    class WebResponse(Response):
        """Answer whose text does not come back in an exception."""

        def json(self, **options: Any) -> Any:
            try:
                return super().json(**options)
            except (ValueError, RecursionError):  # the text of the first holds the whole answer
                pass
            raise ReplyError(f"{METHODS}.get: HTTP {self.status_code} with a body that is not JSON", accepted=True)

    class Adapter(BaseAdapter):
        """Sends through the connection, whose errors have no URL in their text."""

        def send(self, request: Any, **ignored: Any) -> Response:  # type: ignore[override] # the connection has its own
            del ignored
            body = request.body
            if body is not None and not isinstance(body, bytes | str):
                body = b"".join(body)
            headers = {name.lower(): _text(value) for name, value in request.headers.items()}
            for name in _OF_THE_CONNECTION:
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
            response.raw = SimpleNamespace(close=lambda: None, release_conn=lambda: None)
            return response

        def close(self) -> None:
            """Close nothing: the connection is the client's."""

    return Adapter()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _NoUrls(logging.Filter):
    """Drops the log lines of a library that writes URLs with their queries, and UIDs."""

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return False


def _silence(name: str) -> None:
    logger = logging.getLogger(name)
    if not any(isinstance(item, _NoUrls) for item in logger.filters):
        logger.addFilter(_NoUrls())
