"""Check of where files that link pseudonyms to patients are stored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthcare_deid.engine.options import EngineOptions


def refuse_among(options: EngineOptions, folders: Iterable[Path]) -> None:
    """Raise ValueError if a linking file is in these folders.

    A vault or a table of pseudonyms links results to patients.
    """
    table = options.pseudonyms.table if options.pseudonyms is not None else None
    kept = {"vault": options.vault, "the table of pseudonyms": table}
    places = [folder.resolve() for folder in folders]
    for name, path in kept.items():
        if path is not None and any(Path(path).resolve().is_relative_to(place) for place in places):
            raise ValueError(f"{name} is inside the source, destination or run folder; store it elsewhere")
