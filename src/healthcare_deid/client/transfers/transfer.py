"""`upload` and `download`: whole folders of instances into and out of a store, and a report of what happened.

A file that fails is counted, with its reason, and the rest goes on. Only a store that refuses everything stops a
transfer.
"""

from __future__ import annotations

import itertools
import os
import re
import threading
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from healthcare_deid._border import call_back
from healthcare_deid.client.drivers.session import MAXIMUM_PARALLEL
from healthcare_deid.client.protocol.arguments import callback
from healthcare_deid.client.transfers.store_response import read_answer
from healthcare_deid.errors import (
    ApiError,
    ConfigError,
    CredentialsError,
    DeidError,
    NotFound,
    PermissionDenied,
    ReplyError,
    TransferError,
    TransportError,
    Unauthenticated,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from healthcare_deid.client.transfers.dicomweb import DicomWeb

T = TypeVar("T")

Outcome = Literal["done", "conflict", "invalid", "failed", "skipped"]

_BYTES_UNDER_WAY = 256 * 2**20
_PAGE = 1000
_CONFLICT = 409
_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_UID_CHARACTERS = 64
_PREAMBLE = 128
_STUDY, _SERIES, _INSTANCE = "0020000D", "0020000E", "00080018"


@dataclass(frozen=True, slots=True)
class TransferFailure:
    """One file or instance that was not transferred. Its `repr` names none: a path can hold a patient's name."""

    item: str = field(repr=False)
    """The file's path (upload), or ``study/series/instance`` (download)."""
    kind: Outcome
    """``conflict``: an instance with these UIDs and other bytes exists. ``invalid``: not DICOM, or refused as such."""
    reason: str
    """In a few words, without data."""
    message: str = field(default="", repr=False)
    """The service's own words, if it gave any; may hold data."""


@dataclass(frozen=True, slots=True)
class TransferReport:
    """What became of an upload or a download."""

    succeeded: int = 0
    """Transferred, or already there with the same bytes."""
    conflicts: int = 0
    """Not stored: an instance with the same UIDs and other bytes exists."""
    invalid: int = 0
    """Not DICOM, or refused as invalid."""
    failed: int = 0
    """Not transferred for another reason."""
    skipped: int = 0
    """Left alone: already there (download), or a DICOMDIR (upload)."""
    bytes: int = 0
    """Of what was transferred."""
    failures: tuple[TransferFailure, ...] = ()
    """One for every conflict, invalid and failed one; told when the transfer has ended."""

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return not (self.conflicts or self.invalid or self.failed)

    def __str__(self) -> str:
        parts = [f"{self.succeeded} transferred"]
        for word in ("conflicts", "invalid", "failed", "skipped"):
            count = getattr(self, word)
            if count:
                parts.append(f"{count} {word}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class _Result:
    outcome: Outcome
    size: int = 0
    failure: TransferFailure | None = None


def upload(
    web: DicomWeb,
    paths: Any,
    *,
    parallel: Any = 8,
    on_progress: Callable[[TransferReport], object] | None = None,
) -> TransferReport:
    """Store files; see `DeidClient.upload`."""
    budget = _Budget(_BYTES_UNDER_WAY)
    return _transfer(files_of(paths), lambda path: _store(web, path, budget), parallel, on_progress)


def download(
    web: DicomWeb,
    folder: Any,
    *,
    study: str | None = None,
    overwrite: bool = False,
    parallel: Any = 8,
    on_progress: Callable[[TransferReport], object] | None = None,
) -> TransferReport:
    """Retrieve instances; see `DeidClient.download`."""
    if not isinstance(folder, str | os.PathLike):
        raise ConfigError(f"folder: a path is needed, not {type(folder).__name__}")
    if study is not None and not _is_uid(study):
        raise ConfigError("study: a Study Instance UID is needed")
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    return _transfer(
        instances_of(web, study), lambda item: _retrieve(web, item, target, overwrite=overwrite), parallel, on_progress
    )


def files_of(paths: Any) -> Iterator[Path]:
    """Yield the files that ``paths`` names: one path or many, folders with all that is in them.

    Raises:
        FileNotFoundError: A path does not exist.
    """
    given: list[Any] = [paths] if isinstance(paths, str | os.PathLike) or not isinstance(paths, Iterable) else [*paths]
    for path in given:
        if not isinstance(path, str | os.PathLike):
            raise ConfigError(f"paths: a path or several are needed, not {type(path).__name__}")
    roots = [Path(path) for path in given]
    for number, root in enumerate(roots, 1):
        if not root.exists():
            which = "the path" if len(roots) == 1 else f"path {number} of {len(roots)}"
            raise FileNotFoundError(f"upload: {which} does not exist")
    for root in roots:
        yield from sorted(path for path in root.rglob("*") if path.is_file()) if root.is_dir() else [root]


def looks_like_dicom(head: bytes) -> bool:
    """Say whether a file that begins with ``head`` can be DICOM: by its prefix, or its first group without preamble."""
    if head[_PREAMBLE : _PREAMBLE + 4] == b"DICM":
        return True
    return head[:2] in {b"\x02\x00", b"\x08\x00"} and head[3:4] == b"\x00" and len(head) > 8


def _store(web: DicomWeb, path: Path, budget: _Budget) -> _Result:
    if path.name == "DICOMDIR":
        return _Result("skipped")
    try:
        size = path.stat().st_size
        with budget.taking(size):
            content = path.read_bytes()
            if not looks_like_dicom(content[: _PREAMBLE + 16]):
                return _failure("invalid", path, "not DICOM; it was not sent")
            return _stored(web, path, content)
    except OSError as error:
        return _failure("failed", path, f"the file cannot be read ({type(error).__name__})")


def _stored(web: DicomWeb, path: Path, content: bytes) -> _Result:
    headers = {"content-type": "application/dicom", "accept": "application/dicom+json"}
    try:
        reply = web.send("POST", "/studies", body=content, headers=headers, answers=(_CONFLICT,))
    except (*_FATAL, NotFound):  # there is no such store: it will take none of the others either
        raise
    except _OF_ONE as error:
        invalid = isinstance(error, ApiError) and error.status in {400, 415, 422}
        kind: Outcome = "invalid" if invalid else "failed"
        return _failure(kind, path, str(error), getattr(error, "message", ""))
    answer = read_answer(reply.content)
    if not answer.failed and reply.status != _CONFLICT:
        return _Result("done", len(content))
    verdict = answer.verdict
    if verdict == "unknown" and answer.sop_instance_uid:
        verdict = "conflict" if _exists(web, answer.sop_instance_uid) else "invalid"
    if verdict == "conflict":
        return _failure("conflict", path, "an instance with these UIDs and other bytes exists", answer.detail)
    if verdict == "invalid":
        return _failure("invalid", path, f"refused as invalid (failure reason {answer.reason})", answer.detail)
    return _failure("failed", path, f"refused with HTTP {reply.status}", answer.detail)


def _exists(web: DicomWeb, sop_instance_uid: str) -> bool:
    if not _is_uid(sop_instance_uid):
        return False
    try:
        return bool(web.json(f"/instances?SOPInstanceUID={sop_instance_uid}&limit=1"))
    except DeidError:
        return False


def instances_of(web: DicomWeb, study: str | None) -> Iterator[tuple[str, str, str]]:
    """Yield study, series and instance UID of what is in the store, one page after the other."""
    studies = [study] if study is not None else (item[0] for item in _search(web, "/studies", (_STUDY,)))
    for uid in studies:
        if not _is_uid(uid):
            yield (uid, "", "")
            continue
        yield from _search(web, f"/studies/{uid}/instances", (_STUDY, _SERIES, _INSTANCE), study=uid)


def _search(web: DicomWeb, path: str, tags: tuple[str, ...], study: str = "") -> Iterator[Any]:
    offset = 0
    while True:
        page = web.json(f"{path}?limit={_PAGE}&offset={offset}")
        for item in page:
            yield tuple(_value(item, tag) or (study if tag == _STUDY else "") for tag in tags)
        # The store may return fewer than asked for: only an empty page is the end.
        if not page:
            return
        offset += len(page)


def _retrieve(web: DicomWeb, item: tuple[str, str, str], target: Path, *, overwrite: bool) -> _Result:
    name = "/".join(item)
    if not all(map(_is_uid, item)):
        return _failure("failed", name, "the search named an instance without usable UIDs")
    study, series, instance = item
    path = target / study / series / f"{instance}.dcm"
    if path.exists() and not overwrite:
        return _Result("skipped")
    uri = f"/studies/{study}/series/{series}/instances/{instance}"
    try:
        reply = web.send("GET", uri, headers={"accept": "application/dicom; transfer-syntax=*"})
    except _FATAL:
        raise
    except _OF_ONE as error:
        return _failure("failed", name, str(error), getattr(error, "message", ""))
    if reply.content[_PREAMBLE : _PREAMBLE + 4] != b"DICM":
        return _failure("failed", name, "the answer is not a DICOM file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, reply.content)
    except OSError as error:
        return _failure("failed", name, f"the file cannot be written ({type(error).__name__})")
    return _Result("done", len(reply.content))


def _write(path: Path, content: bytes) -> None:
    """Write beside, then rename: a file that is there is whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _transfer(
    items: Iterable[T],
    move: Callable[[T], _Result],
    parallel: Any,
    on_progress: Callable[[TransferReport], object] | None,
) -> TransferReport:
    """Move every item, some at a time, and count."""
    if not isinstance(parallel, int) or not 1 <= parallel <= MAXIMUM_PARALLEL:
        raise ConfigError(f"parallel: 1 to {MAXIMUM_PARALLEL} requests are needed")
    callback("on_progress", on_progress)
    tally = _Tally()
    refusal: DeidError | None = None
    source = iter(items)
    with ThreadPoolExecutor(parallel, thread_name_prefix="healthcare-deid-transfer") as pool:
        pending: set[Future[_Result]] = set()
        try:
            while refusal is None:
                pending.update(
                    pool.submit(move, item) for item in itertools.islice(source, 2 * parallel - len(pending))
                )
                if not pending:
                    break
                ended, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in ended:
                    refusal = tally.add(future) or refusal
                if on_progress is not None:
                    call_back(on_progress, tally.report(ended=False))
        except _FATAL as error:
            refusal = error
        finally:
            for future in pending:
                future.cancel()
    for future in pending:
        if not future.cancelled():
            tally.add(future)
    if refusal is not None:
        stopped = TransferError(f"the store refuses the transfer: {refusal}", report=tally.report())
        stopped.__cause__ = refusal
        raise stopped
    return tally.report()


_FATAL = (CredentialsError, Unauthenticated, PermissionDenied)
_OF_ONE = (ApiError, TransportError, ReplyError)
"""What one file or instance may meet while the others fare well; a closed client is none of these."""


class _Tally:
    def __init__(self) -> None:
        self._counts: dict[Outcome, int] = {}
        self._bytes = 0
        self._failures: list[TransferFailure] = []

    def add(self, future: Future[_Result]) -> DeidError | None:
        """Count one; returns the error that means the whole transfer is refused."""
        try:
            result = future.result()
        except (*_FATAL, NotFound) as error:
            return error
        self._counts[result.outcome] = self._counts.get(result.outcome, 0) + 1
        self._bytes += result.size
        if result.failure is not None:
            self._failures.append(result.failure)
        return None

    def report(self, *, ended: bool = True) -> TransferReport:
        count = self._counts
        return TransferReport(
            succeeded=count.get("done", 0),
            conflicts=count.get("conflict", 0),
            invalid=count.get("invalid", 0),
            failed=count.get("failed", 0),
            skipped=count.get("skipped", 0),
            bytes=self._bytes,
            failures=tuple(self._failures) if ended else (),
        )


class _Budget:
    """Bounds the bytes in memory; one item larger than all of it goes alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    @contextmanager
    def taking(self, size: int) -> Generator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + size <= self._limit)
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()


def _failure(kind: Outcome, item: object, reason: str, message: str = "") -> _Result:
    return _Result(kind, failure=TransferFailure(str(item), kind, reason, message))


def _value(item: dict[str, Any], tag: str) -> str:
    element = item.get(tag)
    values: Any = element.get("Value") if isinstance(element, dict) else None
    return str(values[0]) if isinstance(values, list) and values else ""


def _is_uid(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= _UID_CHARACTERS and _UID.fullmatch(text) is not None
