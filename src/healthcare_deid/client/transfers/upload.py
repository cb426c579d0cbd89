"""`upload`: store DICOM files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from healthcare_deid.client.transfers.byte_budget import ByteBudget
from healthcare_deid.client.transfers.identifiers import is_uid
from healthcare_deid.client.transfers.report import ItemResult, Outcome, TransferReport, failure
from healthcare_deid.client.transfers.runner import OF_ONE, REFUSED, transfer
from healthcare_deid.client.transfers.store_response import read_answer
from healthcare_deid.errors import ApiError, ConfigError, DeidError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from healthcare_deid.client.transfers.dicomweb import DicomWeb

# A request holds its file in memory: 20 parallel uploads of 1 GiB each would not fit.
_BYTES_IN_MEMORY = 256 * 2**20
_CONFLICT = 409
_INVALID = frozenset({400, 415, 422})
PREAMBLE = 128
"""Bytes before the prefix ``DICM`` (PS3.10 Section 7.1)."""


def upload(
    web: DicomWeb,
    paths: Any,
    *,
    parallel: Any = 8,
    on_progress: Callable[[TransferReport], object] | None = None,
    stop: threading.Event | None = None,
) -> TransferReport:
    """Store files; see `DeidClient.upload`."""
    budget = ByteBudget(_BYTES_IN_MEMORY)
    return transfer(
        [*files_of(paths)],
        lambda path: _store(web, path, budget),
        parallel=parallel,
        on_progress=on_progress,
        stop=stop,
    )


def files_of(paths: Any) -> Iterator[Path]:
    """Yield the files of one or more paths, directories recursively.

    Raises:
        FileNotFoundError: A path does not exist.
    """
    given: list[Any] = [paths] if isinstance(paths, str | os.PathLike) or not isinstance(paths, Iterable) else [*paths]
    for path in given:
        if not isinstance(path, str | os.PathLike):
            raise ConfigError(f"paths: must be one or more paths, not {type(path).__name__}")
    roots = [Path(path) for path in given]
    for number, root in enumerate(roots, 1):
        if not root.exists():
            # By number: the path itself may contain a patient's name.
            which = "the path" if len(roots) == 1 else f"path {number} of {len(roots)}"
            raise FileNotFoundError(f"upload: {which} does not exist")
    for root in roots:
        yield from sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]


def looks_like_dicom(head: bytes) -> bool:
    """Return whether a file that starts with *head* may be DICOM.

    Files without a preamble count too.
    """
    if head[PREAMBLE : PREAMBLE + 4] == b"DICM":
        return True
    # Files from before PS3.10 have no preamble and start with an element of group 0002 or 0008, little endian.
    return head[:2] in {b"\x02\x00", b"\x08\x00"} and head[3:4] == b"\x00" and len(head) > 8


def _store(web: DicomWeb, path: Path, budget: ByteBudget) -> ItemResult:
    # A DICOMDIR is the index of a file-set on media, not an instance (PS3.10 section 8.6).
    if path.name == "DICOMDIR":
        return ItemResult("skipped")
    try:
        size = path.stat().st_size
        with budget.taking(size):
            content = path.read_bytes()
            if not looks_like_dicom(content[: PREAMBLE + 16]):
                return failure("invalid", path, "not a DICOM file; it was not sent")
            return _sent(web, path, content)
    except OSError as error:
        return failure("failed", path, f"the file cannot be read ({type(error).__name__})")


def _sent(web: DicomWeb, path: Path, content: bytes) -> ItemResult:
    headers = {"content-type": "application/dicom", "accept": "application/dicom+json"}
    try:
        reply = web.send("POST", "/studies", body=content, headers=headers, answers=(_CONFLICT,))
    except REFUSED:
        raise
    except OF_ONE as error:
        kind: Outcome = "invalid" if isinstance(error, ApiError) and error.status in _INVALID else "failed"
        return failure(kind, path, str(error), getattr(error, "message", ""))
    answer = read_answer(reply.content)
    # HTTP 200 alone proves nothing, because a proxy's page has it too.
    if answer.stored and reply.status != _CONFLICT:
        return ItemResult("done", len(content))
    verdict = answer.verdict
    # HTTP 409 without a known reason: if the store has the instance, it is a conflict.
    if verdict == "unknown" and answer.sop_instance_uid:
        verdict = "conflict" if _exists(web, answer.sop_instance_uid) else "invalid"
    if verdict == "conflict":
        return failure("conflict", path, "an instance with the same UIDs but different bytes exists", answer.detail)
    if verdict == "invalid":
        return failure("invalid", path, f"rejected as invalid (failure reason {answer.reason})", answer.detail)
    if not answer.failed and reply.status != _CONFLICT:
        return failure("failed", path, "the reply does not say whether the instance was stored")
    return failure("failed", path, f"rejected with HTTP {reply.status}", answer.detail)


def _exists(web: DicomWeb, sop_instance_uid: str) -> bool:
    if not is_uid(sop_instance_uid):
        return False
    try:
        return bool(web.json(f"/instances?SOPInstanceUID={sop_instance_uid}&limit=1"))
    except DeidError:
        return False
