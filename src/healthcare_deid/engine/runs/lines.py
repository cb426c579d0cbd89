"""Lines of JSON that several processes append to a file of the run folder, and digests of such files."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def append_line(path: Path, told: Mapping[str, Any]) -> None:
    """Append a line to a file for its owner only, which is created if missing.

    Raises:
        OSError: It cannot be written.
    """
    line = json.dumps(told).encode() + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_ONLY)
    with os.fdopen(descriptor, "r+b") as file:
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - 1))
        partial = file.read(1) not in (b"", b"\n")  # left by a process that was killed: it must not join this line
        file.write(b"\n" + line if partial else line)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal. A missing file counts as an empty one."""
    if not path.is_file():
        return hashlib.sha256().hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
