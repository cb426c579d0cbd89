"""Numbers of a run, gathered from its run folder for the page that a person signs. They contain no PHI."""

from __future__ import annotations

import csv
import io
import json
import re
from base64 import b64encode
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self, cast

from healthcare_deid._border import border
from healthcare_deid._version import __version__
from healthcare_deid.config import summary
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
from healthcare_deid.engine.dicom.elements import creator_tag, is_private, is_private_creator, keyword
from healthcare_deid.engine.header.actions import AGE_REASON, BIRTH_YEAR_REASON, PSEUDONYM_REASON, SET_REASON
from healthcare_deid.engine.results import ChangeAction
from healthcare_deid.engine.runs.decisions import DECISIONS, OPEN, Decisions, state_of
from healthcare_deid.engine.runs.events import EVENTS, Event, events_of
from healthcare_deid.engine.runs.lines import sha256_of
from healthcare_deid.engine.runs.manifest import Manifest
from healthcare_deid.engine.runs.options_told import options_told
from healthcare_deid.engine.runs.record import current_results
from healthcare_deid.engine.runs.run_folder import RECORD, RECORDED, SUMMARY, read_failures
from healthcare_deid.engine.runs.safe_private_use import SafePrivateUse
from healthcare_deid.engine.runs.unchecked import looked_at, unchecked
from healthcare_deid.errors import ConfigError, RunRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COLUMN = {
    ChangeAction.REMOVED: "removed",
    ChangeAction.EMPTIED: "emptied",
    ChangeAction.REPLACED: "changed",
    ChangeAction.REGENERATED: "changed",
    ChangeAction.TRANSFORMED: "changed",
    ChangeAction.PIXELS_REDACTED: "changed",
    ChangeAction.ADDED: "added",
}
"""Kind of change → column that counts it."""
FATES = ("kept", "changed", "dummy", "emptied", "removed", "added")
_NO_DUMMIES = frozenset({PSEUDONYM_REASON, SET_REASON, AGE_REASON, BIRTH_YEAR_REASON})
"""Rules that set another value than the dummy of the VR."""
_DESCRIBES_THE_FILE = ("0002", "0028")
"""Groups whose values follow from file and pixels, and are set to what is right."""
_NOT_FOR_FILES = frozenset({"FHIR", "region"})
"""Parts of a config that do not apply to files."""
_KEY = re.compile(r"key [0-9a-f]+")
"""Fingerprint of a key, which the manifest has in its place."""
_ANY_KEY = b64encode(bytes(32)).decode()


@dataclass(frozen=True, slots=True)
class AttributeCounts:
    """Number of results by outcome for one attribute, at any depth. Attributes without a value are not counted.

    Attributes:
        tag: Eight hexadecimal digits.
        keyword: Its keyword; empty for a private or unknown one.
        kept: Unchanged.
        changed: It has another value: a new UID, a shifted date, transformed text, a pseudonym, covered pixels; of a
            sequence, something in it was changed.
        emptied: Present, without its value.
        removed: Removed.
        added: Not present before.
        dummy: It has the dummy value of its VR, which says nothing: 19000101, ANONYMIZED.
        creator: Of a private attribute: private creators of its block, in the results' sources, that are makers' or
            named by ``safe_private``.
    """

    tag: str
    keyword: str
    kept: int = 0
    changed: int = 0
    emptied: int = 0
    removed: int = 0
    added: int = 0
    dummy: int = 0
    creator: str = ""

    @property
    def name(self) -> str:
        """Tag in the usual notation, and keyword."""
        private = f"private {self.creator}" if self.is_private else ""
        return f"({self.tag[:4]},{self.tag[4:]}) {self.keyword or private}".rstrip()

    @property
    def is_private(self) -> bool:
        """Whether it is a private attribute."""
        return is_private(int(self.tag, 16))


@dataclass(frozen=True, slots=True)
class PixelCounts:
    """Counts of what was covered in pixels.

    Attributes:
        results: Results with at least one covered rectangle.
        frames: Frames with at least one.
        rectangles: Covered rectangles.
        by_rule: Rectangles by the rule that caused them.
    """

    results: int = 0
    frames: int = 0
    rectangles: int = 0
    by_rule: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True)
class RunReport:
    """Report of a run, for the person who signs.

    Attributes:
        name: Name of the last pass.
        state: ``"complete"``, ``"interrupted"``, or ``"not ended"`` if it is running or was killed.
        counts: Outcomes of the files of the last start, which skips what an earlier one has done.
        passes: Every pass: its name, command, beginning, end, state and counts.
        results: Recorded results of all starts: the total.
        config: The config in words: subject and treatment.
        options: Name, value and meaning of the engine's and the run's arguments that differ from the default.
        attributes: Outcomes of every attribute that had a value, by tag.
        knows_kept: Whether the record lists what was kept.
        pixels: What was covered.
        failures: Failed files of the last pass by reason and text.
        refused: Refused files of the last pass by the rule's name.
        ignored: Ignored files of the last pass by reason.
        warnings: Number of results by warning.
        unmatched: Entries of ``safe_private`` that fit no element of any result: a creator may be misspelled.
        decisions: Number of results by a reviewer's latest decision; ``open`` if there is none, or if the result has
            changed since. Empty if nobody has reviewed them.
        events: Exports, audits and comparisons of the results, oldest first.
        unchecked: What was not checked.
        versions: Versions of the package and of the models.
        manifest: Digest of the manifest: config, options, versions and fingerprints.
        record: SHA-256 of the record, which ties a signature to it.
        others: SHA-256 of the decisions and of the events, by file name, if the run folder has them.
    """

    name: str
    state: str
    counts: dict[str, int]
    passes: list[dict[str, Any]]
    results: int
    config: list[tuple[str, str]]
    options: list[tuple[str, str, str]]
    attributes: list[AttributeCounts]
    knows_kept: bool
    pixels: PixelCounts
    failures: dict[tuple[str, str], int]
    refused: dict[str, int]
    ignored: dict[str, int]
    warnings: dict[str, int]
    unmatched: list[str]
    decisions: dict[str, int]
    events: list[Event]
    unchecked: list[str]
    versions: dict[str, str]
    manifest: str
    record: str
    others: dict[str, str]

    @classmethod
    @border
    def of(cls, folder: Path) -> Self:
        """Gather the numbers of a run folder.

        Raises:
            RunRefused: The folder is not a run folder, or is of another release.
            ConfigError: This release cannot read the run's config.
            OSError: It cannot be read.
        """
        manifest = Manifest.read(folder)
        if manifest is None:
            raise RunRefused("the folder holds no manifest.json: name a run folder, such as clean.run")
        last = manifest.runs[-1] if manifest.runs else {}
        ended = "ended" in last
        told = _summary(folder) if ended else {}
        gathered = Gathered()
        safe_private = SafePrivateUse(manifest.settings["options"].get("safe_private") or ())
        reviewed = Decisions(folder, manifest.digest)
        reviewed.read()
        decisions: Counter[str] = Counter()
        # The file of recorded results is left by a process that was killed, maybe a review between two lines.
        for entry in current_results(folder / RECORD, closed=ended and not (folder / RECORDED).exists()):
            gathered.take(entry)
            safe_private.take(entry)
            if reviewed:
                decisions[str(reviewed.about(entry["result"], state_of(entry))["decision"])] += 1
        attributes, pixels = gathered.attributes(), gathered.pixels()
        config = config_of(manifest.settings)
        counts: dict[str, int] = last.get("counts", {})
        record, events = sha256_of(folder / RECORD), events_of(folder)
        return cls(
            name=last.get("name", ""),
            state=last.get("state", "not ended"),
            counts=counts,
            passes=manifest.runs,
            results=gathered.results,
            config=[
                (what, "no rule" if how == "no config" else how)
                for what, how in summary.rows(config.parts())
                if what not in _NOT_FOR_FILES
            ],
            options=[*options_told(manifest.settings)],
            attributes=attributes,
            knows_kept=gathered.knows_kept,
            pixels=pixels,
            failures=_failures(folder) if ended else {},
            refused=told.get("refusedByRule", {}),
            ignored=told.get("ignored", {}),
            warnings=dict(gathered.warnings.most_common()),
            unmatched=[*safe_private.unmatched()],
            decisions=dict(sorted(decisions.items())),
            events=events,
            unchecked=unchecked(
                config.parts(),
                manifest.settings,
                counts,
                private=sum(1 for one in attributes if one.kept and one.is_private),
            )
            + looked_at(events, record, gathered.results, unreviewed=decisions[OPEN] if decisions else None),
            versions={str(name): str(version) for name, version in manifest.settings["versions"].items()},
            manifest=manifest.digest,
            record=record,
            others={name: sha256_of(folder / name) for name in (DECISIONS, EVENTS) if (folder / name).is_file()},
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        told["attributes"] = [asdict(one) for one in self.attributes]
        told["pixels"] = asdict(self.pixels)
        told["events"] = [asdict(one) for one in self.events]
        told["failures"] = [
            {"reason": reason, "text": text, "files": count} for (reason, text), count in self.failures.items()
        ]
        return told

    def to_csv(self) -> str:
        """Return the report as CSV with four columns: section, item, detail, and count or value."""
        buffer = io.StringIO()
        rows = csv.writer(buffer, lineterminator="\n")
        rows.writerow(("section", "item", "detail", "value"))
        rows.writerows(self._rows())
        return buffer.getvalue()

    def _rows(self) -> Iterator[tuple[str, str, str, object]]:
        yield "run", "name", "", self.name
        yield "run", "state", "", self.state
        yield "run", "results", "", self.results
        yield "run", "manifest", "sha256", self.manifest
        yield "run", "record", "sha256", self.record
        yield from (("run", name, "sha256", digest) for name, digest in self.others.items())
        yield from (("last start", name, "", count) for name, count in self.counts.items())
        yield from (("config", what, "", how) for what, how in self.config)
        yield from (("option", name, meaning, value) for name, value, meaning in self.options)
        for one in self.attributes:
            yield from (("attribute", one.name, fate, count) for fate in FATES if (count := getattr(one, fate)))
        yield "pixels", "results", "", self.pixels.results
        yield "pixels", "frames", "", self.pixels.frames
        yield from (("pixels", "rectangles", rule, count) for rule, count in self.pixels.by_rule.items())
        yield from (("failure", reason, text, count) for (reason, text), count in self.failures.items())
        yield from (("refused", rule, "", count) for rule, count in self.refused.items())
        yield from (("ignored", why, "", count) for why, count in self.ignored.items())
        yield from (("warning", text, "", count) for text, count in self.warnings.items())
        yield from (("safe_private without an element", entry, "", "") for entry in self.unmatched)
        yield from (("review", decision, "", count) for decision, count in self.decisions.items())
        for event in self.events:
            told = f"{event.when} by {event.who}: {event.in_words()}; record {event.record}"
            yield "afterwards", event.kind, told, event.files
        yield from (("not checked", text, "", "") for text in self.unchecked)
        yield from (("version", name, "", version) for name, version in self.versions.items())
        yield "version", "this report", "", __version__


def config_of(settings: dict[str, Any]) -> DeidentifyConfig | DeidentifyConfigV1Beta1:
    """Return the config of a manifest's settings, with placeholder keys.

    Raises:
        ConfigError: This release cannot read it.
    """
    message = DeidentifyConfigV1Beta1 if settings.get("apiVersion") == "v1beta1" else DeidentifyConfig
    if "config" not in settings:
        raise ConfigError("the manifest holds no config")
    return message.from_api(_with_any_key(settings["config"]))


class Gathered:
    """Totals over the record's lines. Repeated lists are examined once and multiplied."""

    def __init__(self) -> None:
        self.results = 0
        self.knows_kept = False
        self.warnings: Counter[str] = Counter()
        self._lists: dict[tuple[str, int], list[Any]] = {}
        self._times: Counter[tuple[str, int]] = Counter()
        self._covered = self._frames = 0
        self._rules: Counter[str] = Counter()

    def take(self, entry: dict[str, Any]) -> None:
        """Add one result's line."""
        self.results += 1
        self.knows_kept |= "keptTags" in entry
        for name in ("changes", "keptTags", "creators"):
            items = entry.get(name, [])
            key = (name, id(items))
            self._lists[key] = items  # keeps the list alive, so that its id is not reused
            self._times[key] += 1
        self.warnings.update(set(entry["warnings"]))
        if redactions := entry["redactions"]:
            self._covered += 1
            self._frames += len({(item["path"], item["frame"]) for item in redactions})
            self._rules.update(item["rule"] for item in redactions)

    def attributes(self) -> list[AttributeCounts]:
        """Return the outcomes of every attribute."""
        counts: dict[str, Counter[str]] = {}
        creators: dict[str, set[str]] = {}
        for key, times in self._times.items():
            if key[0] == "creators":
                for block, _, creator in (text.partition(" ") for text in self._lists[key]):
                    creators.setdefault(block, set()).add(creator)
                continue
            for tag, fate in set(_fates(key[0], self._lists[key])):
                counts.setdefault(tag, Counter())[fate] += times
        return [
            AttributeCounts(tag, keyword(int(tag, 16)), **counts[tag], creator=_creator(tag, creators))
            for tag in sorted(counts)
        ]

    def pixels(self) -> PixelCounts:
        """Return the counts of covered pixels."""
        return PixelCounts(self._covered, self._frames, self._rules.total(), dict(self._rules.most_common()))


def _creator(tag: str, creators: dict[str, set[str]]) -> str:
    """Return the makers' creators of a private attribute's block in words."""
    number = int(tag, 16)
    if not is_private(number):
        return ""
    found = creators.get(f"{number if is_private_creator(number) else creator_tag(number):08X}", set())
    named = sorted(found - {""})
    return " or ".join([*named, "another"] if named and "" in found else named)


def _fates(name: str, items: list[Any]) -> Iterator[tuple[str, str]]:
    """Yield tag and outcome of each attribute of a list."""
    if name == "keptTags":
        yield from ((str(tag), "kept") for tag in items)
        return
    for change in items:
        *around, tag = change["path"].split("/")
        fate = "dummy" if _is_dummy(change, tag) else _COLUMN[ChangeAction(change["action"])]
        if change["length"] or fate == "added":
            yield tag, fate
            yield from ((sequence.partition("[")[0], "changed") for sequence in around)


def _is_dummy(change: dict[str, Any], tag: str) -> bool:
    replaced = change["action"] == ChangeAction.REPLACED and change["rule"] not in _NO_DUMMIES
    return replaced and not tag.startswith(_DESCRIBES_THE_FILE)


def _summary(folder: Path) -> dict[str, Any]:
    path = folder / SUMMARY
    told: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return told


def _failures(folder: Path) -> dict[tuple[str, str], int]:
    return dict(Counter((row["reason"], row["text"]) for row in read_failures(folder)).most_common())


def _with_any_key(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_any_key(inner) for name, inner in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_with_any_key(inner) for inner in value]
    return _ANY_KEY if isinstance(value, str) and _KEY.fullmatch(value) else value
