"""`DicomWeb`: DICOMweb requests to one store, over the client's connection."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.drivers.run_flow import run
from healthcare_deid.client.http import telemetry
from healthcare_deid.client.http.limits import JSON_BYTES
from healthcare_deid.client.protocol import replies
from healthcare_deid.client.protocol.methods import Safety
from healthcare_deid.client.protocol.retry import may_retry, retrying
from healthcare_deid.errors import DeidError, NotFound, ReplyError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from healthcare_deid.client.drivers.session import Session
    from healthcare_deid.client.protocol.context import CallContext
    from healthcare_deid.client.protocol.flow import Flow
    from healthcare_deid.names import DicomStoreName

METHODS = "healthcare.projects.locations.datasets.dicomStores.dicomWeb"
"""Prefix of method IDs in errors and logs."""


@dataclass(frozen=True, slots=True)
class WebReply:
    """Raw reply with lower-case header names."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class DicomWeb:
    """DICOMweb resources of one DICOM store.

    Args:
        session: Session of the client.
        context: Defaults of its calls.
        base: Root of the resources: a URL at the session's endpoint.
        headers: Headers of every request.
    """

    def __init__(
        self, session: Session, context: CallContext, base: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._session = session
        self._context = context
        self.endpoint = session.connection.endpoint
        self.base = base
        self._headers = headers or {}

    @classmethod
    def of_store(cls, session: Session, context: CallContext, store: DicomStoreName) -> DicomWeb:
        """Return the resources of one of Google's stores."""
        return cls(session, context, f"{session.connection.endpoint}/{context.api_version}/{store}/dicomWeb")

    def send(
        self,
        verb: str,
        uri: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        answers: tuple[int, ...] = (),
        memory: int = JSON_BYTES,
        into: Path | None = None,
    ) -> WebReply:
        """Send one request, with retries.

        Every verb may be retried, because storing the same bytes twice has no further effect.

        Args:
            verb: ``GET``, ``POST`` or ``DELETE``.
            uri: Absolute URL at the endpoint's own origin, or a path below `base` that starts with ``/``.
            body: Body, sent as is.
            headers: Headers, sent as is.
            answers: Statuses of 400 and above to return as replies instead of raising.
            memory: Largest body to hold in memory, in bytes.
            into: File for the body of a successful reply, which is then not held in memory.

        Raises:
            ApiError: The store replied with an error.
            TransportError: No reply arrived.
            ReplyError: The body cannot be read.
            ForeignUrlError: *uri* is at another origin; nothing was sent.
        """
        address = f"{self.base}{uri}" if uri.startswith("/") else uri
        method_id = f"{METHODS}.{verb.lower()}"
        sent = {**self._headers, **(headers or {})}

        def attempt(number: int) -> Flow[WebReply]:
            # Makes this a flow. The request is sent here, because Send covers the API's JSON methods only.
            yield from ()
            try:
                return self._exchange(verb, address, body, sent, answers, method_id, number, memory, into)
            except NotFound:
                if verb != "DELETE" or number == 1:
                    raise
            # An earlier attempt, whose reply was lost, deleted it.
            return WebReply(200, {}, b"")

        flow = retrying(
            attempt,
            policy=self._context.retry,
            clock=self._context.clock,
            again=lambda error: may_retry(error, Safety.READ),
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
        memory: int,
        into: Path | None,
    ) -> WebReply:
        with (
            self._session.dicom_slots,
            telemetry.call_span(method_id, number) as span,
            nullcontext() if into is None else into.open("wb") as sink,
        ):
            try:
                status, received, content = self._session.connection.exchange(
                    uri,
                    verb,
                    body,
                    headers,
                    method_id=method_id,
                    timeout=self._context.timeout,
                    memory=memory,
                    sink=sink,
                )
                if status >= 300 and status not in answers:
                    raise replies.api_error(method_id, replies.RawResponse(received, status), content)
            except DeidError as error:
                span.failed(error)
                raise
            span.answered(status)
            return WebReply(status, received, content)

    def json(self, uri: str) -> list[dict[str, Any]]:
        """Return the datasets of a search, in the DICOM JSON model.

        Source: PS3.18 Annex F. The list is empty if nothing matches.

        Raises:
            ReplyError: The reply is not a list of datasets.
        """
        reply = self.send("GET", uri, headers={"accept": "application/dicom+json"})
        if reply.status == 204 or not reply.content.strip():
            return []
        value = replies.parsed_json(reply.content)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise ReplyError(f"{METHODS}.get: the reply is not a list of datasets", method_id=f"{METHODS}.get")
        return value
