"""Check of where a secret and files that link pseudonyms to patients are stored."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from healthcare_deid.engine.options import EngineOptions


def refuse_among(options: EngineOptions, folders: Collection[Path]) -> None:
    """Raise ValueError if the secret's file or a linking file is in these folders.

    A vault or a table of pseudonyms links results to patients.
    """
    table = options.pseudonyms.table if options.pseudonyms is not None else None
    secret = options.secret if isinstance(options.secret, PathLike) else None
    for name, path in {"secret": secret, "vault": options.vault, "the table of pseudonyms": table}.items():
        if path is not None:
            refuse_in(name, Path(path), folders)


def refuse_in(name: str, path: Path, folders: Collection[Path]) -> None:
    """Raise ValueError if a file is in one of these folders."""
    if any(path.resolve().is_relative_to(folder.resolve()) for folder in folders):
        raise ValueError(f"{name} is inside the source, destination or run folder; store it elsewhere")
