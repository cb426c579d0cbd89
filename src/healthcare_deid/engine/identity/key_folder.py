"""The user's key folder: project secrets by name, readable by their owner only.

A secret is a text file of one line, ``<name>.secret``. The file can be copied to another machine as it is.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from pathlib import Path

from healthcare_deid.engine.identity.secret import ProjectSecret
from healthcare_deid.errors import ConfigError

VARIABLE = "HEALTHCARE_DEID_KEY_FOLDER"
"""Environment variable that names another key folder."""
_SUFFIX = ".secret"
_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


SECRET, SECRET_FILE = "HEALTHCARE_DEID_SECRET", "HEALTHCARE_DEID_SECRET_FILE"
"""Environment variables with the project's secret, or with its file or its name in the key folder."""


def open_secret(given: bytes | str | os.PathLike[str] | None) -> ProjectSecret | None:
    """Return the project's secret.

    Args:
        given: The secret, its file, or its name or fingerprint in the key folder. None takes what the environment
            says.

    Returns:
        None where neither says anything.

    Raises:
        ConfigError: It is too short, of another type, or there is no such file and no secret of that name.
        OSError: The file cannot be read.
    """
    if given is None:
        if value := os.environ.get(SECRET):
            return ProjectSecret(os.fsencode(value))
        given = os.environ.get(SECRET_FILE) or None
    if given is None:
        return None
    if isinstance(given, str) and not Path(given).is_file():
        found = find_secret(given)
        if found is None:
            raise ConfigError("secret: there is no such file, and no secret of that name in the key folder")
        given = found
    return ProjectSecret(given)


def key_folder() -> Path:
    """Return the user's key folder, whether it exists or not."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "healthcare-deid" / "keys"


def new_secret(name: str = "", *, folder: Path | None = None) -> Path:
    """Make a random secret and return its file.

    Args:
        name: What it is called; by default its own fingerprint.
        folder: Where it is kept; by default the key folder.

    Raises:
        ConfigError: The name cannot be a file's.
        FileExistsError: There is a secret of that name: none is ever written over.
        OSError: It cannot be written.
    """
    if name:
        _check_name(name)
    line = _random_line()
    folder = folder or key_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name or ProjectSecret(line).fingerprint}{_SUFFIX}"
    write_secret(path, line)
    return path


def write_secret(path: Path, line: bytes | None = None) -> None:
    """Write a secret into a new file that only its owner can read.

    Args:
        path: The file.
        line: The secret; by default a new random one.

    Raises:
        FileExistsError: The file exists.
        OSError: It cannot be written.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write((line or _random_line()) + b"\n")
        file.flush()
        os.fsync(descriptor)  # results keyed with it are worth nothing once it is lost


def find_secret(name_or_fingerprint: str, *, folder: Path | None = None) -> Path | None:
    """Return the file of a secret in the key folder; None where it has none.

    Args:
        name_or_fingerprint: The file's name without its suffix, or the secret's fingerprint.
        folder: Where to look; by default the key folder.
    """
    folder = folder or key_folder()
    if _NAME.fullmatch(name_or_fingerprint) and (path := folder / f"{name_or_fingerprint}{_SUFFIX}").is_file():
        return path
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            if ProjectSecret(path).fingerprint == name_or_fingerprint:
                return path
        except (ConfigError, OSError):
            continue  # a file that is no secret hides none of the others
    return None


def _random_line() -> bytes:
    return base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).rstrip(b"=")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError("a secret's name is made of letters, digits, '.', '_' and '-', at most 64")
