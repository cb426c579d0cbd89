"""Scores results of the MIDI-B-like set, action by action.

A planted item is left if one of its forms stands in its element of the result. The whole file is searched besides, as
bytes in every encoding and as decoded text: what stands anywhere else counts once for each form.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pydicom
from midi_key import Instance, Planted, text_of
from pydicom.dataset import Dataset

if TYPE_CHECKING:
    from collections.abc import Iterator

CODECS: Final = ("utf-8", "gb18030", "shift_jis", "euc_kr", "iso8859_5", "cp1251", "latin-1")
"""Encodings in which a name is looked for in the bytes."""
DATES: Final = ("DA", "DT", "TM")
_STEP: Final = re.compile(r"(\w+)(?:\[(\d+)\])?")
_PRIVATE: Final = re.compile(r"x[0-9a-f]{8}")


@dataclass(frozen=True)
class Miss:
    """One item of the key that a result does not satisfy; ``left`` is the element as it came out."""

    action: str
    kind: str
    instance: str
    path: str
    wanted: str
    left: str


@dataclass
class Tally:
    """Score of a set of results against its key.

    Attributes:
        done: Satisfied items by action and kind.
        asked: All items by action and kind.
        misses: The others.
        refused: Instances that the engine gave no result for: nothing left of them, and nothing kept.
    """

    done: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    asked: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    misses: list[Miss] = field(default_factory=list[Miss])
    refused: int = 0

    def count(self, satisfied: bool, miss: Miss) -> None:
        """Count one item; *miss* describes it in case it is not satisfied."""
        self.asked[miss.action, miss.kind] += 1
        if satisfied:
            self.done[miss.action, miss.kind] += 1
        else:
            self.misses.append(miss)

    def actions(self) -> list[str]:
        """Return the actions in the order in which they were first counted."""
        return list(dict.fromkeys(action for action, _ in self.asked))

    def of(self, *actions: str) -> tuple[int, int]:
        """Return how many items of some actions are satisfied, and how many there are."""
        done = sum(number for (action, _), number in self.done.items() if action in actions)
        return done, sum(number for (action, _), number in self.asked.items() if action in actions)

    def part(self, *actions: str) -> float:
        """Return the part of the items of some actions that is satisfied."""
        done, asked = self.of(*actions)
        return done / max(1, asked)


class Scorer:
    """Collects results, one instance after another; ``tally()`` ends it."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._offsets: defaultdict[str, Counter[int]] = defaultdict(Counter[int])
        self._dates: list[tuple[str, int | None, Miss]] = []
        self._uids: defaultdict[str, set[str]] = defaultdict(set[str])
        self._patients: defaultdict[str, set[str]] = defaultdict(set[str])

    def add(self, instance: Instance, result: bytes | None) -> None:
        """Score one result; None if the engine refused the instance."""
        if result is None:
            self._tally.refused += 1
        source = read(instance.data)
        dataset = read(result) if result is not None else Dataset()
        self._removed(instance, dataset, result or b"")
        for kept in instance.kept:
            now = folded(element_text(dataset, kept.path))
            self._count("text_retained", kept.kind, instance, kept.path, kept.text, now, folded(kept.text) in now)
        for kept in instance.technical:
            was, now = element_text(source, kept.path), element_text(dataset, kept.path)
            self._count("tag_retained", kept.kind, instance, kept.path, was, now, was == now)
        for path in instance.not_null:
            now = element_text(dataset, path)
            self._count("text_notnull", path.split(".")[-1], instance, path, "", now, bool(now.strip()))
        if instance.pixels:
            same = bytes(dataset.get("PixelData", b"")) == instance.pixels
            self._count("pixels_retained", instance.modality, instance, "PixelData", "", "", same)
        if result is not None:
            self._dates_of(instance, dataset)
            self._uids_of(instance, dataset)

    def tally(self) -> Tally:
        """Return the counts, those included that only the whole set shows."""
        usual = {patient: offsets.most_common(1)[0][0] for patient, offsets in self._offsets.items()}
        for patient, offset, miss in self._dates:
            self._tally.count(bool(offset) and offset == usual[patient], miss)
        taken = Counter(new for news in self._uids.values() for new in news)
        for old, news in self._uids.items():
            single = len(news) == 1 and all(taken[new] == 1 for new in news)
            self._tally.count(single, Miss("uid_consistent", "UID", "", "", old, " ".join(sorted(news))))
        for old, news in self._patients.items():
            fine = len(news) == 1 and old not in news
            self._tally.count(fine, Miss("patid_consistent", "PatientID", "", "", old, " ".join(sorted(news))))
        return self._tally

    def _count(
        self, action: str, kind: str, instance: Instance, path: str, wanted: str, left: str, satisfied: bool
    ) -> None:
        self._tally.count(satisfied, Miss(action, kind, instance.name, path, wanted, left))

    def _removed(self, instance: Instance, dataset: Dataset, data: bytes) -> None:
        """Score planted items: in their elements, then anywhere."""
        left = [item for item in instance.planted if is_left(item, element_text(dataset, item.path))]
        # What is left in an element of the key counts there, and not again for every item of the same name.
        counted = {element_text(dataset, item.path) for item in left}
        texts = "\n".join(text for text in element_texts(dataset) if text not in counted)
        raw = without(data, counted).decode("latin-1")
        known: set[tuple[str, str]] = set()
        for item in instance.planted:
            where = element_text(dataset, item.path)
            gone = item not in left
            if gone and not item.value.own_element:
                here = [
                    form
                    for form in item.value.forms
                    if form not in known
                    and (found(form, texts) or (not item.value.date and found(form, raw, raw=True)))
                ]
                known.update(here)
                gone, where = not here, f"(elsewhere in the file) {where}"
            action = "header_removed" if item.kind.startswith("header") else "text_removed"
            self._count(action, item.kind, instance, item.path, item.value.text, where, gone)

    def _dates_of(self, instance: Instance, dataset: Dataset) -> None:
        key = instance.patient.patient_id
        for path, was in instance.dates:
            now = element_text(dataset, path)
            offset = days_between(was, now)
            if offset:
                self._offsets[key][offset] += 1
            keyword = path.split(".")[-1]
            self._offsets[key].setdefault(0, 0)
            self._dates.append((key, offset, Miss("date_shifted", keyword, instance.name, path, was, now)))

    def _uids_of(self, instance: Instance, dataset: Dataset) -> None:
        for path, was in instance.uids:
            now = element_text(dataset, path)
            self._count("uid_changed", path.split(".")[-1], instance, path, was, now, bool(now) and now != was)
            if now:
                self._uids[was].add(now)
        self._patients[instance.patient.patient_id].add(element_text(dataset, "PatientID"))


def read(data: bytes) -> Dataset:
    """Return the dataset of a file, whatever its values are like."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(io.BytesIO(data), force=True)


def folded(text: str) -> str:
    """Return a text with single spaces."""
    return " ".join(text.split())


def element_text(dataset: Dataset, path: str) -> str:
    """Return the text of the element at a path; empty if there is none."""
    owner = dataset
    *way, last = path.split(".")
    for step in way:
        match = _STEP.fullmatch(step)
        assert match is not None
        items = owner.get(match[1]) or []
        index = int(match[2] or 0)
        if len(items) <= index:
            return ""
        owner = items[index]
    tag = int(last[1:], 16) if _PRIVATE.fullmatch(last) else last
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if tag not in owner:
            return ""
        value = owner[tag].value
    return value.decode("latin-1").rstrip(" \0") if isinstance(value, bytes) else text_of(value)


def element_texts(dataset: Dataset) -> Iterator[str]:
    """Yield the texts of all elements but dates, times and binary ones, at any depth."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for element in dataset:
            if element.VR == "SQ":
                for item in element.value:
                    yield from element_texts(item)
            elif element.VR not in DATES and not isinstance(element.value, bytes):
                yield text_of(element.value)


def without(data: bytes, texts: set[str]) -> bytes:
    """Return a file's bytes without some texts, whatever their encoding."""
    for text in texts:
        for codec in CODECS:
            try:
                data = data.replace(text.encode(codec), b"")
            except UnicodeEncodeError:
                continue
    return data


def is_left(item: Planted, text: str) -> bool:
    """Return whether a planted item still stands in a text."""
    return bool(text) and any(found(form, text) for form in item.value.forms)


def found(form: tuple[str, str], text: str, *, raw: bool = False) -> bool:
    """Return whether a form stands in a text, in any encoding.

    Args:
        form: What is looked for.
        text: Where.
        raw: The text is bytes read as Latin-1, where what is no ASCII letter ends a word: it may be a tag.
    """
    kind, wanted = form
    spelled = [wanted]
    if not wanted.isascii():
        for codec in CODECS:
            try:
                spelled.append(wanted.encode(codec).decode("latin-1"))
            except UnicodeEncodeError:
                continue
        # Between its escape sequences ISO 2022 writes kanji as two letters each.
        with contextlib.suppress(UnicodeEncodeError):
            spelled.append(wanted.encode("iso2022_jp").replace(b"\x1b$B", b"").replace(b"\x1b(B", b"").decode("ascii"))
    return any(_pattern(kind, spelling, raw=raw).search(text) for spelling in dict.fromkeys(spelled))


def _pattern(kind: str, wanted: str, *, raw: bool) -> re.Pattern[str]:
    flags = re.IGNORECASE | (re.ASCII if raw else re.NOFLAG)
    words = r"[\s^,._-]+".join(re.escape(word) for word in wanted.split())
    match kind:
        case "word" | "loose":
            return re.compile(rf"(?<![^\W\d_]){words}(?![^\W\d_])", flags)
        case "digits":
            return re.compile(r"(?<!\d)0*" + r"[\s().\-/]{0,2}".join(wanted.lstrip("0")) + r"(?!\d)")
        case "part":
            return re.compile(re.escape(wanted), flags)
        case _:
            return re.compile(rf"(?<![^\W_]){re.escape(wanted)}(?![^\W_])", flags)


def days_between(was: str, now: str) -> int | None:
    """Return by how many days a date was shifted; None if it is no date any more."""
    try:
        before, after = (dt.datetime.strptime(text[:8], "%Y%m%d").replace(tzinfo=dt.UTC) for text in (was, now))
    except ValueError:
        return None
    return (after - before).days


__all__ = ["Miss", "Scorer", "Tally", "element_text", "found", "is_left", "read"]
