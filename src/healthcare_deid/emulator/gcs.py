"""Cloud Storage, as far as the service reads and writes it: ``gs://bucket/path`` in folders of this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from healthcare_deid.emulator.status import Code, ServiceError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

_URI = re.compile(r"gs://([^/]+)/?(.*)", re.DOTALL)


class Buckets:
    """Buckets that are folders.

    Args:
        folders: The folder of each bucket.
    """

    def __init__(self, folders: Mapping[str, str | PathLike[str]] | None = None) -> None:
        self._folders = {name: Path(folder).resolve() for name, folder in (folders or {}).items()}

    def read(self, uri: str) -> bytes:
        """Return an object.

        Raises:
            ServiceError: 400 for a malformed URI, 403 for a bucket or object that is not there: the service account
                may not be allowed to see it.
        """
        bucket, path = self._split(uri)
        target = self._path(bucket, path)
        if not target.is_file():
            raise _forbidden(uri)
        return target.read_bytes()

    def find(self, uri: str) -> list[tuple[str, Path]]:
        """Return the objects a URI with wildcards names, with their own URIs, in order.

        ``*`` stands for characters of one folder's names, ``**`` for any, ``?`` for one character.

        Raises:
            ServiceError: As `read`.
        """
        bucket, pattern = self._split(uri)
        root = self._root(bucket)
        wanted = re.compile(_pattern(pattern))
        found: list[tuple[str, Path]] = []
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and wanted.fullmatch(name):
                found.append((f"gs://{bucket}/{name}", path))
        return found

    def write(self, uri: str, data: bytes) -> None:
        """Write an object; it appears as a whole.

        Raises:
            ServiceError: As `read`.
        """
        bucket, path = self._split(uri)
        target = self._path(bucket, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f"{target.name}.part")
        part.write_bytes(data)
        part.replace(target)

    def check(self, uri: str) -> None:
        """Refuse a URI whose bucket is not mapped.

        Raises:
            ServiceError: As `read`.
        """
        self._root(self._split(uri)[0])

    def _split(self, uri: str) -> tuple[str, str]:
        found = _URI.fullmatch(uri)
        if not found:
            raise invalid("A Cloud Storage URI has the form gs://bucket/path.")
        return found.group(1), found.group(2)

    def _root(self, bucket: str) -> Path:
        if bucket not in self._folders:
            raise _forbidden(f"gs://{bucket}")
        return self._folders[bucket]

    def _path(self, bucket: str, path: str) -> Path:
        root = self._root(bucket)
        target = (root / path).resolve()
        if "\0" in path or not target.is_relative_to(root):
            raise invalid("The object's name leads out of its bucket.")
        return target


def _forbidden(uri: str) -> ServiceError:
    bucket = uri.split("/")[2]
    return ServiceError(
        Code.PERMISSION_DENIED,
        "Healthcare API doesn't have required Cloud Storage permission, or the object does not exist. "
        f"In the emulator, bucket {bucket!r} is a folder that you map: Emulator(..., gcs={{{bucket!r}: 'folder'}}).",
    )


def _pattern(text: str) -> str:
    if not text or text.endswith("/"):
        text += "**"
    pieces = re.split(r"(\*\*|\*|\?)", text)
    meanings = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(meanings.get(piece, re.escape(piece)) for piece in pieces)
