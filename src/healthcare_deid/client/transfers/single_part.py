"""Multipart replies of one part, which DICOMweb servers send for an instance (PS3.18 section 8.6.1.2)."""

from __future__ import annotations

import mmap
from email.message import Message
from typing import TYPE_CHECKING

from healthcare_deid.errors import ReplyError

if TYPE_CHECKING:
    from pathlib import Path

_BROKEN = "the reply is not one whole part of multipart/related"


def keep_only_part(path: Path, content_type: str) -> None:
    """Replace a file with a multipart reply by its only part. Any other reply stays as it is.

    Args:
        path: The file, which holds the body.
        content_type: Its Content-Type header.

    Raises:
        ReplyError: The body has no part, several, or an end that is missing.
        OSError: The file cannot be read or written.
    """
    message = Message()
    message["content-type"] = content_type
    if message.get_content_maintype() != "multipart":
        return
    boundary = message.get_param("boundary")
    if not isinstance(boundary, str) or not boundary.isascii() or not path.stat().st_size:
        raise ReplyError(_BROKEN)
    line = f"--{boundary}".encode()
    with path.open("r+b") as file:
        with mmap.mmap(file.fileno(), 0) as body:
            headers = body.find(line, 0, len(line) + 2)
            begin = body.find(b"\r\n\r\n", headers) + 4
            end = body.find(b"\r\n" + line, begin)
            after = end + 2 + len(line)
            if headers < 0 or begin < 4 or end < 0 or body[after : after + 2] != b"--":
                raise ReplyError(_BROKEN)
            body.move(0, begin, end - begin)
        file.truncate(end - begin)
