"""`explain`: translation of transport exceptions to this package's errors.

Texts of foreign exceptions are not copied, because they contain URLs.
"""

from __future__ import annotations

import http.client

import httplib2
from googleapiclient.errors import HttpError

from healthcare_deid.client.http.bounded_connection import DroppedBeforeAnswerError, NotConnectedError
from healthcare_deid.client.http.credentials import credentials_error
from healthcare_deid.client.http.reply_body import UnreadableBodyError
from healthcare_deid.client.protocol import replies
from healthcare_deid.errors import ConnectError, ConnectionDropped, DeidError, ReplyError, RequestTimeout


def explain(error: Exception, method_id: str, place: str) -> DeidError:
    """Return the error to raise instead of *error*.

    Args:
        error: Exception from the transport. Its text may contain the URL.
        method_id: Name of the API method.
        place: Host and port that the request was sent to.

    Raises:
        Exception: *error* itself, if it comes from a mock or a user's transport.
    """
    # Raised by googleapiclient's RequestMockBuilder. Our own requests never get that far.
    if isinstance(error, HttpError):
        return replies.api_error(method_id, error.resp, error.content)
    refused = credentials_error(error)
    if refused is not None:
        return refused
    if isinstance(error, NotConnectedError):
        text = error.problem or f"no connection to {place}"
        failure = ConnectError(f"{method_id}: {text}", method_id=method_id, transient=error.transient)
        # Frames of the cause hold the request, so only its type and text stay.
        failure.__cause__ = error.cause.with_traceback(None) if error.cause is not None else None
        return failure
    if isinstance(error, httplib2.ServerNotFoundError | ConnectionRefusedError):
        return ConnectError(f"{method_id}: no connection to {place}", method_id=method_id)
    if isinstance(error, TimeoutError):
        return RequestTimeout(f"{method_id}: no complete reply within the timeout", method_id=method_id)
    if isinstance(error, DroppedBeforeAnswerError):
        return ConnectionDropped(
            f"{method_id}: the server closed the connection before it replied", method_id=method_id
        )
    if isinstance(error, UnreadableBodyError):
        return ReplyError(f"{method_id}: {error}", method_id=method_id, accepted=True)
    if isinstance(error, OSError | http.client.HTTPException):
        return ConnectionDropped(f"{method_id}: the connection was lost", method_id=method_id)
    if isinstance(error, httplib2.HttpLib2Error):
        return ReplyError(f"{method_id}: the reply cannot be read", method_id=method_id, accepted=True)
    raise error
