"""Decisions of a review: lines of JSON in the run folder. Several reviewers may append to the file at once."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.runs.lines import append_line
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DECISIONS = "decisions.jsonl"
OPEN = "open"
"""Decision about a result that nobody has decided about, or that has changed since."""
_OF_RESULT = ("source", "size", "kept", "looks", "redactions", "warnings")
"""Fields of a record line that identify the result of a decision, together with the manifest."""


class Decisions:
    """Decisions in a run folder.

    Args:
        folder: The run folder.
        manifest: Digest of the run's manifest.
    """

    def __init__(self, folder: Path, manifest: str) -> None:
        self._path = folder / DECISIONS
        self._manifest = manifest
        self._latest: dict[str, dict[str, Any]] = {}
        self._offset = 0

    def __bool__(self) -> bool:
        return bool(self._latest)

    def read(self) -> None:
        """Read the lines that were added since the last time.

        Raises:
            RunRefused: A line cannot be read.
            OSError: The file cannot be read.
        """
        if not self._path.is_file():
            return
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):  # partial: it is being written, or its review was killed
                    break
                self._take(line)
                self._offset += len(line)

    def about(self, result: str, state: str) -> dict[str, Any]:
        """Return the latest decision about a result as it is now: an open one, if the result has changed since.

        Args:
            result: The result's name.
            state: Its `state_of`.
        """
        line = self._latest.get(result, {})
        same = line.get("state") == state and line.get("manifest") == self._manifest
        return line if same else {"decision": OPEN}

    def add(self, line: Mapping[str, Any], state: str) -> None:
        """Append a decision, for the owner of the run folder only.

        Args:
            line: The decision.
            state: `state_of` of the result that it is about.
        """
        append_line(self._path, {**line, "state": state, "manifest": self._manifest})

    def _take(self, line: bytes) -> None:
        if not line.rstrip().endswith(b"}"):
            return  # the partial line of a review that was killed
        try:
            told: dict[str, Any] = json.loads(line)
            self._latest[str(told["result"])] = told
        except (ValueError, KeyError, TypeError):
            raise RunRefused(
                f"{DECISIONS} in the run folder has a line that is not a decision: restore the file"
            ) from None


def state_of(line: Mapping[str, Any]) -> str:
    """Return a digest of a record line, which differs when the result was made in another way."""
    told = json.dumps([line.get(name) for name in _OF_RESULT], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]
