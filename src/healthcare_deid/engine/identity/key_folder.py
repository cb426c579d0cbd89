"""The user's key folder with project secrets.

Only its owner can read it.

A secret is a one-line text file, ``<name>.secret``, which can be copied to another machine.
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
_ELSEWHERE = f"name a folder by {VARIABLE}, or a file for the secret (--secret-file, or secret=)"
_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


SECRET, SECRET_FILE = "HEALTHCARE_DEID_SECRET", "HEALTHCARE_DEID_SECRET_FILE"
"""Environment variables for the project secret itself, and for its file or its name in the key folder."""


def open_secret(given: bytes | str | os.PathLike[str] | None) -> ProjectSecret | None:
    """Return the project secret that `found_secret` finds, or None.

    Raises:
        ConfigError: The secret is too short or of another type, or no file or secret has this name.
        OSError: The file cannot be read.
    """
    found = found_secret(given)
    return None if found is None else ProjectSecret(found)


def found_secret(given: bytes | str | os.PathLike[str] | None) -> bytes | os.PathLike[str] | None:
    """Find the project secret or its file.

    Args:
        given: The secret, its file, or its name or fingerprint in the key folder. None uses the environment.

    Returns:
        The secret or its file, or None if neither is given.

    Raises:
        ConfigError: No file or secret has this name, or a file and another secret.
    """
    if given is None:
        if value := os.environ.get(SECRET):
            return os.fsencode(value)
        given = os.environ.get(SECRET_FILE) or None
    if not isinstance(given, str):
        return given
    path = named_secret(given)
    if path is None:
        raise ConfigError(
            "secret: no file and no secret in the key folder has this name; 'healthcare-deid secret new' creates one"
        )
    return path


def named_secret(given: str) -> Path | None:
    """Return the file of an existing secret, or None.

    Args:
        given: Its path, or its name or fingerprint in the key folder.

    Raises:
        ConfigError: A file in the current folder and another secret in the key folder have this name.
    """
    file = Path(given)
    if not file.is_file():
        return find_secret(given)
    kept = find_secret(given) if given == file.name else None
    if kept is not None and ProjectSecret(kept).fingerprint != ProjectSecret(file).fingerprint:
        # Which of the two a run takes would depend on the folder it is started in.
        raise ConfigError(
            f"secret: a file in this folder (fingerprint {ProjectSecret(file).fingerprint}) and another secret in the "
            f"key folder (fingerprint {ProjectSecret(kept).fingerprint}) have this name: give the path of the file, "
            "such as ./NAME, or the fingerprint of the secret"
        )
    return file


def key_folder() -> Path:
    """Return the user's key folder, whether it exists or not.

    Raises:
        ConfigError: The user has no home folder, as in a container that runs under any number, and none is named.
    """
    if named := os.environ.get(VARIABLE):
        return Path(named)
    try:
        if sys.platform == "win32":
            base = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Application Support"
        else:
            base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    except RuntimeError:
        raise ConfigError(f"secret: this user has no home folder to keep one in: {_ELSEWHERE}") from None
    return Path(base) / "healthcare-deid" / "keys"


def new_secret(name: str = "", *, folder: Path | None = None) -> Path:
    """Create a random secret and return its file.

    Args:
        name: Name of the secret; by default its fingerprint.
        folder: Folder for it; by default the key folder.

    Raises:
        ConfigError: *name* is not a valid file name, or the folder cannot be made.
        FileExistsError: A secret of this name exists; secrets are never overwritten.
        OSError: The file cannot be written.
    """
    if name:
        _check_name(name)
    line = _random_line()
    folder = folder or key_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"secret: the key folder {folder} cannot be made ({os.strerror(error.errno or 0)}): {_ELSEWHERE}"
        ) from None
    path = folder / f"{name or ProjectSecret(line).fingerprint}{_SUFFIX}"
    write_secret(path, line)
    return path


def write_secret(path: Path, line: bytes | None = None) -> None:
    """Write a secret to a new file.

    Only its owner can read the file.

    Args:
        path: The file.
        line: The secret; by default a new random one.

    Raises:
        FileExistsError: The file exists.
        OSError: The file cannot be written.
    """
    # Created for the owner only from the start: changing the mode later would leave a moment in which others can read
    # it.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write((line or _random_line()) + b"\n")
        file.flush()
        os.fsync(descriptor)  # results cannot be linked any more if the secret is lost


def find_secret(name_or_fingerprint: str, *, folder: Path | None = None) -> Path | None:
    """Return a secret's file in the key folder, or None.

    Args:
        name_or_fingerprint: File name without suffix, or fingerprint of the secret.
        folder: Folder to search; by default the key folder.
    """
    try:
        folder = folder or key_folder()
    except ConfigError:
        return None  # who has no home has no secret in it
    if _NAME.fullmatch(name_or_fingerprint) and (path := folder / f"{name_or_fingerprint}{_SUFFIX}").is_file():
        return path
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            if ProjectSecret(path).fingerprint == name_or_fingerprint:
                return path
        except (ConfigError, OSError):
            continue  # one invalid file must not hide the others
    return None


def _random_line() -> bytes:
    return base64.urlsafe_b64encode(secrets.token_bytes(_BYTES)).rstrip(b"=")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError("the name of a secret must have at most 64 letters, digits, '.', '_' and '-'")
