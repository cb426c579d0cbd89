"""Instances from DICOM JSON (PS3.18 Annex F).

New instances are made from metadata and bulk data; stored ones are changed with a patch.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEGBaseline8Bit

from healthcare_deid.emulator.errors import invalid
from healthcare_deid.emulator.storage.dicom_json import to_json
from healthcare_deid.emulator.storage.transcoding import encoded
from healthcare_deid.engine.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE_META = "0002"
# Study, Series and SOP Instance UID and SOP Class UID identify the instance.
_IDENTITY = frozenset({"0020000D", "0020000E", "00080018", "00080016"})
_DERIVED = frozenset({"00083002"})  # Available Transfer Syntax UID, which the server sets
_UNICODE = "ISO_IR 192"
# Without "copy" and "move", which could double the size of a document with every step.
_OPERATIONS = frozenset({"add", "remove", "replace", "test"})
_MAX_OPERATIONS = 1000


def from_json(attributes: Mapping[str, Any], bulk: Mapping[str, bytes]) -> bytes:
    """Build a DICOM file from DICOM JSON.

    Args:
        attributes: Attributes. Those of group 0002 become file meta information.
        bulk: Bulk data by its ``BulkDataURI``. Pixel data that is a JPEG stream becomes JPEG Baseline, and the
            attributes that describe it are set.

    Raises:
        ServiceError: 400: *attributes* is not DICOM JSON, or bulk data is missing.
    """
    used = {str(value.get("BulkDataURI")) for value in attributes.values() if isinstance(value, dict)}
    missing = used - {"None"} - bulk.keys()
    if missing:
        raise invalid("The metadata refers to bulk data that is missing in the request.")
    try:
        with quiet():
            dataset = Dataset.from_json(dict(attributes), lambda _, __, uri: bulk[uri])
            meta = FileMetaDataset()
            for element in list(dataset.group_dataset(0x0002)):
                meta.add(element)
                del dataset[element.tag]
            pixels = dataset.get("PixelData")
            if isinstance(pixels, bytes) and pixels.startswith(b"\xff\xd8"):  # JPEG's start-of-image marker
                _set_jpeg(dataset, pixels)
                meta.TransferSyntaxUID = JPEGBaseline8Bit
            meta.TransferSyntaxUID = UID(meta.get("TransferSyntaxUID") or ExplicitVRLittleEndian)
            meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
            # DICOM JSON is UTF-8, whatever Specific Character Set it names.
            if not _is_ascii(attributes):
                dataset.SpecificCharacterSet = _UNICODE
            return encoded(FileDataset("", dataset, file_meta=meta))
    except Exception as error:  # noqa: BLE001 - invalid JSON makes pydicom raise anything
        raise invalid(f"The metadata is not valid DICOM JSON ({type(error).__name__}).") from None


def patched(path: Path, patch: Any) -> bytes:
    """Return the file of an instance after a JSON Patch (RFC 6902).

    Raises:
        ServiceError: 400: the patch cannot be applied, or it changes UIDs, file meta information or bulk data.
    """
    import jsonpatch

    _check_patch(patch)
    with quiet():
        dataset = pydicom.dcmread(path)
        before = to_json(dataset)
        try:
            after = jsonpatch.apply_patch(before, patch)
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, ValueError) as error:
            raise invalid(f"The patch cannot be applied to the metadata ({type(error).__name__}).") from None
        changed = {tag for tag in before.keys() | after.keys() if before.get(tag) != after.get(tag)}
        for tag in sorted(changed):
            _check_change(tag, before.get(tag), after.get(tag))
        try:
            new = Dataset.from_json({tag: after[tag] for tag in changed & after.keys()})
            if not _is_ascii([after.get(tag) for tag in changed]):
                dataset.decode()  # first decode the other values, which use the old character set
                dataset.SpecificCharacterSet = _UNICODE
            for tag in changed:
                if tag in after:
                    dataset[int(tag, 16)] = new[int(tag, 16)]
                else:
                    del dataset[int(tag, 16)]
            return encoded(dataset)
        except Exception as error:  # noqa: BLE001 - as in from_json()
            raise invalid(f"The patched metadata is not valid DICOM JSON ({type(error).__name__}).") from None


def _check_patch(patch: Any) -> None:
    if not isinstance(patch, list) or not all(isinstance(step, dict) for step in patch):
        raise invalid("The body must be a JSON Patch (RFC 6902): a list of operations.")
    if len(patch) > _MAX_OPERATIONS or any(step.get("op") not in _OPERATIONS for step in patch):
        raise invalid(f"A patch may have up to {_MAX_OPERATIONS} operations: {', '.join(sorted(_OPERATIONS))}.")


def _check_change(tag: str, before: Any, after: Any) -> None:
    if tag in _IDENTITY or tag in _DERIVED or tag.startswith(_FILE_META):
        raise invalid(f"({tag[:4]},{tag[4:8]}) cannot be changed by a patch.")
    if "BulkDataURI" in repr(before) or "BulkDataURI" in repr(after):
        raise invalid(f"({tag[:4]},{tag[4:8]}) is bulk data, which cannot be changed by a patch.")


def _set_jpeg(dataset: Dataset, stream: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(stream)) as picture:
        color = picture.mode != "L"
        dataset.Rows, dataset.Columns = picture.height, picture.width
    dataset.SamplesPerPixel = 3 if color else 1
    dataset.PhotometricInterpretation = "YBR_FULL_422" if color else "MONOCHROME2"
    if color:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.LossyImageCompression = "01"
    dataset.PixelData = encapsulate([stream])
    dataset["PixelData"].VR = "OB"
    # Encapsulated pixel data has an undefined length (PS3.5 section A.4).
    dataset["PixelData"].is_undefined_length = True


def _is_ascii(value: Any) -> bool:
    return json.dumps(value, ensure_ascii=False).isascii()
