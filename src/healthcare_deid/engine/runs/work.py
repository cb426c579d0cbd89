"""Work of a run's workers: read an original, name and stage its result, and report what was found."""

from __future__ import annotations

import os
from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from healthcare_deid.engine.dicom.sinks import PartSink
from healthcare_deid.engine.dicom.sources import InMemory, opened_source
from healthcare_deid.engine.header.fast.encoded_file import encoded_file
from healthcare_deid.engine.results import Failure
from healthcare_deid.engine.runs.archives import is_archive
from healthcare_deid.engine.runs.naming import DIRECTORY_LEFT_OUT
from healthcare_deid.engine.runs.originals import Trouble, result_name
from healthcare_deid.engine.runs.record import EntryMaker
from healthcare_deid.engine.runs.result_claims import RecordedResults, key_of
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.engine.dicom.sources import Source
    from healthcare_deid.engine.runs.engine import Engine
    from healthcare_deid.engine.runs.gate import Gate
    from healthcare_deid.engine.runs.naming import Names
    from healthcare_deid.engine.runs.originals import Entry, Originals
    from healthcare_deid.engine.runs.record import RecordEntry
    from healthcare_deid.engine.runs.stores import Store

_DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
_SMALL = 1 << 20
"""Files up to this many bytes are read at once."""
CRASHED = Trouble(
    "crashed", "the process that worked on this file died: the file makes a decoder crash, or memory ran out"
)

_NESTED = Trouble("not-dicom", "an archive among the files was not read: name it as a source of its own", ignored=True)
_BAD_NAME = Trouble(
    "bad-name", "the name leads out of the folder of results, or is that of a half-written file: give results new UIDs"
)


class Found(NamedTuple):
    """Outcome of one entry, small enough to pass from a worker to the main process cheaply.

    Attributes:
        source: The entry's name.
        trouble: Reason why there is no result, or None.
        refused: Rule that refuses it, or an empty text.
        result: The result's name.
        digest: SHA-256 of the entry.
        staged: Path of the staged result; None if the result exists from an earlier run.
        record: Entry for the record.
        warnings: Warnings of the result.
    """

    source: str
    trouble: Trouble | None = None
    refused: str = ""
    result: str = ""
    digest: bytes = b""
    staged: Path | None = None
    record: RecordEntry | None = None
    warnings: tuple[str, ...] = ()


class Workplace:
    """Everything a worker needs, pickled to each of them once.

    Args:
        deidentifier: The deidentifier.
        source: The originals.
        store: The results.
        names: Naming of results.
        overwrite: Whether to create existing results again.
        recorded: File of recorded results, or None.
        gate: Decides what may leave; None if everything may.
    """

    def __init__(
        self,
        deidentifier: Engine,
        source: Originals,
        store: Store,
        *,
        names: Names,
        overwrite: bool,
        recorded: Path | None,
        gate: Gate | None = None,
    ) -> None:
        self._deidentifier = deidentifier
        self._source = source
        self._store = store
        self._names = names
        self._overwrite = overwrite
        self._recorded = recorded
        self._gate = gate
        self._run = os.getpid()
        self._begin()

    def _begin(self) -> None:
        self._maker = EntryMaker()
        self._results = RecordedResults(self._recorded) if self._recorded is not None else None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_maker", "_results")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def close(self) -> None:
        """Close the file of recorded results."""
        if self._results is not None:
            self._results.close()

    def is_orphaned(self) -> bool:
        """Return whether the run's main process has ended."""
        return os.name == "posix" and self._run not in (os.getpid(), os.getppid())

    def find(self, entry: Entry) -> Found:
        """Stage an entry's result. Errors are returned as trouble."""
        if entry.trouble is not None:
            return Found(entry.name, entry.trouble)
        try:
            with self._source.opened(entry) as path:
                return guarded(partial(self._find, entry.name, path))
        except (EngineError, OSError, MemoryError) as error:
            failure = Failure.of(entry.name, error)
        if failure.reason == "not-dicom" and is_archive(PurePosixPath(entry.name)):
            return Found(entry.name, _NESTED, digest=b"")
        foreign = failure.reason == "not-dicom" and not entry.name.lower().endswith(_DICOM_SUFFIXES)
        trouble = Trouble(failure.reason, failure.text, ignored=foreign)
        return Found(entry.name, trouble, digest=b"" if trouble.ignored else self._digest(entry))

    def _digest(self, entry: Entry) -> bytes:
        """Return the digest of a failed entry, or empty bytes if it cannot be read."""
        try:
            with self._source.opened(entry) as path, opened_source(path) as file:
                return file.sha256()
        except (EngineError, OSError, MemoryError):
            return b""

    def _find(self, source: str, path: Path) -> Found:
        if self._names == "source" and result_name(source) is None:
            return Found(source, _BAD_NAME)
        with opened_source(path) as file:
            # A small file is read once, for its name, its digest and its result.
            return self._make(source, InMemory(file.read(0, file.size)) if file.size <= _SMALL else file)

    def _make(self, source: str, original: Source) -> Found:
        instances = self._deidentifier.instances
        file = encoded_file(original)
        name = result_name(source) if self._names == "source" else instances.result_name(original, file)
        if name is None:
            return Found(source, Trouble("dicomdir", DIRECTORY_LEFT_OUT, ignored=True))
        if self._gate is not None and (rule := self._gate.refusal(original, file)) is not None:
            return Found(source, refused=rule)
        digest = original.sha256()
        if not self._overwrite and self._is_there(name, digest):
            return Found(source, result=name, digest=digest)
        staged = self._store.stage(name)
        try:
            result = instances.encode(original, PartSink(staged), file)
            entry = self._maker.entry(name, digest, staged.stat().st_size, result)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        return Found(source, result=name, digest=digest, staged=staged, record=entry, warnings=result.warnings)

    def _is_there(self, name: str, digest: bytes) -> bool:
        known = self._results.get(key_of(name)) if self._results is not None else None
        return known is not None and known.digest == digest and self._store.has(name, known.size)


def crashed(entry: Entry) -> Found:
    """Return the finding for an entry that kills its worker process."""
    return Found(entry.name, CRASHED)


def work(place: Workplace, entries: list[Entry]) -> list[Found]:
    """Stage the results of a few entries."""
    found: list[Found] = []
    for entry in entries:
        if place.is_orphaned():
            break
        found.append(place.find(entry))
    return found
