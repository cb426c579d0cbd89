"""DICOMweb over the connection's own transport: `DicomWeb` sends, `dicomweb_client` dresses it as a dicomweb-client.

A requests adapter hands every request to the connection, so that the same code works against Google, a port and the
in-process emulator, with the same credentials, timeouts and errors.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from healthcare_deid._border import border
from healthcare_deid.client.drivers.run_flow import run
from healthcare_deid.client.http import telemetry
from healthcare_deid.client.protocol import replies
from healthcare_deid.client.protocol.methods import Safety
from healthcare_deid.client.protocol.retry import may_retry, retrying
from healthcare_deid.errors import DeidError, ForeignUrlError, MissingExtraError, ReplyError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicomweb_client.web import DICOMwebClient

    from healthcare_deid.client.drivers.session import Session
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.names import DicomStoreName

WHOLE_TRANSFER = 1800.0
"""Seconds one DICOMweb request may take; the service gives up Store and Retrieve after 30 minutes."""

_METHODS = "healthcare.projects.locations.datasets.dicomStores.dicomWeb"


@dataclass(frozen=True, slots=True)
class WebReply:
    """An answer as it came; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class DicomWeb:
    """The DICOMweb resources of one DICOM store."""

    def __init__(self, session: Session, context: CallContext, store: DicomStoreName) -> None:
        self._session = session
        self._context = context
        self.endpoint = session.connection.endpoint
        self.base = f"{self.endpoint}/{context.api_version}/{store}/dicomWeb"

    def send(
        self,
        verb: str,
        uri: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        answers: tuple[int, ...] = (),
    ) -> WebReply:
        """Send one request, again when that is safe: storing the same bytes twice is storing them once.

        Args:
            verb: ``GET``, ``POST``, ``DELETE``.
            uri: Absolute and of the endpoint's own origin, or below `base` when it begins with ``/``.
            body: As sent.
            headers: As sent.
            answers: Statuses of 400 and above that are answers here rather than errors.

        Raises:
            ApiError: The store answered with an error.
            TransportError: No reply.
            ForeignUrlError: The URI leads away from the endpoint; nothing was sent.
        """
        address = f"{self.base}{uri}" if uri.startswith("/") else uri
        method_id = f"{_METHODS}.{verb.lower()}"
        safety = Safety.READ

        def attempt(number: int) -> Flow[WebReply]:
            yield from ()
            return self._exchange(verb, address, body, headers or {}, answers, method_id, number)

        flow = retrying(
            attempt,
            policy=self._context.retry,
            clock=self._context.clock,
            again=lambda error: may_retry(error, safety),
        )
        return run(flow, self._session.connection, self._context.clock)

    def _exchange(
        self,
        verb: str,
        uri: str,
        body: bytes | None,
        headers: Mapping[str, str],
        answers: tuple[int, ...],
        method_id: str,
        number: int,
    ) -> WebReply:
        with self._session.dicom_slots, telemetry.call_span(method_id, number) as span:
            try:
                status, received, content = self._session.connection.exchange(
                    uri,
                    verb,
                    body,
                    headers,
                    method_id=method_id,
                    timeout=self._context.timeout,
                    total=max(WHOLE_TRANSFER, self._context.timeout),
                )
                if status >= 300 and status not in answers:
                    raise replies.api_error(method_id, _Response(received, status), content)
            except DeidError as error:
                span.failed(error)
                raise
            span.answered(status)
            return WebReply(status, received, content)

    def json(self, uri: str) -> list[dict[str, Any]]:
        """Return the datasets of a search, in the DICOM JSON model (PS3.18 Annex F); empty when nothing is found.

        Raises:
            ReplyError: The answer is no list of datasets.
        """
        import json

        reply = self.send("GET", uri, headers={"accept": "application/dicom+json"})
        if reply.status == 204 or not reply.content.strip():
            return []
        try:
            value: Any = json.loads(reply.content)
        except ValueError:
            value = None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ReplyError(f"{_METHODS}.get: a list of datasets was expected", method_id=f"{_METHODS}.get")
        return value


class _Response(dict[str, str]):
    """The shape of an httplib2 response."""

    def __init__(self, headers: Mapping[str, str], status: int) -> None:
        super().__init__(headers)
        self.status = status


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
    _keep_quiet("dicomweb_client.web")
    client = DICOMwebClient(url=web.base, session=requests_session)
    client.set_http_retry_params(retry=False)  # the connection retries by this package's policy
    return client


def _requests_session(web: DicomWeb) -> Any:
    """Return a requests session over the connection, whatever the URL."""
    from requests import RequestException, Session

    class WebSession(Session):
        """Hands every request to the connection, which knows where requests may go."""

        @border
        def request(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().request(*arguments, **options)
            except RequestException:  # a URL that requests cannot read, quoted in full
                pass
            raise ForeignUrlError(web.endpoint)

    session = WebSession()
    session.trust_env = False  # neither proxies nor the passwords of a .netrc: the connection has its own
    session.adapters.clear()
    session.mount("", _adapter(web))
    return session


def _adapter(web: DicomWeb) -> Any:
    """Return a requests adapter over the connection."""
    from requests import Response
    from requests.adapters import BaseAdapter
    from requests.structures import CaseInsensitiveDict

    class WebResponse(Response):
        """An answer whose text does not come back in an exception."""

        def json(self, **options: Any) -> Any:
            try:
                return super().json(**options)
            except ValueError:  # it holds the whole answer
                pass
            raise ReplyError(f"{_METHODS}.get: HTTP {self.status_code} with a body that is not JSON", accepted=True)

    class Adapter(BaseAdapter):
        """Sends through the connection; errors are this package's, without the URL in their text."""

        def send(self, request: Any, **ignored: Any) -> Response:  # type: ignore[override] # how is the connection's
            del ignored
            body = request.body
            if body is not None and not isinstance(body, bytes | str):
                body = b"".join(body)
            headers = {name.lower(): _text(value) for name, value in request.headers.items()}
            for hop in ("host", "connection", "transfer-encoding", "content-length", "accept-encoding", "user-agent"):
                headers.pop(hop, None)
            reply = web.send(
                request.method,
                request.url,
                body=body.encode() if isinstance(body, str) else body,
                headers=headers,
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
            """Nothing to close: the connection is the client's."""

    return Adapter()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _NoUrls(logging.Filter):
    """Drops a library's log lines: its texts hold URLs with their queries, and UIDs."""

    def filter(self, record: logging.LogRecord) -> bool:
        del record
        return False


def _keep_quiet(name: str) -> None:
    logger = logging.getLogger(name)
    if not any(isinstance(item, _NoUrls) for item in logger.filters):
        logger.addFilter(_NoUrls())
