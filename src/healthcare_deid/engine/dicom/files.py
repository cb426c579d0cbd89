"""Reading and writing DICOM files: what is read is DICOM, and what is written appears whole or not at all.

Pixel data that is worked on need not be in memory. In ``with opened(path) as (dataset, notes)``, PixelData of the top
level that is large (`deferred.LARGE`), native or encapsulated, has a `FileSlice` as its value: ``len(value)`` bytes of
the source, ``value.read_at(start, stop)`` of them at a time, from any thread. What replaces it may be any
`io.BufferedIOBase` that can seek and tell: a view that reads the slice and covers frames as they pass, or a temporary
file of new codestreams. Writing asks it for its length (by seeking to its end), then for chunks, in order, inside the
same context; it is not closed.
"""

from __future__ import annotations

import io
import zlib
from contextlib import contextmanager
from struct import error as StructError  # noqa: N812 - an exception, named as one
from typing import TYPE_CHECKING, BinaryIO

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.errors import InvalidDicomError as NotDicomError
from pydicom.filebase import DicomIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from healthcare_deid.engine.dicom.atomic_write import beside
from healthcare_deid.engine.dicom.datasets import value_bytes
from healthcare_deid.engine.dicom.directory import with_offsets
from healthcare_deid.engine.dicom.encoding import (
    FILLER,
    Malformed,
    Short,
    element_header,
    end_of_dataset,
    looks_explicit,
)
from healthcare_deid.engine.dicom.file_slices import FileSlice, read_deferred
from healthcare_deid.engine.dicom.sources import InMemory, OpenFile
from healthcare_deid.engine.dicom.transfer_syntaxes import TRANSFER_SYNTAXES, is_native
from healthcare_deid.engine.dicom.uids import uid_text
from healthcare_deid.engine.safe_errors import of_the_system
from healthcare_deid.engine.silence import quiet
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from pydicom.dataset import Dataset, FileDataset

    from healthcare_deid.engine.dicom.sources import Source

_HEADER = 8
_META = 144
"""Where the elements begin that the file meta's group length counts (PS3.10 section 7.1)."""
_PREAMBLE = 132
_LONGEST_META = 1 << 16
_GROUP_LENGTH = 0x00020000
_TRANSFER_SYNTAX = 0x00020010
_PIXEL_DATA = 0x7FE00010
_NO_WALK = frozenset({"", DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian})
MAX_INFLATED = 1 << 29
_CHUNK = 1 << 20
_FIRST_GROUPS = (b"\x08\x00", b"\x02\x00")
TRAILING_DROPPED = "bytes after the last data element, which belong to nothing, were left out"
RELABELED = (
    "the file names another transfer syntax than its data is in (VRs are written, or are not): it was read as it is, "
    "and its result names the right one"
)
NO_PREAMBLE = "the file had no DICOM preamble: its result has one"


def read(path: Path) -> tuple[FileDataset, list[str]]:
    """Read a whole file.

    Returns:
        The dataset, and warnings about its form.

    Raises:
        InvalidDicomError: It is not DICOM, or cannot be read to its end.
        OSError: The file cannot be opened.
    """
    with path.open("rb") as file:
        return _parsed(OpenFile(file.fileno()), _read_whole)


@contextmanager
def opened(path: Path) -> Generator[tuple[FileDataset, list[str]]]:
    """Read a file, large pixel data left in it: see the module's docstring.

    Returns:
        A context, in which the dataset can be used: the dataset, and warnings about its form.

    Raises:
        InvalidDicomError: It is not DICOM, or cannot be read to its end.
        OSError: The file cannot be opened.
    """
    with path.open("rb") as file:
        yield read_source(OpenFile(file.fileno()))


def read_source(source: Source, *, max_inflated: int = MAX_INFLATED) -> tuple[FileDataset, list[str]]:
    """Read an encoded instance, large pixel data left where it is.

    Args:
        source: The instance.
        max_inflated: Bytes that a deflated dataset may have.

    Returns:
        The dataset, which can be used as long as the source, and warnings about its form.

    Raises:
        InvalidDicomError: It is not DICOM, or cannot be read to its end.
        OSError: It cannot be read.
    """
    _check_inflated(source, max_inflated)
    return _parsed(source, _read_deferred)


def _check_inflated(source: Source, most: int) -> None:
    """Refuse a deflated dataset that is larger than memory should be asked to hold.

    Raises:
        InvalidDicomError: It is.
    """
    start, syntax = _dataset_start(source.read(0, _LONGEST_META))
    if start is None or syntax != DeflatedExplicitVRLittleEndian:
        return
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    size = 0
    try:
        for offset in range(start, source.size, _CHUNK):
            data = source.read(offset, _CHUNK)
            while data and not inflate.eof:
                size += len(inflate.decompress(data, _CHUNK))
                data = inflate.unconsumed_tail
                if size > most:
                    raise InvalidDicomError(
                        f"the deflated data is larger than max_inflated ({most} bytes)", reason="too-large"
                    )
    except zlib.error:
        return  # it is broken, which whoever reads it will say


def _read_whole(source: Source, *, force: bool = False) -> FileDataset:
    return pydicom.dcmread(source.stream(), force=force)


def _read_deferred(source: Source, *, force: bool = False) -> FileDataset:
    dataset = read_deferred(source, force=force)
    return dataset if dataset is not None else _read_whole(source, force=force)


def _parsed(source: Source, parse: Callable[..., FileDataset]) -> tuple[FileDataset, list[str]]:
    notes: list[str] = []
    relabeled = _relabeled(source)
    if relabeled is not None:
        source, parse = relabeled, _read_whole
        notes.append(RELABELED)
    cut = _without_trailing(source)
    if cut is not None:
        source, parse = cut, _read_whole
        notes.append(TRAILING_DROPPED)
    with quiet():
        try:
            try:
                dataset = parse(source)
            except NotDicomError:
                if not _may_be_bare_dataset(source):
                    raise InvalidDicomError("not a DICOM file") from None
                dataset = parse(source, force=True)
                notes.append(NO_PREAMBLE)
        except InvalidDicomError:
            raise
        except OSError as error:
            if error.errno is not None:
                raise
            raise of_the_system(error) or unreadable() from None
        except (EOFError, StructError):
            raise unreadable() from None
        except Exception as error:  # noqa: BLE001 - pydicom raises nearly anything at broken files
            raise InvalidDicomError(f"not a readable DICOM file ({type(error).__name__})", reason="broken") from None
    if not len(dataset) and not _ends_too_early(dataset, source):
        raise empty()
    if _ends_too_early(dataset, source):
        notes.append(TRAILING_DROPPED)
    return dataset, notes


def _relabeled(source: Source) -> Source | None:
    """Return an instance whose file meta names the syntax that its dataset is in; None where it does.

    Readers believe the dataset: whether VRs are written in it is seen at its first element.

    Raises:
        InvalidDicomError: No syntax is both what the file meta says of the pixels and what the dataset is in.
    """
    head = source.read(0, _LONGEST_META)
    start, syntax = _dataset_start(head)
    if start is None or syntax in _NO_WALK or start + _HEADER > source.size:
        return None
    explicit = looks_explicit(head, start)
    if explicit == (syntax != ImplicitVRLittleEndian):
        return None
    if not is_native(syntax):
        raise InvalidDicomError("the data is in implicit VR, which its transfer syntax does not allow", reason="broken")
    right = str(ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian).encode()
    right += b"\0" * (len(right) % 2)
    kept, position = b"", _PREAMBLE
    while position < start:
        tag, _, size, length = element_header(head, position, explicit=True)
        after = position + size + length
        if tag == _TRANSFER_SYNTAX:
            kept += head[position : position + 6] + len(right).to_bytes(2, "little") + right
        elif tag != _GROUP_LENGTH:
            kept += head[position:after]
        position = after
    group_length = b"\x02\0\0\0UL\x04\0" + len(kept).to_bytes(4, "little")
    return InMemory(head[:_PREAMBLE] + group_length + kept + source.read(start, source.size - start))


def _without_trailing(source: Source) -> Source | None:
    """Return an instance without the bytes after its last element; None where there are none that matter.

    Only what follows the pixel data is left out: before it, it is more likely that an element is broken.
    """
    start, syntax = _dataset_start(source.read(0, _LONGEST_META))
    if start is None or syntax in _NO_WALK:
        return None
    size = source.size

    def read(begin: int, stop: int) -> bytes:
        return source.read(begin, stop - begin)

    explicit = syntax != ImplicitVRLittleEndian
    end, last = end_of_dataset(read, start, size, explicit=explicit)
    if (
        end >= size
        or last < _PIXEL_DATA
        or size - end < _HEADER
        or _may_begin(read(end, end + 12), last, explicit=explicit)
    ):
        return None
    return InMemory(source.read(0, end))


def _may_begin(head: bytes, last: int, *, explicit: bool) -> bool:
    """Return whether an element may begin with some bytes, after one with a tag: then it is cut off."""
    try:
        return element_header(head, 0, explicit=explicit).tag > last
    except (Malformed, Short):
        return False


def _dataset_start(data: bytes) -> tuple[int | None, str]:
    """Return where the dataset begins after its file meta, and its transfer syntax."""
    position, syntax = _PREAMBLE, ""
    if data[128:132] != b"DICM":
        return None, syntax
    while data[position : position + 2] == b"\x02\x00":
        try:
            tag, _, size, length = element_header(data, position, explicit=True)
        except (Short, Malformed):
            return None, syntax
        if tag == _TRANSFER_SYNTAX:
            syntax = uid_text(data[position + size : position + size + length])
        position += size + length
    return (position if position < len(data) else None), syntax


def _ends_too_early(dataset: FileDataset, source: Source) -> bool:
    """Return whether a few bytes follow the last element, which pydicom takes for the end of the data.

    Raises:
        InvalidDicomError: They may be the beginning of an element that is cut off.
    """
    size = source.size
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    last = dataset.get_item(list(dataset.keys())[-1]) if len(dataset) else None
    if syntax == DeflatedExplicitVRLittleEndian:
        return False
    if last is None:
        group: object = dataset.file_meta.get("FileMetaInformationGroupLength")
        if isinstance(group, int) and size != _META + group:
            raise unreadable()
        return False
    if isinstance(last, RawDataElement):
        end = last.value_tell + last.length
    elif last.VR == "SQ":
        end = size
    else:
        length = len(last.value) if isinstance(last.value, FileSlice) else len(value_bytes(last))
        end = (last.file_tell or size) + length
    if not 0 < size - end < _HEADER:
        return False
    if last.tag >= _PIXEL_DATA or not source.read(end, _HEADER).strip(FILLER):
        return True
    raise unreadable()


def empty() -> InvalidDicomError:
    """Return the error for a file without a dataset."""
    return InvalidDicomError("the file holds no data elements", reason="empty")


def unreadable() -> InvalidDicomError:
    """Return the error for data that ends where pydicom wanted more."""
    return InvalidDicomError("the data ends inside an element", reason="truncated")


def _may_be_bare_dataset(source: Source) -> bool:
    """Return whether a file without preamble begins as a dataset does: with an element of group 0008, or file meta."""
    start = source.read(0, 132)
    return start[:2] in _FIRST_GROUPS and len(start) > 8 and b"\0" in start[2:8]


def write(dataset: Dataset, destination: Path) -> None:
    """Write a dataset with its file meta.

    Raises:
        OSError: The file cannot be written.
    """
    with beside(destination) as descriptor, open(descriptor, "wb", closefd=False) as file:
        encode(dataset, file)


def encode(dataset: Dataset, file: BinaryIO) -> None:
    """Write a dataset with its file meta into an open file.

    Raises:
        OSError: It cannot be written.
    """
    with quiet():
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax in TRANSFER_SYNTAXES and not UID(syntax).is_transfer_syntax:
            _encode_newer(dataset, file)
        else:
            # The file meta is our own, complete but for what an instance without a SOP class cannot say.
            pydicom.dcmwrite(file, dataset, enforce_file_format=False)


def _encode_newer(dataset: Dataset, file: BinaryIO) -> None:
    """Write a dataset in a transfer syntax that pydicom does not know: Explicit VR Little Endian around the frames."""
    stream = DicomIO(file)
    stream.is_implicit_VR, stream.is_little_endian = False, True
    stream.write(bytes(_PREAMBLE - 4) + b"DICM")
    write_file_meta_info(stream, dataset.file_meta, enforce_standard=False)
    write_dataset(stream, dataset)


def encode_directory(dataset: Dataset, old: Source, file: BinaryIO) -> None:
    """Write a DICOMDIR into an open file, the offsets in it put right.

    Raises:
        InvalidDicomError: The old file's records cannot be followed.
        OSError: It cannot be written.
    """
    buffer = io.BytesIO()
    encode(dataset, buffer)
    file.write(with_offsets(old.read(0, old.size), buffer.getvalue()))
