"""Manifest of a run: the settings its results were made with, and their digest, which a later run compares.

It holds no PHI and no key. Secrets appear as fingerprints.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any, Self, cast

from healthcare_deid.config.base.keys import SecretBytes
from healthcare_deid.engine.dicom.atomic_write import OWNER_ONLY, beside
from healthcare_deid.engine.identity.secret import ProjectSecret, fingerprint_of
from healthcare_deid.engine.runs.versions import versions_of
from healthcare_deid.errors import RunRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthcare_deid.engine.runs.engine import Engine

SCHEMA = 1
"""Version of the format, raised when an old reader could misread a new file."""
FILE = "manifest.json"
_KEYS = frozenset({"cryptoKey", "wrappedKey"})
"""Fields of the API's messages that hold keys."""
_ABSENT = object()
_PLAIN = (bool, int, float, str, bytes, re.Pattern, Enum, Mapping, tuple, list, set, frozenset, type(None))
_NO_RESULT = frozenset({"threads", "max_inflated", "max_frame_pixels"})
"""Options that do not change a result, only its speed or whether it is made at all."""


@dataclass(slots=True)
class Manifest:
    """Settings that a run's results were made with.

    Attributes:
        settings: Everything that the results depend on. The digest covers it.
        secret_place: Place of the secret, if the caller did not give one.
        runs: One entry for each start of the run: name, times, command and counts.
    """

    settings: dict[str, Any]
    secret_place: str = ""
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    @property
    def digest(self) -> str:
        """SHA-256 over the settings."""
        text = json.dumps(self.settings, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def secret(self) -> str | None:
        """Fingerprint of the secret, if there is one."""
        found = self.settings["options"].get("secret")
        return None if found is None else str(found)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the manifest in a run folder, or None if it has none.

        Raises:
            RunRefused: This release cannot read it.
        """
        try:
            content: dict[str, Any] = json.loads((folder / FILE).read_text("utf-8"))
            schema = content["schema"]
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):
            raise RunRefused(f"{FILE} in the run folder is no manifest: choose another run folder") from None
        if schema != SCHEMA:
            raise RunRefused(
                f"{FILE} has version {schema} of its form, and this release reads {SCHEMA}: go on with "
                "the release that began the run, or choose another destination"
            )
        return cls(content["settings"], content["secretPlace"], content["runs"])

    def write(self, folder: Path) -> None:
        """Write it into a run folder, whole or not at all."""
        content = {
            "schema": SCHEMA,
            "digest": self.digest,
            "settings": self.settings,
            "secretPlace": self.secret_place,
            "runs": self.runs,
        }
        with (
            beside(folder / FILE, OWNER_ONLY) as descriptor,
            open(descriptor, "w", encoding="utf-8", closefd=False) as file,
        ):
            file.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def differences(self, new: Manifest) -> tuple[str, ...]:
        """Return the differences to another run's settings, in words."""
        return tuple(_differences("", self.settings, new.settings))


def settings_of(deidentifier: Engine, **run: object) -> dict[str, Any]:
    """Return the settings that the results of a deidentifier depend on.

    Args:
        deidentifier: The deidentifier.
        **run: Further settings, of the run.
    """
    config = deidentifier.config
    given = deidentifier.options
    options = {one.name: _described(getattr(given, one.name)) for one in fields(given) if one.name not in _NO_RESULT}
    secret = given.secret
    return {
        "apiVersion": config.api_version,
        "config": without_keys(config.to_api()),
        "options": options
        | {
            "secret": None if secret is None else ProjectSecret(secret).fingerprint,
            "masks": _masks(deidentifier),
            "recipients": [f"file {fingerprint_of(Path(one).read_bytes())}" for one in given.recipients],
            # A pattern may contain a name, and so may the path of a vault.
            "replace": [f"pattern {fingerprint_of(repr(tuple(one)).encode())}" for one in given.replace],
            "vault": None if given.vault is None else f"file {fingerprint_of(os.fsencode(given.vault))}",
        },
        "run": {name: _described(value) for name, value in run.items()},
        "versions": versions_of(deidentifier),
    }


def _masks(deidentifier: Engine) -> str | None:
    """Return a fingerprint of the masks' content, whatever files it comes from."""
    masks = deidentifier.options.masks
    if not masks:
        return None
    from healthcare_deid.engine.pixels.masks.mask_files import masks_of

    return f"masks {fingerprint_of(repr(masks_of(masks)).encode())}"


def without_keys(value: Any, name: str = "") -> Any:
    """Return a config as the API writes it, with the fingerprint of each key in its place."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {inner: without_keys(item, inner) for inner, item in items.items()}
    if isinstance(value, list):
        inner: list[Any] = value
        return [without_keys(item) for item in inner]
    return f"key {fingerprint_of(SecretBytes.parse(value))}" if name in _KEYS and isinstance(value, str) else value


def _described(value: object) -> Any:
    """Return an argument as JSON. Secrets become fingerprints; objects, their own description or their class."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return f"key {fingerprint_of(value)}"
    if isinstance(value, Mapping):
        items = sorted((repr(key), repr(_described(item))) for key, item in value.items())
        return f"{len(items)} entries {fingerprint_of(repr(items).encode())}"  # keys may identify a patient
    if isinstance(value, set | frozenset):  # the order differs between processes
        words = sorted(repr(_described(item)) for item in cast("frozenset[object]", value))
        return f"{len(words)} entries {fingerprint_of(repr(words).encode())}"
    if isinstance(value, tuple | list):
        return [_described(item) for item in cast("tuple[object, ...]", value)]
    if isinstance(value, os.PathLike):
        return f"file {fingerprint_of(Path(value).read_bytes())}"
    if isinstance(value, re.Pattern):
        expression: Any = value.pattern
        return f"pattern {fingerprint_of(repr(expression).encode())}"
    if isinstance(value, Enum):
        return _described(value.value)
    if is_dataclass(value) and not isinstance(value, type):
        parts: Any = value
        # A table grows with every run, so neither its path nor its content is compared.
        return {
            one.name: "a file" if isinstance(part := getattr(parts, one.name), os.PathLike) else _described(part)
            for one in fields(parts)
        }
    return getattr(value, "fingerprint", None) or _object(value)


def _object(value: object) -> str:
    """Return an object's class and a fingerprint of its attributes; of attributes that are objects, the class only."""
    kind = value if isinstance(value, type | FunctionType) else type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    state: dict[str, Any] = {} if kind is value else getattr(value, "__dict__", {})
    plain = {
        one: _described(part) if isinstance(part, _PLAIN) else type(part).__qualname__ for one, part in state.items()
    }
    return f"{name} {fingerprint_of(repr(sorted(plain.items())).encode())}" if plain else name


def _differences(where: str, old: Any, new: Any) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", new)
        for name in [*before, *(name for name in after if name not in before)]:
            inner = f"{where}.{name}" if where else name
            yield from _differences(inner, before.get(name, _ABSENT), after.get(name, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(where, old, new)
    elif old != new:
        yield f"{where}: {_shown(old)} there, {_shown(new)} now"


def _list_differences(where: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    """Yield what was removed from a list and added to it; an object that stayed in its place is looked into."""
    removed, added = Counter(map(_shown, old)), Counter(map(_shown, new))
    if removed == added:
        if old != new:
            yield f"{where}: another order now"
        return
    if len(old) == len(new) and all(isinstance(item, dict) for item in (*old, *new)):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(f"{where}[{index}]", before, after)
        return
    yield from (f"{where}: {item} removed now" for item in (removed - added).elements())
    yield from (f"{where}: {item} added now" for item in (added - removed).elements())


def _shown(value: Any) -> str:
    """Return a value as the manifest has it."""
    if value is _ABSENT or value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
