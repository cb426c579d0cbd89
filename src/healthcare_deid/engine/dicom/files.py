"""Reading and writing of DICOM files.

Large pixel data need not be in memory. In ``with opened(path) as (dataset, notes)``, top-level PixelData of at least
`file_slices.LARGE` bytes, native or encapsulated, has a `FileSlice` as its value. ``len(value)`` is its size, and
``value.read_at(start, stop)`` reads part of it from any thread. It may be replaced by any `io.BufferedIOBase` that can
seek and tell, such as a view that covers frames as they pass, or a temporary file of new codestreams. Writing seeks to
the end for the length and then reads in order. It must happen inside the same context and does not close the object.
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
    UNDEFINED,
    Malformed,
    Short,
    element_header,
    end_of_dataset,
    ends_inside_element,
    looks_explicit,
    truncated,
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
# Position after the file meta's group length element, from which it counts (PS3.10 section 7.1).
_META = 144
# 128 bytes and the prefix "DICM" (PS3.10 section 7.1).
_PREAMBLE = 132
_LONGEST_META = 1 << 16
_GROUP_LENGTH = 0x00020000
_TRANSFER_SYNTAX = 0x00020010
_PIXEL_DATA = 0x7FE00010
# Elements of these syntaxes are not walked here: deflated data is compressed, and the parser is little endian only.
_NO_WALK = frozenset({"", DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian})
# Deflate can expand a thousandfold, so a small file could exhaust memory.
MAX_INFLATED = 1 << 29
_CHUNK = 1 << 20
# Group 0008 begins every dataset, and group 0002 a file that only lacks its preamble.
_FIRST_GROUPS = (b"\x08\x00", b"\x02\x00")
TRAILING_DROPPED = "bytes after the last data element do not belong to the dataset and were dropped"
RELABELED = (
    "the file meta names the wrong transfer syntax (implicit for explicit VR, or the reverse): the data was read as it "
    "is, and the result names the right one"
)
NO_PREAMBLE = "the file has no DICOM preamble; the result has one"


def read(path: Path) -> tuple[FileDataset, list[str]]:
    """Read a whole file.

    Returns:
        The dataset, and warnings about its form.

    Raises:
        InvalidDicomError: The file is not DICOM, or is broken or incomplete.
        OSError: The file cannot be opened.
    """
    with path.open("rb") as file:
        return _parsed(OpenFile(file.fileno()), _read_whole)


@contextmanager
def opened(path: Path) -> Generator[tuple[FileDataset, list[str]]]:
    """Read a file, leaving large pixel data in it (see the module's docstring).

    Returns:
        A context manager that yields the dataset and warnings about its form.

    Raises:
        InvalidDicomError: The file is not DICOM, or is broken or incomplete.
        OSError: The file cannot be opened.
    """
    with path.open("rb") as file:
        yield read_source(OpenFile(file.fileno()))


def read_source(source: Source, *, max_inflated: int = MAX_INFLATED) -> tuple[FileDataset, list[str]]:
    """Read an encoded instance, leaving large pixel data in the source.

    Args:
        source: The instance.
        max_inflated: Largest size in bytes of a deflated dataset.

    Returns:
        The dataset, usable while the source is open, and warnings about its form.

    Raises:
        InvalidDicomError: The source is not DICOM, or is broken or incomplete.
        OSError: The source cannot be read.
    """
    _check_inflated(source, max_inflated)
    return _parsed(source, _read_deferred)


def _check_inflated(source: Source, most: int) -> None:
    """Raise InvalidDicomError if a deflated dataset is larger than allowed."""
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
                        f"the deflated data is larger than max_inflated ({most} bytes); raise it if you trust the data",
                        reason="too-large",
                    )
    except zlib.error:
        return  # broken data: the reader reports it


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
            raise of_the_system(error) or truncated() from None
        except (EOFError, StructError):
            raise truncated() from None
        except Exception as error:  # noqa: BLE001 - pydicom raises almost any exception for broken files
            raise InvalidDicomError(f"not a readable DICOM file ({type(error).__name__})", reason="broken") from None
    if not len(dataset) and not _ends_too_early(dataset, source):
        raise empty()
    _refuse_cut(dataset)
    if _ends_too_early(dataset, source):
        notes.append(TRAILING_DROPPED)
    return dataset, notes


def _relabeled(source: Source) -> Source | None:
    """Return the instance with a corrected transfer syntax.

    Returns None if it is right.

    Raises:
        InvalidDicomError: The dataset is in implicit VR, but the transfer syntax is encapsulated.
    """
    head = source.read(0, _LONGEST_META)
    start, syntax = _dataset_start(head)
    if start is None or syntax in _NO_WALK or start + _HEADER > source.size:
        return None
    # Common readers trust the data over the file meta: the first element shows whether it is explicit VR.
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
    """Return the instance without trailing bytes.

    Returns None if it has none.

    Only bytes after the pixel data are dropped. Before it, a broken element is more likely.

    Raises:
        InvalidDicomError: The data ends inside a value of undefined length.
    """
    start, syntax = _dataset_start(source.read(0, _LONGEST_META))
    if start is None or syntax in _NO_WALK:
        return None
    size = source.size

    def read(begin: int, stop: int) -> bytes:
        return source.read(begin, stop - begin)

    explicit = syntax != ImplicitVRLittleEndian
    end, last = end_of_dataset(read, start, size, explicit=explicit)
    if end < size and ends_inside_element(read, end, last, explicit=explicit):
        raise truncated()
    if (
        end >= size
        or last < _PIXEL_DATA
        or size - end < _HEADER
        or _may_begin(read(end, end + 12), last, explicit=explicit)
    ):
        return None
    return InMemory(source.read(0, end))


def _may_begin(head: bytes, last: int, *, explicit: bool) -> bool:
    """Return whether the bytes may begin a further element.

    That element is then incomplete.
    """
    try:
        return element_header(head, 0, explicit=explicit).tag > last
    except (Malformed, Short):
        return False


def _dataset_start(data: bytes) -> tuple[int | None, str]:
    """Return the position of the dataset, and its transfer syntax."""
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


def _refuse_cut(dataset: FileDataset) -> None:
    """Raise InvalidDicomError if the last value is shorter than its length says.

    pydicom reads it without an error, and what looks at it next would take what is there for the whole value.
    """
    last = dataset.get_item(list(dataset.keys())[-1]) if len(dataset) else None
    if not isinstance(last, RawDataElement) or last.value is None:
        return
    if last.length not in (UNDEFINED, len(last.value)):
        raise truncated()


def _ends_too_early(dataset: FileDataset, source: Source) -> bool:
    """Return whether a few trailing bytes follow the last element.

    pydicom takes fewer than eight bytes for the end of the data.

    Raises:
        InvalidDicomError: The bytes may be the start of an incomplete element.
    """
    size = source.size
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    last = dataset.get_item(list(dataset.keys())[-1]) if len(dataset) else None
    if syntax == DeflatedExplicitVRLittleEndian:
        return False
    if last is None:
        group: object = dataset.file_meta.get("FileMetaInformationGroupLength")
        if isinstance(group, int) and size != _META + group:
            raise truncated()
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
    raise truncated()


def empty() -> InvalidDicomError:
    """Return the error for a file without a dataset."""
    return InvalidDicomError("the file holds no data elements", reason="empty")


def _may_be_bare_dataset(source: Source) -> bool:
    """Return whether a file without preamble begins like DICOM.

    It does with group 0008 or file meta.
    """
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
    """Write a dataset with its file meta to an open file.

    Raises:
        OSError: The file cannot be written.
    """
    with quiet():
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax in TRANSFER_SYNTAXES and not UID(syntax).is_transfer_syntax:
            _encode_newer(dataset, file)
        else:
            # The file meta is complete, except for the SOP class of an instance without one.
            pydicom.dcmwrite(file, dataset, enforce_file_format=False)


def _encode_newer(dataset: Dataset, file: BinaryIO) -> None:
    """Write a dataset in a transfer syntax that pydicom does not know.

    The elements around the frames are Explicit VR Little Endian.
    """
    stream = DicomIO(file)
    stream.is_implicit_VR, stream.is_little_endian = False, True
    stream.write(bytes(_PREAMBLE - 4) + b"DICM")
    write_file_meta_info(stream, dataset.file_meta, enforce_standard=False)
    write_dataset(stream, dataset)


def encode_directory(dataset: Dataset, old: Source, file: BinaryIO) -> None:
    """Write a DICOMDIR with corrected offsets to an open file.

    Raises:
        InvalidDicomError: The records of the old file cannot be parsed.
        OSError: The file cannot be written.
    """
    buffer = io.BytesIO()
    encode(dataset, buffer)
    file.write(with_offsets(old.read(0, old.size), buffer.getvalue()))
