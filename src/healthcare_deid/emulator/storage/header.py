"""UIDs and attributes of an instance, as stored in the index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.errors import InvalidDicomError as PydicomInvalid
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid.emulator.storage.dicom_json import to_json
from healthcare_deid.engine.dicom.transfer_syntaxes import transfer_syntax
from healthcare_deid.engine.silence import quiet
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

_PREAMBLE = b"\0" * 128 + b"DICM"
_FILE_META_START = b"\x02\x00"
_LONG = 64 * 1024  # bytes from which a value stays in the file
_UID = re.compile(r"\d+(?:\.\d+)*", re.ASCII)
_MAX_UID_CHARACTERS = 64


def is_uid(text: str) -> bool:
    """Return whether *text* is a UID (PS3.5 section 9.1).

    Leading zeros in a component are accepted, because many devices write them.
    """
    return len(text) <= _MAX_UID_CHARACTERS and _UID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, order=True)
class InstanceKey:
    """The three UIDs that identify an instance."""

    study: str
    series: str
    instance: str

    def __str__(self) -> str:
        return f"studies/{self.study}/series/{self.series}/instances/{self.instance}"


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """Header of an instance.

    Attributes:
        key: UIDs.
        sop_class: SOP Class UID; may be empty.
        transfer_syntax: Transfer Syntax UID.
        attributes: DICOM JSON. Bulk data is ``{"vr": …, "BulkDataURI": path inside the instance}``.
    """

    key: InstanceKey
    sop_class: str
    transfer_syntax: str
    attributes: dict[str, Any]

    def text(self, tag: str) -> str:
        """Return the first value of an attribute as text.

        Returns an empty string if it has none.
        """
        return first_text(self.attributes, tag)


def completed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Add a missing preamble or prefix to a DICOM stream.

    Some clients send streams without them.
    """
    rest = iter(chunks)
    start = b""
    while len(start) < len(_PREAMBLE) and (chunk := next(rest, None)) is not None:
        start += chunk
    if start[:4] == b"DICM":
        yield _PREAMBLE[:-4]
    elif start[:2] == _FILE_META_START and start[128:132] != b"DICM":
        yield _PREAMBLE
    yield start
    yield from rest


def read_header(path: Path) -> InstanceHeader:
    """Read the header of an instance.

    Long values stay in the file.

    Raises:
        InvalidDicomError: The file is not DICOM, or lacks a required UID. The text contains no value.
    """
    if not path.stat().st_size:
        raise InvalidDicomError("empty DICOM instance found")  # the service's own wording
    with quiet():
        try:
            dataset = pydicom.dcmread(path, defer_size=_LONG)
            if dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                # A deferred value is read from its file offset, which a deflated file does not have.
                dataset = pydicom.dcmread(path)
            return _header(dataset)
        except InvalidDicomError:
            raise
        except PydicomInvalid:
            raise InvalidDicomError("not a DICOM file") from None
        except Exception as error:  # noqa: BLE001 - a damaged file makes pydicom raise anything
            text = f"the DICOM file cannot be read ({type(error).__name__})"
            raise InvalidDicomError(text, reason="unreadable") from None


def first_text(attributes: dict[str, Any], tag: str) -> str:
    """Return the first value of an attribute as text.

    Returns an empty string if it has none.
    """
    values = attributes.get(tag, {}).get("Value") or [""]
    value = values[0]
    if isinstance(value, dict):
        return str(value.get("Alphabetic", ""))
    return "" if value is None else str(value)


def _header(dataset: Dataset) -> InstanceHeader:
    uids = [_uid(dataset, tag) for tag in (0x0020000D, 0x0020000E, 0x00080018)]
    for name, uid in zip(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), uids, strict=True):
        if not is_uid(uid):
            raise InvalidDicomError(f"{name} is missing or is not a valid UID", reason="missing-uid")
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", "") or ImplicitVRLittleEndian)
    if transfer_syntax(syntax) is None and UID(syntax).type != "Transfer Syntax":
        raise InvalidDicomError("the transfer syntax does not exist", reason="unknown-transfer-syntax")
    attributes = to_json(dataset)
    # Google's service also returns file meta information, and some of its clients require it.
    attributes |= {tag: value for tag, value in to_json(dataset.file_meta).items() if "BulkDataURI" not in value}
    for tag in ("00020010", "00083002"):  # Available Transfer Syntax UID
        attributes[tag] = {"vr": "UI", "Value": [syntax]}
    key = InstanceKey(*uids)
    return InstanceHeader(key, _uid(dataset, 0x00080016), syntax, dict(sorted(attributes.items())))


def _uid(dataset: Dataset, tag: int) -> str:
    return str(dataset[tag].value or "").strip("\0 ") if tag in dataset else ""
