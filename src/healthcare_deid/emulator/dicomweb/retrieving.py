"""WADO-RS: instances, metadata, frames, bulk data and rendered images out (PS3.18 section 10.4)."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pydicom
from pydicom.uid import ExplicitVRLittleEndian

from healthcare_deid.emulator.dicomweb import multipart
from healthcare_deid.emulator.dicomweb.media import MULTIPART, accepted
from healthcare_deid.emulator.dicomweb.transcoding import AS_STORED, in_syntax, not_acceptable
from healthcare_deid.emulator.messages import Reply
from healthcare_deid.emulator.payload import Payload
from healthcare_deid.emulator.status import not_found
from healthcare_deid.engine.dicom.file_slices import read_deferred
from healthcare_deid.engine.dicom.silence import quiet

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from healthcare_deid.emulator.instances import StoredInstance
    from healthcare_deid.emulator.messages import Request

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
_JSON_TYPES = (DICOM_JSON, "application/json")


def missing(level: str) -> Reply:
    """404 for a study, series or instance: the service answers with a bare JSON string."""
    return Reply.json(f"DICOM {level} does not exist.", 404)


def retrieve(found: Sequence[StoredInstance], request: Request, *, single: bool) -> Reply:
    """Give whole instances.

    Args:
        found: Which; at least one.
        request: Its Accept header says how.
        single: Whether the URL names one instance, which may then come alone.

    Raises:
        ServiceError: 406: nothing the client accepts can be made.
    """
    for wanted in accepted(request.headers.get("accept")):
        if not wanted.covers(DICOM):
            continue
        syntax = wanted.transfer_syntax or ExplicitVRLittleEndian
        alone = single and not wanted.multipart and wanted.media_type == DICOM
        if not alone and not wanted.multipart and wanted.media_type == DICOM:
            continue
        return _files(found, syntax, alone=alone)
    raise not_acceptable(f'Instances come as {DICOM} (one alone) or {MULTIPART}; type="{DICOM}".')


def _files(found: Sequence[StoredInstance], syntax: str, *, alone: bool) -> Reply:
    """Give files in a transfer syntax. What is stored so is sent from where it is."""
    payload = Payload(found[0].path.parent)
    body = multipart.Writer(payload, DICOM)
    try:
        for instance in found:
            made = in_syntax(instance.path, instance.transfer_syntax, syntax)
            if not alone:
                body.begin(_typed(instance, syntax))
            if made is None:
                payload.add_file(instance.path, instance.size)
            else:
                payload.write(made)
        if not alone:
            body.end()
    except BaseException:
        payload.close()
        raise
    return Reply(200, {"content-type": _typed(found[0], syntax) if alone else body.content_type}, payload=payload)


def _typed(instance: StoredInstance, syntax: str) -> str:
    return f"{DICOM}; transfer-syntax={instance.transfer_syntax if syntax == AS_STORED else syntax}"


def metadata(found: Sequence[StoredInstance], request: Request) -> Reply:
    """Give the attributes of instances, bulk values as links.

    Raises:
        ServiceError: 406: the client does not accept JSON.
    """
    if not any(
        wanted.covers(media_type) for wanted in accepted(request.headers.get("accept")) for media_type in _JSON_TYPES
    ):
        raise not_acceptable(f"Metadata comes as {DICOM_JSON}.")
    items = [linked(instance.attributes, f"{_base(request, instance)}/") for instance in found]
    return Reply(200, {"content-type": DICOM_JSON}, json.dumps(items, ensure_ascii=False).encode())


def _base(request: Request, instance: StoredInstance) -> str:
    return f"{request.base_url}/v1/{instance.source}"


def linked(attributes: dict[str, Any], base: str) -> dict[str, Any]:
    """Complete the links to bulk values."""
    made: dict[str, Any] = {}
    for tag, attribute in attributes.items():
        if "BulkDataURI" in attribute:
            made[tag] = {**attribute, "BulkDataURI": base + attribute["BulkDataURI"]}
        elif attribute.get("vr") == "SQ" and "Value" in attribute:
            made[tag] = {**attribute, "Value": [linked(item, base) for item in attribute["Value"]]}
        else:
            made[tag] = attribute
    return made


@contextmanager
def opened(instance: StoredInstance) -> Generator[pydicom.FileDataset]:
    """Read a stored file; inside the context, what is large of its pixels is a `FileSlice`.

    Raises:
        ServiceError: 404: it was deleted in the meantime.
    """
    try:
        file = instance.path.open("rb")
    except FileNotFoundError:
        raise not_found("DICOM instance does not exist.") from None
    with quiet(), file:
        dataset = read_deferred(file)
        if dataset is None:
            file.seek(0)
            dataset = pydicom.dcmread(file)
        yield dataset
