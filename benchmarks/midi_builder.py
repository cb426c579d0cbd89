"""Builds one instance of the MIDI-B-like set and writes down its key."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

from midi_common import common
from midi_key import Instance, Kept, Planted, text_of
from midi_makers import MAKERS
from midi_modalities import modality_part
from midi_values import Value, World, new_uid
from midi_words import Half, Phrases, half_of, sections, words_of
from pydicom import config as pydicom_config
from pydicom import dcmwrite
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

if TYPE_CHECKING:
    import datetime as dt
    import random

    from midi_people import Patient
    from midi_values import FormKind

ROOM: Final = {"SH": 16, "LO": 64, "ST": 320, "LT": 420, "UT": 480, "UC": 90}
SPECIAL: Final = ("device-operator", "device-hospital")
"""Kinds that only whole values of device attributes hold."""
OWN: Final = ("patient-caret", "patient-first-last", "patient-last-first", "patient-capitals", "patient-id")
"""Kinds that come up twice as often: what the header holds, which is what real texts repeat."""
NEEDS_CUE: Final = ("patient-first-last", "patient-initials", "patient-family")
"""Kinds that name a patient whose name is everyday words only with a cue."""
_STEP: Final = re.compile(r"(\w+)(?:\[(\d+)\])?")


class Deal:
    """Deals kinds of planted items, so that every kind comes up about as often as the others."""

    def __init__(self, rng: random.Random, half: Half) -> None:
        self._rng = rng
        self._half = half
        self._frames: dict[str, tuple[list[str], list[str]]] = {}
        for heading, lines in sections("midi_identity.txt").items():
            kind, makers = (part.strip() for part in heading.split("|"))
            self._frames[kind] = half_of(lines, half), makers.split()
        self._queue: list[str] = []

    def draw(self, world: World, room: int) -> tuple[str, str, Value] | None:
        """Return the next kind that fits, its text with what stands around it, and its value."""
        if len(self._queue) < len(self._frames) // 2:
            more = [kind for kind in (*self._frames, *OWN) if kind not in SPECIAL]
            self._rng.shuffle(more)
            self._queue.extend(more)
        for position, kind in enumerate(self._queue):
            made = self.make(kind, world, room)
            if made:
                del self._queue[position]
                return kind, *made
        return None

    def make(self, kind: str, world: World, room: int) -> tuple[str, Value] | None:
        """Return an item of a kind with what stands around it; None if it does not fit."""
        frames, makers = self._frames[kind]
        for _ in range(3):
            maker = self._rng.choice(makers)
            value = MAKERS[maker](world)
            frame = self._rng.choice(frames)
            if value is None or (frame == "{}" and world.patient.cued_only and kind in NEEDS_CUE):
                continue
            text = frame.format(value.text)
            if len(text) <= room and encodable(text, world.patient, kind):
                return text, value
        return None


def encodable(text: str, who: Patient, kind: str) -> bool:
    """Return whether the character set of a patient's instances can write a text."""
    if kind == "patient-native":
        return True
    codec = {"ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8", "GB18030": "gb18030"}.get(who.charset, "ascii")
    codec = "ascii" if who.wrong_codec else codec
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


class Builder:
    """Fills one instance and writes down its key as it goes.

    Args:
        instance: What is filled.
        rng: What draws.
        deal: Deals planted items.
        phrases: Deals phrases.
        half: Which half of the words.
    """

    def __init__(self, instance: Instance, rng: random.Random, deal: Deal, phrases: Phrases, half: Half) -> None:
        self.instance = instance
        self.patient = instance.patient
        self.rng = rng
        self.dataset = Dataset()
        self._deal = deal
        self._phrases = phrases
        self._half: Half = half
        self._world = World(rng, self.patient, half, (new_uid(rng),))
        self._avoid = self.patient.words

    def build(self, study_uid: str, frame_uid: str, day: dt.date, number: int, turn: int) -> None:
        """Make the instance and encode it."""
        self.dataset.SpecificCharacterSet = self.patient.charset.split("\\")
        sop_uid, series_uid = new_uid(self.rng), new_uid(self.rng)
        self._world = World(self.rng, self.patient, self._half, (sop_uid, series_uid, study_uid))
        self.uid("SOPInstanceUID", sop_uid)
        self.uid("StudyInstanceUID", study_uid)
        self.uid("SeriesInstanceUID", series_uid)
        self.uid("FrameOfReferenceUID", frame_uid)
        explicit = turn % 6 != 5
        common(self, day, number, explicit=explicit)
        modality_part(self, day)
        self.instance.pixels = bytes(self.dataset.get("PixelData", b""))
        syntax = ImplicitVRLittleEndian if not explicit else ExplicitVRLittleEndian
        if explicit and turn % 17 == 3 and self.dataset.get("BitsAllocated", 8) == 8:
            syntax = ExplicitVRBigEndian
        self.dataset.file_meta = FileMetaDataset()
        self.dataset.file_meta.MediaStorageSOPClassUID = self.dataset.SOPClassUID
        self.dataset.file_meta.MediaStorageSOPInstanceUID = UID(sop_uid)
        self.dataset.file_meta.TransferSyntaxUID = syntax
        buffer = io.BytesIO()
        with pydicom_config.disable_value_validation():
            dcmwrite(buffer, self.dataset, enforce_file_format=True)
        self.instance.data = buffer.getvalue()

    # What modules call: each sets an element and writes the key. The last to set an element wins.

    def plain(self, path: str, value: Any) -> None:
        """Set an element that nobody scores."""
        self._forget(path)
        owner, keyword = self._owner(path)
        setattr(owner, keyword, value)

    def _forget(self, path: str) -> None:
        key = self.instance
        key.planted = [item for item in key.planted if item.path != path]
        key.kept = [item for item in key.kept if item.path != path]
        key.technical = [item for item in key.technical if item.path != path]
        key.dates = [item for item in key.dates if item[0] != path]
        key.uids = [item for item in key.uids if item[0] != path]
        key.not_null = [item for item in key.not_null if item != path]

    def technical(self, path: str, value: Any) -> None:
        """Set an attribute whose value must stay."""
        self.plain(path, value)
        owner, keyword = self._owner(path)
        self.instance.technical.append(Kept(path, keyword, text_of(owner[keyword].value)))

    def uid(self, path: str, value: str) -> None:
        """Set a UID that must be replaced."""
        self.plain(path, value)
        self.instance.uids.append((path, value))

    def date(self, path: str, day: dt.date, time: str = "") -> None:
        """Set a date, or with a time a date and time, that must be shifted."""
        value = f"{day:%Y%m%d}{time}"
        self.plain(path, value)
        self.instance.dates.append((path, value))

    def header(self, path: str, value: str, *forms: str) -> None:
        """Set an attribute of the header that must lose its value."""
        self.plain(path, self._mojibake(value))
        looked_for: list[tuple[FormKind, str]] = [("word", form) for form in forms] or [("text", value)]
        if "=" in value:
            looked_for.append(("part", value.split("=")[1]))
        kind = "header " + path.rsplit(".", maxsplit=1)[-1]
        self.instance.planted.append(Planted(path, kind, Value(value, tuple(looked_for))))

    def text(self, path: str, *styles: str, room: int = 0, planted: int = -1, phrases: int = -1) -> None:
        """Fill a text element.

        Args:
            path: Of the element.
            styles: Sections of phrases to draw from.
            room: Characters, if fewer than the VR has.
            planted: How many items; by default as many as its VR has room for.
            phrases: How many phrases; likewise.
        """
        self._forget(path)
        owner, keyword = self._owner(path)
        vr = dictionary_VR(keyword)
        setattr(owner, keyword, self._written(path, vr, room or ROOM[vr], styles, planted, phrases))

    def private_text(self, tag: int, vr: str, *styles: str, planted: int = 1, phrases: int = 0) -> None:
        """Fill a private text element; its block must be reserved."""
        path = f"x{tag:08x}"
        self.dataset.add_new(tag, vr, self._written(path, vr, ROOM[vr], styles, planted, phrases))

    def private_safe(self, number: str, day: dt.date) -> None:
        """Fill the private elements that the bench declares safe: a number, a text, a date."""
        self.dataset.add_new(0x00191001, "DS", number)
        self.instance.technical.append(Kept("x00191001", "safe private", number))
        kind = self.rng.choice(OWN) if self.rng.random() < 0.4 else ""
        text = self._written("x00191002", "LO", 64, ("technique",), int(bool(kind)), 1, kind)
        self.dataset.add_new(0x00191002, "LO", text)
        self.dataset.add_new(0x00191003, "DA", f"{day:%Y%m%d}")
        self.instance.dates.append(("x00191003", f"{day:%Y%m%d}"))

    def whole(self, path: str, kind: str) -> bool:
        """Fill an element with one item of a kind; return whether it fits."""
        owner, keyword = self._owner(path)
        made = self._deal.make(kind, self._world, ROOM[dictionary_VR(keyword)])
        if made:
            self._forget(path)
            setattr(owner, keyword, made[0])
            self.instance.planted.append(Planted(path, kind, made[1]))
        return bool(made)

    def _written(
        self, path: str, vr: str, room: int, styles: tuple[str, ...], planted: int, phrases: int, kind: str = ""
    ) -> str:
        """Return a text of planted items and phrases; *kind* is what all its items are, if given."""
        long = room > 64
        wanted = planted if planted >= 0 else self.rng.choice((1, 2, 2, 3) if long else (0, 1, 1, 1))
        around = phrases if phrases >= 0 else self.rng.choice((2, 3) if long else (1, 1, 1, 0))
        if wanted == 0 and around == 0:
            around = 1
        parts: list[tuple[str, str, str, Value | None]] = []
        left = room
        for _ in range(wanted):
            space = left - 14 * bool(around) if not long else left
            made = self._deal.make(kind, self._world, space) if kind else None
            item = (kind, *made) if made else self._deal.draw(self._world, space)
            if item:
                parts.append(("planted", item[0], self._mojibake(item[1]), item[2]))
                left -= len(item[1]) + 3
        avoid = self._avoid | words_of(text for _, _, text, _ in parts if text)
        for _ in range(around if parts or phrases == 0 else max(around, 1)):
            style = self.rng.choice(styles) if styles else "short"
            phrase = self._phrases.draw(style, left, avoid) if left > 4 else None
            if phrase and phrase not in [text for _, _, text, _ in parts]:
                parts.append(("kept", style, phrase, None))
                left -= len(phrase) + 3
        self.rng.shuffle(parts)
        value = ""
        for part, name, text, item_value in parts:
            value += (self._separator(value, parts, part, long and vr != "LO") if value else "") + text
            if item_value is not None:
                self.instance.planted.append(Planted(path, name, item_value))
            else:
                self.instance.kept.append(Kept(path, name, text))
        return value

    def _separator(self, value: str, parts: list[tuple[str, str, str, Value | None]], part: str, lines: bool) -> str:
        """Return what separates the next part: a mere space only where what follows begins unmistakably."""
        before = next(item for item in parts if value.endswith(item[2]))
        spaced = (before[0] == "kept" and part == "planted") or before[1] in OWN
        if spaced and not value[-1].isdigit() and self.rng.random() < 0.5:
            return " "
        return self.rng.choice((". ", "; ", ", ", " - ", "\r\n", ". ") if lines else (" - ", ", ", " / ", "; "))

    def _mojibake(self, text: str) -> str:
        """Return a text such that its bytes are those of an encoding which the character set does not declare."""
        if not self.patient.wrong_codec or text.isascii():
            return text
        return text.encode(self.patient.wrong_codec).decode("latin-1")

    def _owner(self, path: str) -> tuple[Dataset, str]:
        """Return the dataset and the keyword of a path, making the sequences on the way."""
        owner = self.dataset
        *way, last = path.split(".")
        for step in way:
            match = _STEP.fullmatch(step)
            assert match is not None
            keyword, index = match[1], int(match[2] or 0)
            if keyword not in owner:
                setattr(owner, keyword, [])
            items = getattr(owner, keyword)
            while len(items) <= index:
                items.append(Dataset())
            owner = items[index]
        return owner, last
