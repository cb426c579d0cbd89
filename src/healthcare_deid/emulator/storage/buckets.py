"""``gs://`` objects in local directories or in a Cloud Storage emulator."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from healthcare_deid.emulator.errors import ServiceError, StatusCode, invalid
from healthcare_deid.emulator.storage.cloud_storage import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike

    from healthcare_deid.emulator.storage.cloud_storage import StorageApi

_MAX_NAME = 1024  # Cloud Storage's limit, in bytes of UTF-8
_URI = re.compile(r"gs://([^/]+)/?(.*)", re.DOTALL)


class _Storage(Protocol):
    """Storage of buckets.

    None and False stand for a missing bucket or object.
    """

    def names(self, bucket: str, prefix: str = "") -> Iterable[str] | None: ...

    def read(self, bucket: str, name: str) -> bytes | None: ...

    def write(self, bucket: str, name: str, data: bytes) -> bool: ...


class Buckets:
    """Buckets in local directories, and others in a Cloud Storage emulator.

    Args:
        folders: Directory of each bucket.
        others: Storage of all other buckets. None means that they do not exist.
    """

    def __init__(
        self, folders: Mapping[str, str | PathLike[str]] | None = None, others: StorageApi | None = None
    ) -> None:
        self._folders = _Folders(folders or {})
        self._others = others

    def read(self, uri: str) -> bytes:
        """Return an object.

        Raises:
            ServiceError: 400: the URI is malformed. 403: the bucket or object is missing; the service does not
                distinguish this from missing permission. 503: the Cloud Storage emulator does not answer.
        """
        bucket, name = _split_uri(uri)
        data = self._storage(bucket).read(bucket, name)
        if data is None:
            raise _forbidden(bucket)
        return data

    def find(self, uri: str) -> list[str]:
        """Return the URIs of objects that match a URI with wildcards, in order.

        ``*`` matches within a folder, ``**`` across folders, and ``?`` one character.

        Raises:
            ServiceError: As for `read`.
        """
        bucket, pattern = _split_uri(uri)
        if len(pattern) > _MAX_NAME:
            raise invalid(f"An object name must not exceed {_MAX_NAME} characters.")
        names = self._storage(bucket).names(bucket, re.split(r"[*?]", pattern, maxsplit=1)[0])
        if names is None:
            raise _forbidden(bucket)
        wanted = _Wildcards(pattern)
        # A name that ends with a slash is a folder created in the Cloud console, not an instance.
        return [f"gs://{bucket}/{name}" for name in sorted(names) if wanted.match(name) and not name.endswith("/")]

    def write(self, uri: str, data: bytes) -> None:
        """Write an object atomically.

        Raises:
            ServiceError: As for `read`.
        """
        bucket, name = _split_uri(uri)
        if not self._storage(bucket).write(bucket, name, data):
            raise _forbidden(bucket)

    def check(self, uri: str) -> None:
        """Check that the bucket of a URI exists.

        Raises:
            ServiceError: As for `read`.
        """
        bucket, name = _split_uri(uri)
        if self._storage(bucket).names(bucket, name) is None:
            raise _forbidden(bucket)

    def _storage(self, bucket: str) -> _Storage:
        return self._folders if bucket in self._folders or self._others is None else self._others


class _Folders:
    """Buckets in local directories."""

    def __init__(self, folders: Mapping[str, str | PathLike[str]]) -> None:
        self._folders = {name: Path(folder).resolve() for name, folder in folders.items()}

    def __contains__(self, bucket: object) -> bool:
        return bucket in self._folders

    def names(self, bucket: str, prefix: str = "") -> Iterable[str] | None:
        root = self._folders.get(bucket)
        if root is None:
            return None
        names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        return (name for name in names if name.startswith(prefix))

    def read(self, bucket: str, name: str) -> bytes | None:
        target = self._path(bucket, name)
        try:
            found = target is not None and target.is_file()
        except OSError:  # the object name is too long for a file name
            found = False
        return target.read_bytes() if found and target is not None else None

    def write(self, bucket: str, name: str, data: bytes) -> bool:
        target = self._path(bucket, name)
        if target is None:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when complete, so that no reader sees a partial object.
        part = target.with_name(f"{target.name}.part")
        part.write_bytes(data)
        part.replace(target)
        return True

    def _path(self, bucket: str, name: str) -> Path | None:
        root = self._folders.get(bucket)
        if root is None:
            return None
        # resolve() follows symbolic links too, which could lead out of the directory.
        if "\0" in name or not (target := (root / name).resolve()).is_relative_to(root):
            raise invalid("The object name must not leave its bucket: remove '..' from it.")
        return target


def _split_uri(uri: str) -> tuple[str, str]:
    found = _URI.fullmatch(uri)
    if not found:
        raise invalid("A Cloud Storage URI must have the form gs://bucket/path.")
    return found.group(1), found.group(2)


def _forbidden(bucket: str) -> ServiceError:
    return ServiceError(
        StatusCode.PERMISSION_DENIED,
        "Healthcare API doesn't have required Cloud Storage permission, or the object does not exist. "
        f"In the emulator, map bucket {bucket!r} to a folder with Emulator(..., gcs={{{bucket!r}: 'folder'}}), or set "
        f"{VARIABLE} to a Cloud Storage emulator.",
    )


class _Wildcards:
    """Pattern of object names.

    Matching takes time proportional to the length of pattern times name. A regular expression made from a client's
    ``**`` could backtrack for minutes.
    """

    def __init__(self, text: str) -> None:
        if not text or text.endswith("/"):
            text += "**"
        self._pieces = [piece for piece in re.split(r"(\*\*|\*|\?)", text) if piece]

    def match(self, name: str) -> bool:
        """Return whether the whole name matches."""
        ends = {0}  # positions in the name where a match of the pieces so far can end
        for piece in self._pieces:
            match piece:
                case "**":
                    ends = set(range(min(ends), len(name) + 1))
                case "*":
                    ends = _within_folder(name, ends)
                case "?":
                    ends = {end + 1 for end in ends if end < len(name) and name[end] != "/"}
                case _:
                    ends = {end + len(piece) for end in ends if name.startswith(piece, end)}
            if not ends:
                return False
        return len(name) in ends


def _within_folder(name: str, starts: set[int]) -> set[int]:
    ends: set[int] = set()
    for start in sorted(starts):
        if start in ends:  # already covered by an earlier start in the same folder
            continue
        slash = name.find("/", start)
        ends.update(range(start, (len(name) if slash < 0 else slash) + 1))
    return ends
