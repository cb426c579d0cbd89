"""Arguments of a run in the words of the person who signs its report."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from healthcare_deid.engine.options import EngineOptions, meanings

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_RUN = {
    "names": "Results are called as their sources, whose names may tell who the patient is.",
    "admit": "Files that these rules refuse, or do not allow, were left out.",
}
"""Argument of a run → its meaning for the person who signs."""


def options_told(settings: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and meaning of arguments that differ from the default.

    Args:
        settings: The manifest's settings.
    """
    options: dict[str, Any] = settings["options"]
    defaults = {one.name: one.default for one in fields(EngineOptions)}
    for one, meaning in meanings():
        value = options.get(one.name)
        if value not in (defaults[one.name], None) and value != [] and not str(value).startswith("0 entries"):
            shown = f"fingerprint {value}" if one.name == "secret" else _shown(value)
            yield one.name, shown, (meaning.signer or meaning.text).replace("``", "")
    run: dict[str, Any] = settings["run"]
    yield from (
        (name, _shown(value), _OF_RUN.get(name, "")) for name, value in run.items() if (name, value) != ("names", "uid")
    )


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_shown, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
