"""Run over a folder: in processes, in chunks, resumable, and with constant memory. No file stops the others."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from healthcare_deid._border import call_back
from healthcare_deid.engine.identity.key_folder import key_folder
from healthcare_deid.engine.pool import Pool
from healthcare_deid.engine.runs.admission import Admission
from healthcare_deid.engine.runs.dicomdir import LEFT_OUT, file_set_folder, write_file_set
from healthcare_deid.engine.runs.ends import check_apart, workers_for
from healthcare_deid.engine.runs.gate import Gate
from healthcare_deid.engine.runs.ledger import Ledger
from healthcare_deid.engine.runs.naming import NAMES, NameMap, Names, refuse_inside
from healthcare_deid.engine.runs.quarantine import Quarantine
from healthcare_deid.engine.runs.record import check_record, copy_record, current_results
from healthcare_deid.engine.runs.report_page import write_report
from healthcare_deid.engine.runs.run_folder import RECORD, REMOVED, RunFolder
from healthcare_deid.engine.runs.safe_private_use import SafePrivateUse
from healthcare_deid.engine.runs.work import Workplace, crashed, work

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from healthcare_deid.engine.results import TreeProgress, TreeReport
    from healthcare_deid.engine.runs.engine import Engine
    from healthcare_deid.engine.runs.originals import Entry, Originals
    from healthcare_deid.engine.runs.stores import Store
    from healthcare_deid.engine.runs.work import Found

_CHUNK = 32
_CHUNK_BYTES = 1 << 26
"""Maximum bytes of archive members passed to a worker at once."""
_CHUNK_WITH_PIXELS = 4
_WORTH_PROCESSES = 2000
_WORTH_PROCESSES_WITH_PIXELS = 16
"""With fewer files, starting processes takes longer than the work."""


def deidentify_tree(
    deidentifier: Engine,
    originals: Originals,
    store: Store,
    *,
    run: Path,
    workers: int | None = None,
    on_progress: Callable[[TreeProgress], object] | None = None,
    overwrite: bool = False,
    adopt: bool = False,
    strict: bool = False,
    names: Names = "uid",
    name_map: Path | None = None,
    record: Path | None = None,
    admit: Admission | Path | None = None,
    quarantine: Path | None = None,
    dicomdir: bool = False,
    command: str,
) -> TreeReport:
    """De-identify a folder (see `Deidentifier.deidentify_tree`)."""
    if names not in NAMES:
        raise ValueError(f"names is one of {', '.join(NAMES)}")
    workers = workers_for(originals, store, workers)
    admission = Admission.from_file(admit) if isinstance(admit, Path) else admit
    check_apart(originals, store)
    file_set = file_set_folder(store.folder) if dicomdir else None
    beside = {"run": run, "name_map": name_map, "record": record, "quarantine": quarantine, "dicomdir": file_set}
    for argument, path in beside.items():
        if path is not None:
            refuse_inside(argument, path, originals.folder, store.folder)
    if deidentifier.needs_secret and deidentifier.options.secret is None:
        refuse_inside("the key folder", key_folder(), originals.folder, store.folder)
    if quarantine is not None and quarantine.resolve().is_relative_to(run.resolve()):
        raise ValueError("quarantine is inside the run folder, which holds no originals: name a folder beside it")
    ward = Quarantine(quarantine) if quarantine is not None else None
    if record is not None:
        check_record(record)
    store.begin(run, names)
    with ExitStack() as held:
        folder = held.enter_context(RunFolder(run, store, command))
        map_ = held.enter_context(closing(NameMap(name_map))) if name_map is not None else None
        rules = {} if admission is None else {"admit": admission.described()}
        folder.begin(deidentifier, overwrite=overwrite, adopt=adopt, names=names, **rules)
        ledger = Ledger(
            store, folder.record, folder.recorded, names=names, name_map=map_, again=overwrite, strict=strict
        )
        place = Workplace(
            folder.deidentifier,
            originals,
            store,
            names=names,
            overwrite=overwrite,
            recorded=folder.recorded_file,
            gate=None if admission is None else Gate(admission),
        )
        held.callback(place.close)
        state = "interrupted"
        try:
            _Run(place, originals, ledger, on_progress, folder.inherited).run(workers, deidentifier.looks_at_pixels)
            state = "complete"
        finally:
            store.clean()  # files of workers that died
            ledger.close()
            try:
                if state == "complete":
                    ledger.warn(REMOVED, folder.remove_superseded())
                    ledger.unmatched = _unmatched(deidentifier.options.safe_private, run / RECORD)
                    if file_set is not None and store.folder is not None:
                        ledger.warn(LEFT_OUT, write_file_set(store.folder, folder.results(), file_set))
            finally:
                report = ledger.report(run)
                folder.end(report, state=state)
            write_report(run)
            if ward is not None and state == "complete":
                ward.fill(originals, report.failures)
            if record is not None:
                copy_record(run / RECORD, record)
    return report


class _Run:
    """One pass over the source."""

    def __init__(
        self,
        place: Workplace,
        source: Originals,
        ledger: Ledger,
        on_progress: Callable[[TreeProgress], object] | None,
        inherited: tuple[int, ...],
    ) -> None:
        self._place = place
        self._source = source
        self._ledger = ledger
        self._on_progress = on_progress
        self._inherited = inherited
        self._total = source.count()

    def run(self, workers: int | None, with_pixels: bool) -> None:
        """Process every entry, in this process or in several."""
        count = workers or os.cpu_count() or 1
        size = _CHUNK_WITH_PIXELS if with_pixels else _CHUNK
        worth = _WORTH_PROCESSES_WITH_PIXELS if with_pixels else _WORTH_PROCESSES
        chunks = _chunks(self._source.entries(), size)
        if count == 1 or (workers is None and self._total is not None and self._total < worth):
            for chunk in chunks:
                self._settle(work(self._place, chunk))
                self._tell()
        else:
            pool = Pool(work, self._place, crashed, settle=self._settle, inherited=self._inherited)
            for _ in pool.run(chunks, count):
                self._tell()

    def _settle(self, found: list[Found]) -> None:
        for item in found:
            self._ledger.settle(item)
        self._ledger.flush()

    def _tell(self) -> None:
        if self._on_progress is not None:
            call_back(self._on_progress, self._ledger.progress(self._total))


def _unmatched(entries: Collection[str], record: Path) -> tuple[str, ...]:
    """Return the entries of ``safe_private`` that fit no element of any recorded result. The record must be closed."""
    use = SafePrivateUse(entries)
    if entries:
        for line in current_results(record, closed=True):
            use.take(line)
    return use.unmatched()


def _chunks(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    chunk: list[Entry] = []
    held = 0
    for entry in entries:
        chunk.append(entry)
        held += len(entry.data or b"")
        if len(chunk) == size or held > _CHUNK_BYTES:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk
