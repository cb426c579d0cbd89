"""Run folder as reports read it: manifest and record, as described in docs/runs.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from healthcare_deid.engine.runs.decisions import state_of
from healthcare_deid.engine.runs.manifest import without_keys
from healthcare_deid.engine.runs.record import read_record
from healthcare_deid.engine.runs.run_folder import read_failures
from healthcare_deid.engine.runs.run_report import config_of

if TYPE_CHECKING:
    from pathlib import Path

    from healthcare_deid.config.versions import AnyDeidentifyConfig

SUFFIX = ".run"
_RECORD, _MANIFEST = "record.jsonl", "manifest.json"
_OPTIONS = frozenset(
    {"edition", "options", "safe_private", "other_uids", "strict_edition", "strict_keep_list", "nested"}
)
"""Engine arguments that determine the content of a result."""
_BEYOND = ("dates", "replace", "set_values", "pseudonyms", "recipients", "masks", "detectors")
"""Arguments that the manifest describes without their values."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Entry of the record for one result.

    Attributes:
        result: Its name below the folder of results.
        source: SHA-256 of its source, in hexadecimal.
        redactions: Covered rectangles, as in the record.
        warnings: Warnings of the result.
        state: Its `state_of`.
        changes: Changes to its attributes, as in the record.
    """

    result: str
    source: str
    redactions: list[dict[str, Any]] = field(repr=False)
    warnings: list[str] = field(repr=False)
    state: str = field(repr=False)
    changes: list[dict[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """Run folder of a run that wrote results, as reports read it.

    Attributes:
        path: The folder.
        results: The folder of results beside it.
    """

    path: Path
    results: Path

    @classmethod
    def of(cls, given: Path) -> Self | None:
        """Return the run folder for a path: the path itself, the one beside a folder of results, or None."""
        given = given if given.name else given.absolute()  # "." has no name
        if given.name.endswith(SUFFIX) and (given / _RECORD).is_file():
            return cls(given, given.with_name(given.name.removesuffix(SUFFIX)))
        beside = given.with_name(f"{given.name}{SUFFIX}")
        return cls(beside, given) if (beside / _RECORD).is_file() else None

    def stamp(self) -> tuple[int, int, int]:
        """Return what differs when the record has changed."""
        found = (self.path / _RECORD).stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def entries(self) -> dict[str, Entry]:
        """Return the current entries of the record, by result.

        Raises:
            RunRefused: A line of it is damaged.
        """
        found: dict[str, Entry] = {}
        for line in read_record(self.path / _RECORD):
            name = str(line["result"])
            if line.get("withdrawn"):
                found.pop(name, None)
            else:
                redactions, warnings = line["redactions"], line["warnings"]
                changes = line.get("changes", [])
                found[name] = Entry(name, str(line["source"]), redactions, warnings, state_of(line), changes)
        return found

    def failures(self) -> dict[str, str]:
        """Return why sources failed in the last pass, by the SHA-256 of their content."""
        return {row["sha256"]: row["text"] for row in read_failures(self.path) if row["sha256"]}

    def config(self) -> tuple[Any, dict[str, Any]]:
        """Return the run's config with placeholder keys, and the engine arguments; ``(None, {})`` if unknown.

        Raises:
            ConfigError: This release cannot read the config.
        """
        settings = self._settings()
        if "config" not in settings:
            return None, {}
        if any(settings.get("options", {}).get(name) for name in _BEYOND):
            return None, {}  # the markers of each result say what the manifest does not hold
        options = {name: value for name, value in settings.get("options", {}).items() if name in _OPTIONS}
        return config_of(settings), options

    def was_made_with(self, config: AnyDeidentifyConfig) -> bool:
        """Return whether the run had this config, keys aside."""
        return bool(self._settings().get("config") == without_keys(config.to_api()))

    def _settings(self) -> dict[str, Any]:
        path = self.path / _MANIFEST
        settings: dict[str, Any] = json.loads(path.read_text("utf-8")).get("settings", {}) if path.is_file() else {}
        return settings
