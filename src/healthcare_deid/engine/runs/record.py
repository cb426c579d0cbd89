"""Record of a run: one line of JSON per result, with every change and without values.

The first line is a header with the schema version and the manifest's digest; its ``result`` is null. Every other line
is about one result. If a result has several lines, the last one counts. Lists of changes, warnings and kept tags repeat
for nearly all instances of a series, so a list is written once, as ``{"id": …, "list": […]}``, and referred to by its
id afterwards. `read_record` resolves the ids.

Results are named by their new UIDs, or by the source's names if the run keeps those.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside
from healthcare_deid.engine.results import Change, PictureLook, Redaction
from healthcare_deid.engine.runs.result_claims import Recorded, RecordedResults, key_of
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from healthcare_deid.engine.results import DeidentifyResult

SCHEMA = 1
"""Version of the format, raised when an old reader could misread a new file."""
_LONGEST_HEADER = 1 << 12
_CHANGE_FIELDS = [field.name for field in fields(Change)]
_REDACTION_FIELDS = [field.name for field in fields(Redaction)]
_LOOK_FIELDS = [field.name for field in fields(PictureLook)]
_MOST_KNOWN = 1 << 14
_ALWAYS = ("source", "redactions", "warnings")
_LISTS = {"changes": "changes", "warnings": "warnings", "keptTags": "kept_tags", "creators": "creators"}
"""Lists: name in the record → name in `RecordEntry`. Records of earlier releases lack the last two."""


class Told(NamedTuple):
    """List of the record as JSON, with its id."""

    id: str
    text: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Return a list with the id derived from its content."""
        return cls(hashlib.sha256(text.encode()).hexdigest()[:16], text)


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """Line of one result with its lists kept apart, small enough to pass between processes cheaply.

    Attributes:
        result: The result's name.
        source: SHA-256 of its source.
        size: Size of the result in bytes.
        kept: Number of unchanged data elements.
        looks: Outcome for each element that holds pictures, as JSON.
        redactions: Covered rectangles as JSON.
        changes: Changes to data elements; empty text if the worker has sent the list before.
        warnings: The same for warnings.
        kept_tags: The same for the tags of attributes that were kept with a value.
        creators: The same for the source's private creators; those of makers by name.
        still_read: Lines that the second OCR still reads in the result; None if it did not look.
    """

    result: str
    source: bytes
    size: int
    kept: int
    looks: str
    redactions: str
    changes: Told
    warnings: Told
    kept_tags: Told
    creators: Told
    still_read: int | None = None

    @classmethod
    def of_line(cls, line: dict[str, Any], *, size: int, redactions: list[Any], changes: list[Any]) -> Self:
        """Return the entry of a recorded result of which only the pixels have changed.

        Args:
            line: Its line in the record.
            size: Its new size in bytes.
            redactions: All covered rectangles, as JSON values.
            changes: All changes to data elements, as JSON values.
        """
        return cls(
            line["result"],
            bytes.fromhex(line["source"]),
            size,
            line["kept"],
            _json(line["looks"]),
            _json(redactions),
            Told.of(_json(changes)),
            Told.of(_json(line["warnings"])),
            Told.of(_json(line.get("keptTags", []))),
            Told.of(_json(line.get("creators", []))),
        )


class EntryMaker:
    """Creates entries. A list that was sent before is not sent again."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._known: dict[object, tuple[Told, ...]] = {}
        """Lists by signature, which is cheaper than encoding them each time."""

    def entry(self, name: str, source: bytes, size: int, result: DeidentifyResult) -> RecordEntry:
        """Return a result's entry."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        changes, kept_tags = self._header(result)
        return RecordEntry(
            name,
            source,
            size,
            result.kept,
            _json([_fields(_LOOK_FIELDS, look) for look in result.looks]) if result.looks else "[]",
            _json([_fields(_REDACTION_FIELDS, item) for item in result.redactions]) if result.redactions else "[]",
            changes,
            self._words(result.warnings),
            kept_tags,
            self._words(result.creators),
            result.still_read,
        )

    def _header(self, result: DeidentifyResult) -> tuple[Told, ...]:
        """Return the lists of changes and of kept tags."""
        signature = result.signature()
        if signature is not None and (known := self._known.get(signature)) is not None:
            return known
        told = (
            self._once(_json([_fields(_CHANGE_FIELDS, change) for change in result.changes])),
            self._once(_json(result.kept_tags)),
        )
        if signature is not None:
            self._known[signature] = tuple(Told(one.id, "") for one in told)
        return told

    def _words(self, words: tuple[str, ...]) -> Told:
        if (known := self._known.get(words)) is not None:
            return known[0]
        told = self._once(_json(list(words)))
        self._known[words] = (Told(told.id, ""),)
        return told

    def _once(self, text: str) -> Told:
        told = Told.of(text)
        if told.id in self._told:
            return Told(told.id, "")
        self._told.add(told.id)
        return told


def _fields(names: list[str], item: object) -> dict[str, Any]:
    return {name: getattr(item, name) for name in names}


class RecordFile:
    """Record file, readable by its owner only. Existing lines are kept, except a partial last line.

    Args:
        path: The file.
        manifest: Digest of the manifest.

    Attributes:
        is_new: Whether the file did not exist before.

    Raises:
        ValueError: The file holds something else.
        OSError: It cannot be read or written.
    """

    def __init__(self, path: Path, manifest: str) -> None:
        self._path = path
        self._lists: dict[str, str] = {}
        self._defined: set[str] = set()
        self._superseded = 0
        self._lines = 0
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_ONLY)
        self._file = os.fdopen(descriptor, "r+b")
        try:
            _cut_off_end(self._file)
        except BaseException:
            self._file.close()
            raise
        self.is_new = not self._file.seek(0, os.SEEK_END)
        if self.is_new:
            self._write(_header(manifest))
        self.flush()

    def snapshot(self, path: Path) -> None:
        """Write everything recorded so far to a file for `RecordedResults`.

        Raises:
            RunRefused: A line is damaged; the record is closed.
        """
        try:
            self._superseded += RecordedResults.write(path, self._results()) < self._lines
        except BaseException:
            self._file.close()
            raise

    def _results(self) -> Iterator[tuple[bytes, Recorded]]:
        """Yield key and recorded result of every line, in order. A withdrawn result has size -1."""
        warnings: dict[str, tuple[str, ...]] = {}
        for entry in _entries(self._path):
            self._defined.update(entry[of]["id"] for of in _LISTS if isinstance(entry.get(of), dict))
            self._lines += 1
            yield key_of(entry["result"]), _recorded(entry, warnings)

    def learn(self, entry: RecordEntry) -> None:
        """Remember the lists of an entry, even if it is not written: its worker sends each list only once."""
        for told in (entry.changes, entry.warnings, entry.kept_tags, entry.creators):
            if told.text and told.id not in self._defined:
                self._lists[told.id] = told.text

    def add(self, entry: RecordEntry) -> None:
        """Write a result's line."""
        name = json.dumps(entry.result)
        lists = ",".join(self._list(of, getattr(entry, field)) for of, field in _LISTS.items())
        self._write(
            f'{{"result":{name},"source":"{entry.source.hex()}","size":{entry.size},"kept":{entry.kept},'
            f'"looks":{entry.looks},"redactions":{entry.redactions},{lists}}}\n'
        )

    def withdraw(self, name: str) -> None:
        """Withdraw the line of a result that is about to be replaced."""
        self._write(_json({"result": name, "withdrawn": True}) + "\n")
        self._superseded += 1
        self.flush()

    def supersede(self) -> None:
        """Note that a result that has a line is about to get another."""
        self._superseded += 1

    def flush(self) -> None:
        """Flush everything to the operating system, so that a killed process loses nothing."""
        self._file.flush()

    def close(self) -> None:
        """Close the file, and rewrite it without superseded lines if there are any."""
        self._file.close()
        if self._superseded:
            _compact(self._path)

    def _list(self, name: str, told: Told) -> str:
        if told.id in self._defined:
            return f'"{name}":"{told.id}"'
        self._defined.add(told.id)
        return f'"{name}":{{"id":"{told.id}","list":{self._lists.pop(told.id)}}}'

    def _write(self, line: str) -> None:
        self._file.write(line.encode("ascii"))


def read_record(path: Path) -> Iterator[dict[str, Any]]:
    """Yield every line of a record with its lists resolved, including superseded lines.

    A partial last line, of a run that was killed or is running, is left out.

    Raises:
        RunRefused: A line is damaged.
        ValueError: The file is not a record, or of another version.
        OSError: It cannot be read.
    """
    lists: dict[str, list[Any]] = {}
    for number, entry in enumerate(_entries(path), 2):
        for of in _LISTS:
            told = entry.get(of)
            if isinstance(told, dict):
                lists[told["id"]] = told["list"]
                entry[of] = told["list"]
            elif isinstance(told, str):
                if told not in lists:
                    raise _damaged(number)
                entry[of] = lists[told]
        yield entry


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines after the header as they are written, but for a partial last one.

    Raises:
        RunRefused: A line is damaged.
        ValueError: The file is not a record, or of another version.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        _check_header(file.readline())
        for number, line in enumerate(file, 2):
            if not line.endswith(b"\n"):
                return
            entry: dict[str, Any] = {}
            try:
                entry = json.loads(line.decode("ascii"))
                whole = isinstance(entry["result"], str) and (entry.get("withdrawn") or {*_ALWAYS} <= {*entry})
            except (ValueError, TypeError, KeyError, AttributeError):
                whole = False
            if not whole:
                raise _damaged(number)
            yield entry


def _damaged(number: int) -> RunRefused:
    return RunRefused(
        f"line {number} of the run's record is damaged: put back a copy of the run folder, "
        "or choose another destination"
    )


def current_results(path: Path, *, closed: bool) -> Iterator[dict[str, Any]]:
    """Yield the current line of every result.

    Args:
        path: The record.
        closed: Whether the run ended. Otherwise the record may have several lines for a result, and a partial last
            line.

    Raises:
        RunRefused: A line is damaged.
        ValueError: The file is not a record, or of another version.
        OSError: It cannot be read.
    """
    last: dict[bytes, int] = {}
    if not closed:
        last = {key_of(entry["result"]): number for number, entry in enumerate(read_record(path))}
    for number, entry in enumerate(read_record(path)):
        if not entry.get("withdrawn") and last.get(key_of(entry["result"]), number) == number:
            yield entry


def check_record(path: Path) -> None:
    """Raise ValueError if a record would overwrite another file.

    Raises:
        ValueError: The file exists and is not a record, or its folder does not exist.
    """
    if not path.parent.is_dir():
        raise ValueError("record: the folder that it is to be in does not exist")
    if path.exists() and not path.is_file():
        raise ValueError("record: what is there is no file; name another one")
    if path.exists() and path.stat().st_size:
        with path.open("rb") as file:
            _check_header(file.readline(_LONGEST_HEADER))


def copy_record(path: Path, copy: Path) -> None:
    """Copy a record atomically. Only its owner may read the copy.

    Raises:
        OSError: A file cannot be read or written.
    """
    with beside(copy, OWNER_ONLY) as descriptor, open(descriptor, "wb", closefd=False) as new, path.open("rb") as file:
        shutil.copyfileobj(file, new)


def _header(manifest: str) -> str:
    return _json({"result": None, "record": SCHEMA, "manifest": manifest}) + "\n"


def _check_header(line: bytes) -> None:
    try:
        version = json.loads(line)["record"]
    except (ValueError, KeyError, TypeError):
        raise ValueError("record: the file is there, and is no record of a run; name another one") from None
    if version != SCHEMA:
        raise ValueError(f"the record has version {version} of its form; this release reads {SCHEMA}")


def _recorded(entry: dict[str, Any], warnings: dict[str, tuple[str, ...]]) -> Recorded:
    if entry.get("withdrawn"):
        return Recorded(b"", -1)
    told: Any = entry["warnings"]
    # An empty list may have been written as one of another kind: ids tell content only.
    known = warnings.setdefault(told["id"], tuple(told["list"])) if isinstance(told, dict) else warnings.get(told, ())
    return Recorded(bytes.fromhex(entry["source"]), entry["size"], known)


def _cut_off_end(file: Any) -> None:
    """Cut off a partial last line, left by a killed process.

    Raises:
        ValueError: The file is not a record.
    """
    first = file.readline()
    if not first:
        return
    if not first.endswith(b"\n") and _header("").encode()[:20].startswith(first[:20]):
        file.truncate(0)
        file.seek(0)
        return
    _check_header(first)
    end = file.seek(0, os.SEEK_END)
    position = end
    while position:
        begin = max(0, position - (1 << 16))
        file.seek(begin)
        found = file.read(position - begin).rfind(b"\n")
        if found >= 0:
            file.truncate(begin + found + 1)
            break
        position = begin


def _compact(path: Path) -> None:
    """Keep only the last line of each result, and define each list where it is first used."""
    last = {key_of(entry["result"]): number for number, entry in enumerate(_entries(path))}
    defined: set[str] = set()
    lists: dict[str, Any] = {}
    with beside(path, OWNER_ONLY) as descriptor, open(descriptor, "wb", closefd=False) as new, path.open("rb") as file:
        new.write(file.readline())
        for number, entry in enumerate(_entries(path)):
            lists |= {told["id"]: told for of in _LISTS if isinstance(told := entry.get(of), dict)}
            if last[key_of(entry["result"])] != number or entry.get("withdrawn"):
                continue
            for of in filter(entry.__contains__, _LISTS):  # in the order in which they are read
                id_ = entry[of]["id"] if isinstance(entry[of], dict) else entry[of]
                entry[of] = id_ if id_ in defined else lists[id_]
                defined.add(id_)
            new.write(f"{_json(entry)}\n".encode("ascii"))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))  # in ASCII, because file names may not be valid text
