"""Keys on the command line: from a file, a prompt or an environment variable, never as an argument.

Arguments appear in the shell's history and in the process list, which every user of the machine can read. Keys in a
config file are kept; a separately given key is used wherever the config needs one and has none.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import click

from healthcare_deid.cli.log import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from healthcare_deid.config.base.keys import CryptoKey
    from healthcare_deid.config.versions import AnyDeidentifyConfig

VARIABLE = "HEALTHCARE_DEID_CRYPTO_KEY"
_KEYED = ("dateShiftConfig", "cryptoHashConfig")
_KEY = "cryptoKey"


def read_key(file: Path | None, *, ask: bool) -> CryptoKey | None:
    """Return the given base64 key, in the order file, prompt, environment variable.

    Raises:
        UsageError: It is not an AES key.
    """
    from healthcare_deid.config.base.keys import CryptoKey

    if file is not None:
        warn_if_shared(file)
        text, place = file.read_text(encoding="ascii", errors="replace"), "the file"
    elif ask:
        text, place = click.prompt("Key (base64)", hide_input=True, err=True), "the prompt"
    elif VARIABLE in os.environ:
        text, place = os.environ[VARIABLE], VARIABLE
    else:
        return None
    try:
        return CryptoKey.parse(text)
    except ValueError as error:
        raise click.UsageError(f"the key of {place}: {error}") from None


def write_new_key(file: Path) -> None:
    """Write a new random key to a file that only its owner can read.

    Raises:
        FileExistsError: The file exists; a key is never overwritten.
    """
    from healthcare_deid.presets import generate_crypto_key

    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(f"{generate_crypto_key().to_base64()}\n")


def secret_file(given: str) -> Path:
    """Return the file that ``--secret-file`` names, and say which secret it is if it exists.

    Args:
        given: A path, or a secret's name or fingerprint in the key folder. The file of a path need not exist: a run
            makes it.

    Raises:
        UsageError: A name without a folder is neither a file nor a secret: a secret that depends on the current folder
            would be another one in the next folder.
        ConfigError: It is a file and another secret.
    """
    from pathlib import Path

    from healthcare_deid.engine.identity.key_folder import named_secret
    from healthcare_deid.engine.identity.secret import ProjectSecret

    found = named_secret(given)
    if found is not None:
        say(f"secret: {found}, fingerprint {ProjectSecret(found).fingerprint}")
        return found
    if given == Path(given).name:
        raise click.UsageError(
            "--secret-file: no secret in the key folder and no file in this folder has this name. "
            "'healthcare-deid secret new NAME' makes one in the key folder; a path such as ./NAME makes a file"
        )
    return Path(given)


def warn_if_shared(file: Path) -> None:
    """Print a warning if others can read a secret's file."""
    if os.name == "posix" and file.stat().st_mode & 0o077:
        say(f"warning: other users can read the key: chmod 600 {file}", "warning", level="warning")


def with_key(config: AnyDeidentifyConfig, key: CryptoKey) -> tuple[AnyDeidentifyConfig, int]:
    """Return the config with ``key`` wherever it needs one and has none, and the number of such places."""
    body = config.to_api()
    places = [place for place in _keyed(body) if not place.keys() & {_KEY, "kmsWrapped"}]
    for place in places:
        place[_KEY] = key.to_base64()
    return (type(config).from_api(body) if places else config), len(places)


def without_keys(config: AnyDeidentifyConfig) -> tuple[AnyDeidentifyConfig, int]:
    """Return the config without its unwrapped keys, and the number of places that had one."""
    body = config.to_api()
    places = [place for place in _keyed(body) if _KEY in place]
    for place in places:
        del place[_KEY]
    return (type(config).from_api(body) if places else config), len(places)


def _keyed(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every part below ``value`` that takes a key."""
    if isinstance(value, dict):
        for name, item in cast("dict[str, Any]", value).items():
            if name in _KEYED:
                yield item
            else:
                yield from _keyed(item)
    elif isinstance(value, list):
        items: list[Any] = value
        for item in items:
            yield from _keyed(item)


def key_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--crypto-key-file`` and ``--ask-crypto-key`` to a command."""
    from pathlib import Path

    for option in (
        click.option("--ask-crypto-key", is_flag=True, help="Prompt for the key."),
        click.option(
            "--crypto-key-file",
            type=click.Path(exists=True, dir_okay=False, allow_dash=False, path_type=Path),
            help=f"A file with the base64 key for a config that needs one. Or set {VARIABLE}.",
        ),
    ):
        function = option(function)
    return function
