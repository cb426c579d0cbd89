"""Identity and attributes of one instance, as the index keeps them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.errors import InvalidDicomError as PydicomInvalid
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid.emulator.storage.dicom_json import to_json
from healthcare_deid.engine.silence import quiet
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

_PREAMBLE = b"\0" * 128 + b"DICM"
_FILE_META_START = b"\x02\x00"
_LONG = 64 * 1024
_UID = re.compile(r"[0-9.]{1,64}")


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
        key: The UIDs.
        sop_class: SOP class UID, or empty.
        transfer_syntax: Transfer syntax UID.
        attributes: DICOM JSON; a bulk value is ``{"vr": …, "BulkDataURI": path inside the instance}``.
    """

    key: InstanceKey
    sop_class: str
    transfer_syntax: str
    attributes: dict[str, Any]

    def text(self, tag: str) -> str:
        """Return the first value of an attribute as text, or empty text."""
        return first_text(self.attributes, tag)


def completed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Complete a DICOM stream without a preamble, or without preamble and prefix, as some clients send it."""
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
    """Read the header of an instance; long values stay in the file.

    Raises:
        InvalidDicomError: The file is not DICOM, or lacks a UID that a store needs. The text quotes no value.
    """
    with quiet():
        try:
            dataset = pydicom.dcmread(path, defer_size=_LONG)
            if dataset.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
                dataset = pydicom.dcmread(path)  # values of a deflated file cannot be read later
            return _header(dataset)
        except InvalidDicomError:
            raise
        except PydicomInvalid:
            raise InvalidDicomError("not a DICOM file") from None
        except Exception as error:  # noqa: BLE001 - a damaged file may break the parser in any way
            text = f"the DICOM file cannot be read ({type(error).__name__})"
            raise InvalidDicomError(text, reason="unreadable") from None


def first_text(attributes: dict[str, Any], tag: str) -> str:
    """Return the first value of an attribute as text, or empty text."""
    values = attributes.get(tag, {}).get("Value") or [""]
    value = values[0]
    if isinstance(value, dict):
        return str(value.get("Alphabetic", ""))
    return "" if value is None else str(value)


def _header(dataset: Dataset) -> InstanceHeader:
    uids = [_uid(dataset, tag) for tag in (0x0020000D, 0x0020000E, 0x00080018)]
    for name, uid in zip(("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"), uids, strict=True):
        if not _UID.fullmatch(uid):
            raise InvalidDicomError(f"{name} is missing or is not a UID", reason="missing-uid")
    syntax = str(dataset.file_meta.get("TransferSyntaxUID", "") or ImplicitVRLittleEndian)
    attributes = to_json(dataset)
    attributes["00083002"] = {"vr": "UI", "Value": [syntax]}
    key = InstanceKey(*uids)
    return InstanceHeader(key, _uid(dataset, 0x00080016), syntax, dict(sorted(attributes.items())))


def _uid(dataset: Dataset, tag: int) -> str:
    return str(dataset[tag].value or "").strip("\0 ") if tag in dataset else ""
