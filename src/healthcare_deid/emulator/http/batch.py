"""Batch endpoint: several requests in one ``multipart/mixed`` body.

Google's client libraries send batches in this form.
"""

from __future__ import annotations

import email.policy
import secrets
from email.parser import BytesParser
from typing import TYPE_CHECKING

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.http.reply import Reply, http_phrase
from healthcare_deid.emulator.http.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage

PATH = "/batch"
# The limit of google-api-python-client's BatchHttpRequest.
_MAX_CALLS = 1000


def is_batch(request: Request) -> bool:
    """Return whether the request is for the batch endpoint."""
    return request.method == "POST" and (request.path == PATH or request.path.startswith(f"{PATH}/"))


def answer(request: Request, handle: Callable[[Request], Reply]) -> Reply:
    """Handle all calls of a batch in order.

    Raises:
        ServiceError: 400: the body is not a batch.
    """
    parts = _parts(request)
    boundary = f"batch_{secrets.token_hex(20)}"
    pieces: list[bytes] = []
    for part in parts:
        reply = handle(_inner_request(part, request))
        body = b"".join(reply.chunks())
        # googleapiclient matches replies to requests by "response-" and its own Content-ID.
        identifier = str(part.get("content-id", "")).strip().removeprefix("<").removesuffix(">")
        pieces.append(
            f"--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <response-{identifier}>\r\n\r\n"
            f"HTTP/1.1 {reply.status} {http_phrase(reply.status)}\r\n".encode("utf-8", "replace")
            + b"".join(f"{name}: {value}\r\n".encode("utf-8", "replace") for name, value in reply.headers.items())
            + f"content-length: {len(body)}\r\n\r\n".encode()
            + body
            + b"\r\n"
        )
    return Reply(
        200,
        {"content-type": f"multipart/mixed; boundary={boundary}"},
        b"".join(pieces) + f"--{boundary}--\r\n".encode(),
    )


def _parts(request: Request) -> list[EmailMessage]:
    head = f"Content-Type: {request.headers.get('content-type', '')}\r\n\r\n".encode("latin-1", "replace")
    # Google's Python client ends lines with LF instead of CRLF; the email package accepts both.
    message = BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    parts = [part for part in message.walk() if part.get_content_type() == "application/http"]
    if message.get_content_type() != "multipart/mixed" or not parts:
        raise invalid("The body of a batch must be multipart/mixed with parts of type application/http.")
    if len(parts) > _MAX_CALLS:
        raise invalid(f"A batch has at most {_MAX_CALLS} calls.")
    return parts


def _inner_request(part: EmailMessage, batch: Request) -> Request:
    content = part.get_payload(decode=True)
    text = content if isinstance(content, bytes) else b""
    line, _, rest = text.lstrip(b"\r\n").partition(b"\n")
    words = line.decode("utf-8", "replace").split()
    # A batch inside a batch would recurse.
    if len(words) < len(("GET", "/v1/…")) or words[1].partition("?")[0].startswith(PATH):
        raise invalid("Each part of a batch must start with a request line.")
    inner = BytesParser(policy=email.policy.HTTP).parsebytes(rest)
    body = inner.get_payload(decode=True)
    return Request.of(
        words[0],
        words[1],
        headers={name: str(value) for name, value in inner.items()},
        # Multipart serialization adds line breaks around a body.
        body=body.strip(b"\r\n") if isinstance(body, bytes) else b"",
        base_url=batch.base_url,
        on_port=batch.on_port,
    )
