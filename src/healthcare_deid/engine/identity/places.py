"""Places where files that link pseudonyms to patients, or the key to that, may not be."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthcare_deid.engine.options import EngineOptions


def refuse_among(options: EngineOptions, folders: Collection[Path]) -> None:
    """Refuse a secret's file, a vault or a table of pseudonyms in a folder of originals, of results, or of a run.

    Raises:
        ValueError: It does.
    """
    table = options.pseudonyms.table if options.pseudonyms is not None else None
    secret = options.secret if isinstance(options.secret, PathLike) else None
    for name, path in {"secret": secret, "vault": options.vault, "the table of pseudonyms": table}.items():
        if path is not None:
            refuse_in(name, Path(path), folders)


def refuse_in(name: str, path: Path, folders: Collection[Path]) -> None:
    """Refuse a file that stands in a folder of originals, of results, or of a run.

    Raises:
        ValueError: It does.
    """
    if any(path.resolve().is_relative_to(folder.resolve()) for folder in folders):
        raise ValueError(f"{name} is inside the source, the destination or the run folder: keep it apart from them")
