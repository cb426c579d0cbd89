"""WADO-RS: instances and their metadata.

Source: PS3.18 section 10.4.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydicom.uid import ExplicitVRLittleEndian

from healthcare_deid.emulator.errors import not_acceptable
from healthcare_deid.emulator.http.accept import MULTIPART, accepted
from healthcare_deid.emulator.http.multipart import Writer
from healthcare_deid.emulator.http.payload import Payload
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.storage.transcoding import AS_STORED, in_syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.storage.instances import StoredInstance

DICOM = "application/dicom"
DICOM_JSON = "application/dicom+json"
_JSON_TYPES = (DICOM_JSON, "application/json")


def missing(level: str) -> Reply:
    """Return the 404 reply for a study, series or instance.

    The service sends a plain JSON string here, not an error object.
    """
    return Reply.json(f"DICOM {level} does not exist.", 404)


def retrieve(found: Sequence[StoredInstance], request: Request, *, single: bool) -> Reply:
    """Return complete instances.

    Args:
        found: Instances, at least one.
        request: Request with the Accept header.
        single: Whether the URL is that of one instance, which may then be sent without multipart.

    Raises:
        ServiceError: 406: no acceptable form is available.
    """
    for wanted in accepted(request.headers.get("accept")):
        if not wanted.covers(DICOM):
            continue
        # The default transfer syntax of a retrieval (fidelity F-30).
        syntax = wanted.transfer_syntax or ExplicitVRLittleEndian
        alone = single and not wanted.multipart and wanted.media_type == DICOM
        # Several instances do not fit into a plain application/dicom body.
        if not alone and not wanted.multipart and wanted.media_type == DICOM:
            continue
        return _files(found, syntax, alone=alone)
    raise not_acceptable(f'Instances are available as {DICOM} (a single one) or {MULTIPART}; type="{DICOM}".')


def _files(found: Sequence[StoredInstance], syntax: str, *, alone: bool) -> Reply:
    payload = Payload(found[0].path.parent)
    body = Writer(payload, DICOM)
    try:
        for instance in found:
            made = in_syntax(instance.path, instance.transfer_syntax, syntax)
            if not alone:
                body.begin(_typed(instance, syntax))
            if made is None:
                # Sent from disk. Only transcoded instances are held in memory.
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
    """Return the attributes of instances, with links to bulk data.

    Raises:
        ServiceError: 406: the client does not accept JSON.
    """
    if not any(
        wanted.covers(media_type) for wanted in accepted(request.headers.get("accept")) for media_type in _JSON_TYPES
    ):
        raise not_acceptable(f"Metadata is available as {DICOM_JSON}.")
    items = [_linked(instance.attributes, f"{_base(request, instance)}/") for instance in found]
    return Reply(200, {"content-type": DICOM_JSON}, json.dumps(items, ensure_ascii=False).encode())


def _base(request: Request, instance: StoredInstance) -> str:
    return f"{request.base_url}/v1/{instance.source}"


def _linked(attributes: dict[str, Any], base: str) -> dict[str, Any]:
    """Make links to bulk data absolute."""
    made: dict[str, Any] = {}
    for tag, attribute in attributes.items():
        if "BulkDataURI" in attribute:
            made[tag] = {**attribute, "BulkDataURI": base + attribute["BulkDataURI"]}
        elif attribute.get("vr") == "SQ" and "Value" in attribute:
            made[tag] = {**attribute, "Value": [_linked(item, base) for item in attribute["Value"]]}
        else:
            made[tag] = attribute
    return made
