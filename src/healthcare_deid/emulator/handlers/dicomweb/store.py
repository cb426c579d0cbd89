"""STOW-RS: stores instances and reports on each.

Source: PS3.18 section 10.5.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthcare_deid.emulator.errors import ServiceError, StatusCode, invalid
from healthcare_deid.emulator.handlers.dicomweb.native_xml import to_xml
from healthcare_deid.emulator.http import multipart
from healthcare_deid.emulator.http.accept import accepted
from healthcare_deid.emulator.http.payload import chunks_of
from healthcare_deid.emulator.http.reply import Reply
from healthcare_deid.emulator.storage.editing import from_json
from healthcare_deid.emulator.storage.header import completed, read_header
from healthcare_deid.errors import InvalidDicomError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from healthcare_deid.emulator.http.request import Request
    from healthcare_deid.emulator.storage.header import InstanceHeader, InstanceKey
    from healthcare_deid.emulator.storage.instances import Instances, NewFile

DICOM, DICOM_JSON = "application/dicom", "application/dicom+json"
_BULK_TYPES = frozenset({"image/jpeg", "application/octet-stream"})
# Metadata and its bulk data are assembled in memory.
_MAX_BULK_BYTES = 512 << 20
_PROCESSING_FAILURE = 272  # 0x0110
# All, some or none of the instances stored (fidelity F-28).
_OK, _SOME, _NONE = 200, 202, 409
# Instances per transaction: a commit waits for the disk, and a long one blocks other writers.
_BATCH = 64


@dataclass(frozen=True, slots=True)
class _StoreOutcome:
    key: InstanceKey | None = None
    sop_class: str = ""
    problem: str = ""


def store(instances: Instances, name: str, request: Request, study: str | None, *, replace: bool = False) -> Reply:
    """Store all instances of a request.

    Args:
        instances: Instances of all stores.
        name: Full name of an existing store.
        request: Request with one instance as ``application/dicom``, or with several as ``multipart/related``. The
            latter can also be metadata in DICOM JSON with JPEG streams and other bulk data.
        study: Study in the URL, which all instances must belong to.
        replace: Whether to replace instances with the same UIDs.

    Raises:
        ServiceError: 400: the body is malformed. 415: the media type is not supported.
    """
    files: list[NewFile] = []
    results: list[_StoreOutcome] = []
    try:
        # All files are written before the first is indexed, so a malformed body stores nothing.
        files.extend(instances.write(completed(chunks)) for chunks in _bodies(request))
        for start in range(0, len(files), _BATCH):
            results += _store_some(instances, name, files[start : start + _BATCH], study, replace=replace)
    finally:
        # Files of stored instances have been moved. The ones left were rejected.
        for file in files:
            file.path.unlink(missing_ok=True)
    base = f"{request.base_url}/v1/{name}/dicomWeb"
    report = _report(results, base)
    failures = sum(1 for result in results if result.problem)
    status = _OK if not failures else _NONE if failures == len(results) else _SOME
    wanted = {item.media_type for item in accepted(request.headers.get("accept"))}
    if wanted & {DICOM_JSON, "application/json"}:
        return Reply.json(report, status, DICOM_JSON)
    return Reply(status, {"content-type": "application/dicom+xml"}, to_xml(report))


def _bodies(request: Request) -> Iterator[Iterable[bytes]]:
    media_type = request.media_type()
    if media_type in {DICOM, "application/octet-stream"}:
        if not request.size:
            raise invalid("The request has no body.")
        yield chunks_of(request.open())
        return
    if media_type != "multipart/related":
        raise _unsupported(media_type)
    part = None
    parts = multipart.read(request.headers["content-type"], request.open())
    for part in parts:
        if part.media_type == DICOM_JSON:
            yield from _from_metadata(part, parts)
            continue
        if part.media_type not in {DICOM, ""}:
            raise _unsupported(part.media_type)
        yield part.chunks
    if part is None:
        raise invalid("The multipart body has no parts.")


def _from_metadata(part: multipart.Part, parts: Iterator[multipart.Part]) -> Iterator[Iterable[bytes]]:
    """Yield instances made of a metadata part and the bulk data parts after it.

    Source: PS3.18 section 8.6.1.3.
    """
    listed = _json(_whole(part))
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise invalid("The metadata must be a list of instances in DICOM JSON.")
    bulk: dict[str, bytes] = {}
    for following in parts:
        if following.media_type not in _BULK_TYPES:
            raise _unsupported(following.media_type)
        bulk[following.headers.get("content-location", "")] = _whole(following)
    for item in listed:
        yield [from_json(item, bulk)]


def _whole(part: multipart.Part) -> bytes:
    made = bytearray()
    for chunk in part.chunks:
        made += chunk
        if len(made) > _MAX_BULK_BYTES:
            raise invalid(f"A bulk data part must not exceed {_MAX_BULK_BYTES} bytes.")
    return bytes(made)


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise invalid("The metadata is not JSON.") from None


def _unsupported(media_type: str) -> ServiceError:
    return ServiceError(
        StatusCode.INVALID_ARGUMENT,
        f"Unsupported media type {media_type[:80]!r}: send application/dicom, alone or in multipart/related, or "
        "application/dicom+json with image/jpeg in multipart/related.",
        http=415,
    )


def _store_some(
    instances: Instances, name: str, files: Sequence[NewFile], study: str | None, *, replace: bool
) -> list[_StoreOutcome]:
    """Store the valid files of a batch in one transaction."""
    results: list[_StoreOutcome] = []
    good: list[tuple[NewFile, InstanceHeader]] = []
    for file in files:
        try:
            header = read_header(file.path)
        except InvalidDicomError as error:
            results.append(_StoreOutcome(problem=f"Invalid DICOM: {error}"))
            continue
        result = _StoreOutcome(header.key, header.sop_class)
        if study is not None and header.key.study != study:
            problem = "The instance does not belong to the study in the URL."
            results.append(dataclasses.replace(result, problem=problem))
            continue
        results.append(result)
        good.append((file, header))
    refusals = iter(instances.add(name, good, replace=replace))
    return [
        result
        if result.problem or (refusal := next(refusals)) is None
        else dataclasses.replace(result, problem=refusal.message)
        for result in results
    ]


def _report(results: Sequence[_StoreOutcome], base: str) -> dict[str, Any]:
    stored: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    studies: set[str] = set()
    for result in results:
        item: dict[str, Any] = {}
        if result.key is not None:
            studies.add(result.key.study)
            if result.sop_class:
                item["00081150"] = _value("UI", result.sop_class)
            item["00081155"] = _value("UI", result.key.instance)
            if not result.problem:
                item["00081190"] = _value("UR", f"{base}/{result.key}")
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
