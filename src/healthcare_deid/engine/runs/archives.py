"""Originals in ``.zip`` and ``.tar`` archives, read without unpacking them to disk."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from struct import error as StructError  # noqa: N812 - an exception, named as one
from typing import TYPE_CHECKING, Self

from healthcare_deid.engine.runs.originals import Entry, Trouble
from healthcare_deid.engine.runs.temporary import Spooled, temporary_copy
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path, PurePath

_ZIP = (".zip",)
_TAR = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
LARGEST_MEMBER = 1 << 31
"""Maximum size of a member in bytes. Anything larger is likely an archive bomb."""
IN_MEMORY = 1 << 26
"""Maximum size in bytes of a tar member held in memory; a larger one is spooled to a temporary file."""
_ENCRYPTED = Trouble("encrypted", "the archive's member is encrypted: unpack it first")
_TOO_LARGE = Trouble("too-large", f"the archive's member has more than {LARGEST_MEMBER >> 30} GB")
_DAMAGED = Trouble("broken", "the archive is damaged: members may be missing")
_NO_FILE = Trouble("no-file", "a link, a pipe or a device in an archive is no file, and was not read", ignored=True)


class ZipOriginals:
    """The members of a zip archive.

    Args:
        file: The archive.
    """

    url = ""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._archive: zipfile.ZipFile | None = None

    def __getstate__(self) -> dict[str, Path | None]:
        return {"_file": self._file, "_archive": None}

    @property
    def folder(self) -> Path | None:
        """The archive."""
        return self._file

    def count(self) -> int | None:
        """Return the number of members."""
        return sum(1 for _ in self.entries())

    def entries(self) -> Iterator[Entry]:
        """Yield the members, in the archive's order."""
        for number, member in enumerate(self._opened().infolist()):
            if member.is_dir():
                continue
            trouble = _ENCRYPTED if member.flag_bits & 1 else _TOO_LARGE if member.file_size > LARGEST_MEMBER else None
            yield Entry(member.filename, trouble, number=number)

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield the path of an unnamed temporary file that holds the member's bytes.

        Raises:
            InvalidDicomError: The member is damaged.
        """
        archive = self._opened()
        with ExitStack() as held:
            try:
                # By position: names may repeat, and looking one up returns the last member of that name.
                member = held.enter_context(archive.open(archive.infolist()[entry.number]))
                path = held.enter_context(temporary_copy(member))
            except (OSError, MemoryError):
                raise
            except Exception:  # noqa: BLE001 - zipfile and its decompressors raise almost anything for damaged members
                raise InvalidDicomError("the archive's member is damaged", reason="broken") from None
            yield path

    def _opened(self) -> zipfile.ZipFile:
        if self._archive is None:
            try:
                self._archive = zipfile.ZipFile(self._file)
            except (OSError, MemoryError):
                raise
            except Exception:  # noqa: BLE001 - as above
                raise InvalidDicomError("the source is not a zip archive, or is damaged", reason="broken") from None
        return self._archive


class _Member(tarfile.TarInfo):
    """Member whose header is read strictly. `tarfile` treats a damaged or missing header as the end of the archive."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:  # pyright: ignore[reportIncompatibleMethodOverride] # the module has its name
        """Return the next member.

        Raises:
            EOFHeaderError: The archive's end mark is reached.
            ReadError: The header is damaged or missing.
        """
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined] # typeshed names it not
            raise
        except tarfile.HeaderError:
            raise tarfile.ReadError("a member's header is damaged or missing") from None


class TarOriginals:
    """The members of a tar archive, compressed or not.

    The archive is read once, sequentially. Members are passed to workers as bytes, large ones as temporary files.

    Args:
        file: The archive.
    """

    url = ""

    def __init__(self, file: Path) -> None:
        self._file = file

    @property
    def folder(self) -> Path | None:
        """The archive."""
        return self._file

    def count(self) -> int | None:
        """Return None, because counting would mean reading the whole archive."""
        return None

    def entries(self) -> Iterator[Entry]:
        """Yield the members in the archive's order, and a last entry with the trouble if the archive is damaged."""
        try:
            with tarfile.open(self._file, "r|*", tarinfo=_Member) as archive:
                for member in archive:
                    if not member.isdir():
                        yield _entry(archive, member)
                    archive.members = []  # type: ignore[attr-defined] # tarfile remembers every member it has met
        except (tarfile.TarError, EOFError, zlib.error, ValueError, StructError):
            yield Entry(self._file.name, _DAMAGED)

    @contextmanager
    def opened(self, entry: Entry) -> Generator[Path]:
        """Yield the path of an unnamed temporary file that holds the member's bytes."""
        if isinstance(entry.data, Spooled):
            yield entry.data.path
            return
        with temporary_copy(io.BytesIO(entry.data or b"")) as path:
            yield path


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    if not member.isfile():
        return Entry(member.name, _NO_FILE)
    if member.size > LARGEST_MEMBER:
        return Entry(member.name, _TOO_LARGE)
    stream = archive.extractfile(member)
    assert stream is not None
    return Entry(member.name, None, stream.read() if member.size <= IN_MEMORY else Spooled(stream))


def is_archive(file: PurePath) -> bool:
    """Return whether a file has the suffix of a supported archive."""
    return file.name.lower().endswith((*_ZIP, *_TAR))


def archive_originals(file: Path) -> ZipOriginals | TarOriginals:
    """Return the originals in an archive."""
    return ZipOriginals(file) if file.name.lower().endswith(_ZIP) else TarOriginals(file)
