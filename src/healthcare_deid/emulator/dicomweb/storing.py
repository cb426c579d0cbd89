"""STOW-RS: instances in, each on its own; what was stored and what was not comes back (PS3.18 section 10.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.attributes import read_header, with_preamble
from healthcare_deid.emulator.dicomweb import multipart
from healthcare_deid.emulator.dicomweb.media import accepted
from healthcare_deid.emulator.dicomweb.native import to_xml
from healthcare_deid.emulator.messages import Reply
from healthcare_deid.emulator.status import Code, ServiceError, invalid
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.emulator.attributes import InstanceHeader
    from healthcare_deid.emulator.instances import Instances
    from healthcare_deid.emulator.messages import Request

DICOM = "application/dicom"
_PROCESSING_FAILURE = 272
_OK, _SOME, _NONE = 200, 202, 409


@dataclass(frozen=True, slots=True)
class _Result:
    header: InstanceHeader | None
    problem: str = ""


def store(instances: Instances, name: str, request: Request, study: str | None) -> Reply:
    """Store every instance of a request.

    Args:
        instances: Where to.
        name: Full name of the store, which exists.
        request: One instance as ``application/dicom``, or several as ``multipart/related``.
        study: The study they must belong to, if the URL names one.

    Raises:
        ServiceError: The body as a whole cannot be read: 400, or 415 for another media type.
    """
    results = [_store_one(instances, name, body, study) for body in _bodies(request)]
    base = f"{request.base_url}/v1/{name}/dicomWeb"
    report = _report(results, base)
    failures = sum(1 for result in results if result.problem)
    status = _OK if not failures else _NONE if failures == len(results) else _SOME
    wanted = {item.media_type for item in accepted(request.headers.get("accept"))}
    if wanted & {"application/dicom+json", "application/json"}:
        return Reply.json(report, status, "application/dicom+json")
    return Reply(status, {"content-type": "application/dicom+xml"}, to_xml(report))


def store_bytes(instances: Instances, name: str, data: bytes) -> InstanceHeader:
    """Store one instance; storing the very same bytes again changes nothing.

    Raises:
        InvalidDicomError: It is not an instance.
        ServiceError: Another one is stored under its UIDs, or the store is gone.
    """
    data = with_preamble(data)
    header = read_header(data)
    _write(instances, name, data, header)
    return header


def _write(instances: Instances, name: str, data: bytes, header: InstanceHeader) -> None:
    part = instances.new_file()
    part.write_bytes(data)
    instances.add(name, part, header)


def _bodies(request: Request) -> Sequence[bytes]:
    media_type = request.media_type()
    if media_type in {DICOM, "application/octet-stream"}:
        if not request.body:
            raise invalid("The request has no body.")
        return [request.body]
    if media_type == "multipart/related":
        parts = multipart.parse(request.headers["content-type"], request.body)
        if not parts:
            raise invalid("The multipart body has no parts.")
        wrong = next((part.media_type for part in parts if part.media_type not in {DICOM, ""}), None)
        if wrong is not None:
            raise _unsupported(wrong)
        return [part.body for part in parts]
    raise _unsupported(media_type)


def _unsupported(media_type: str) -> ServiceError:
    return ServiceError(
        Code.INVALID_ARGUMENT,
        f"Unsupported media type {media_type[:80]!r}: instances are stored as application/dicom, alone or in "
        "multipart/related.",
        http=415,
    )


def _store_one(instances: Instances, name: str, data: bytes, study: str | None) -> _Result:
    data = with_preamble(data)
    try:
        header = read_header(data)
    except InvalidDicomError as error:
        return _Result(None, f"Invalid DICOM: {error}")
    if study is not None and header.key.study != study:
        return _Result(header, "The instance does not belong to the study that the request names.")
    try:
        _write(instances, name, data, header)
    except ServiceError as error:
        if error.code is not Code.ALREADY_EXISTS:
            raise
        return _Result(header, error.message)
    return _Result(header)


def _report(results: Sequence[_Result], base: str) -> dict[str, Any]:
    stored: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    studies: set[str] = set()
    for result in results:
        item: dict[str, Any] = {}
        if result.header is not None:
            key = result.header.key
            studies.add(key.study)
            if result.header.sop_class:
                item["00081150"] = _value("UI", result.header.sop_class)
            item["00081155"] = _value("UI", key.instance)
            if not result.problem:
                item["00081190"] = _value("UR", f"{base}/{key}")
        if result.problem:
            item["00081197"] = _value("US", _PROCESSING_FAILURE)
            item["00090010"] = _value("LO", "GOOGLE")
            item["00090097"] = _value("LT", result.problem)
        (failed if result.problem else stored).append(item)
    report: dict[str, Any] = {}
    if len(studies) == 1:
        report["00081190"] = _value("UR", f"{base}/studies/{studies.pop()}")
    elif studies or failed:
        report["00081190"] = _value("UR", f"{base}/studies")
    if stored:
        report["00081199"] = {"vr": "SQ", "Value": stored}
    if failed:
        report["00081198"] = {"vr": "SQ", "Value": failed}
    return report


def _value(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
