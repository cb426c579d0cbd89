"""Frames, rendered frames and bulk data of one instance.

Source: PS3.18 section 10.4.1.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from healthcare_deid.emulator.errors import invalid, not_acceptable
from healthcare_deid.emulator.http.accept import MULTIPART, accepted
from healthcare_deid.emulator.http.multipart import Writer
from healthcare_deid.emulator.http.payload import Payload, chunks_of
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.storage.frames import (
    bulk_value,
    encapsulated_frames,
    frame_numbers,
    native_frames,
    opened,
)
from healthcare_deid.emulator.storage.transcoding import AS_STORED
from healthcare_deid.engine.dicom.transfer_syntaxes import is_native, transfer_syntax

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.storage.instances import StoredInstance
    from healthcare_deid.engine.dicom.file_slices import FileSlice

_OCTETS = "application/octet-stream"
_NATIVE = {ExplicitVRLittleEndian, ImplicitVRLittleEndian}
_PICTURES = ("image/jpeg", "image/png")
# A larger viewport would let one request allocate gigabytes.
_MAX_SIDE = 10_000


def retrieve_frames(instance: StoredInstance, frames: str, request: Request) -> Reply:
    """Return frames of an instance.

    Raises:
        ServiceError: 400: a frame number is invalid. 404: the instance has no pixel data. 406: no acceptable form is
            available.
    """
    with opened(instance) as dataset:
        numbers = frame_numbers(frames, dataset)
        stored = UID(instance.transfer_syntax)
        for wanted in accepted(request.headers.get("accept")):
            syntax = wanted.transfer_syntax or ExplicitVRLittleEndian
            as_stored = not is_native(stored) and syntax in {AS_STORED, stored}
            media_type = _frame_type(stored) if as_stored else _OCTETS
            if not (wanted.covers(media_type) or (as_stored and wanted.covers(_OCTETS))):
                continue
            if not as_stored and syntax not in {AS_STORED, *_NATIVE}:
                continue
            bodies = encapsulated_frames(dataset, numbers) if as_stored else native_frames(dataset, stored, numbers)
            label = f"{media_type}; transfer-syntax={stored if as_stored else ExplicitVRLittleEndian}"
            # Without multipart only if the client named the plain type: "*/*" gets multipart, the default of DICOMweb.
            alone = len(numbers) == 1 and not wanted.multipart and wanted.media_type == media_type
            return _reply(instance, bodies, media_type, label, alone=alone)
    raise not_acceptable(f'Frames are available as {MULTIPART}; type="{_OCTETS}", or in the stored transfer syntax.')


def retrieve_bulk(instance: StoredInstance, path: str, request: Request) -> Reply:
    """Return one bulk value.

    Raises:
        ServiceError: 404: the value does not exist. 406: the client does not accept bytes.
    """
    with opened(instance) as dataset:
        value = bulk_value(dataset, path.split("/"), UID(instance.transfer_syntax))
        for wanted in accepted(request.headers.get("accept")):
            if wanted.covers(_OCTETS):
                alone = not wanted.multipart and wanted.media_type == _OCTETS
                return _reply(instance, [value], _OCTETS, _OCTETS, alone=alone)
    raise not_acceptable(f"Bulk data is available as {_OCTETS}, alone or in {MULTIPART}.")


def retrieve_rendered(instance: StoredInstance, frames: str, request: Request) -> Reply:
    """Render a frame as PNG or JPEG.

    ``viewport=width,height`` scales it to fit into a box.

    Raises:
        ServiceError: 400: a frame number or the viewport is invalid. 404: the instance has no pixel data. 406: the
            frame cannot be rendered.
    """
    # Imported late: numpy and Pillow are needed for pictures only.
    from healthcare_deid.emulator.storage.pictures import render

    media_type = next(
        (
            picture
            for wanted in accepted(request.headers.get("accept"))
            for picture in _PICTURES
            if wanted.covers(picture) and not wanted.multipart
        ),
        None,
    )
    if media_type is None:
        raise not_acceptable("Rendered images are available as image/jpeg or image/png.")
    box = _viewport(request.parameter("viewport"))
    with opened(instance) as dataset:
        number = frame_numbers(frames, dataset)[0]
        return Reply(200, {"content-type": media_type}, render(instance.path, dataset, number, media_type, box))


def _reply(
    instance: StoredInstance, bodies: Iterable[bytes | FileSlice], media_type: str, label: str, *, alone: bool
) -> Reply:
    payload = Payload(instance.path.parent)
    body = Writer(payload, media_type)
    try:
        for value in bodies:
            if not alone:
                body.begin(label)
            for chunk in [value] if isinstance(value, bytes) else chunks_of(value):
                payload.write(chunk)
        if not alone:
            body.end()
    except BaseException:
        payload.close()
        raise
    return Reply(200, {"content-type": label if alone else body.content_type}, payload=payload)


def _viewport(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    parts = text.split(",")
    sizes = [
        int(part) for part in parts[:2] if part.isascii() and part.isdigit() and len(part) < len(str(_MAX_SIDE)) + 1
    ]
    if len(sizes) != 2 or not all(0 < size <= _MAX_SIDE for size in sizes):
        raise invalid(f"viewport must be width,height, each from 1 to {_MAX_SIDE}.")
    return sizes[0], sizes[1]


def _frame_type(syntax: str) -> str:
    row = transfer_syntax(syntax)
    return _OCTETS if row is None else row.media_type
