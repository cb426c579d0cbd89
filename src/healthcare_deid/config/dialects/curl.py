"""curl commands that call ``:deidentify``."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, cast

from healthcare_deid.config.dialects.command import Command, source_name
from healthcare_deid.config.dialects.json_text import parse_json
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthcare_deid.config.base.field_types import ApiVersion
    from healthcare_deid.config.base.keys import CryptoKey

_HOST = "https://healthcare.googleapis.com"
_URL = re.compile(r"https?://[^/]+/(v1|v1beta1)/(projects/[^?#]+):deidentify(?:[?#].*)?")
_DATA = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_WITH_VALUE = frozenset(
    {"-H", "--header", "-X", "--request", "-o", "--output", "-u", "--user", "-A", "--user-agent", "-m", "--max-time"}
    | {"-w", "--write-out", "--retry", "--connect-timeout", "--cacert", "--oauth2-bearer", "-x", "--proxy"}
)
# Config values have no NUL, so a placeholder is never confused with one.
_PLACEHOLDER = "\x00{}\x00"


def write_curl(command: Command, *, hide: Iterable[CryptoKey] = ()) -> str:
    """Return a curl command for a call.

    Args:
        command: The call.
        hide: Keys that the command reads from environment variables instead.
    """
    variables: dict[str, str] = {}
    lines: list[str] = []
    for key in hide:
        if key.to_base64() not in variables:
            name = f"DEID_CRYPTO_KEY_{len(variables) + 1}"
            variables[key.to_base64()] = name
            lines.append(f"#   export {name}=<the {len(key) * 8}-bit key, base64>")
    if lines:
        lines.insert(0, "# Keys are not written here. Set each variable first:")
    body = json.dumps(_with_placeholders(command.body, variables), indent=2, ensure_ascii=False)
    quoted = shlex.quote(body)
    for name in variables.values():
        quoted = quoted.replace(json.dumps(_PLACEHOLDER.format(name))[1:-1], f"'\"${{{name}:?}}\"'")
    return "\n".join(
        [
            *lines,
            "curl -X POST \\",
            '    -H "Authorization: Bearer $(gcloud auth print-access-token)" \\',
            '    -H "Content-Type: application/json; charset=utf-8" \\',
            f"    --data {quoted} \\",
            f"    {shlex.quote(f'{_HOST}/{command.version}/{command.source}:deidentify')}",
        ]
    )


def _with_placeholders(value: Any, variables: Mapping[str, str]) -> Any:
    """Return the JSON with placeholders for keys with a variable."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {
            name: _PLACEHOLDER.format(variables[item])
            if name == "cryptoKey" and isinstance(item, str) and item in variables
            else _with_placeholders(item, variables)
            for name, item in fields.items()
        }
    if isinstance(value, list):
        return [_with_placeholders(item, variables) for item in value]
    return value


def read_curl(words: Sequence[str]) -> Command:
    """Return the call of a curl command, given as its words.

    Raises:
        ConfigError: The command does not call ``:deidentify``, or its body is not JSON.
        ResourceNameError: Its URL does not name a dataset, a DICOM store or a FHIR store.
    """
    if not words or words[0] != "curl":
        raise ConfigError("not a curl command: it does not begin with curl")
    url, bodies = _url_and_bodies(words[1:])
    found = _URL.fullmatch(url or "")
    if not found:
        raise ConfigError("not a deidentify call: expected a URL …/v1/projects/…:deidentify (or v1beta1)")
    if len(bodies) != 1:
        raise ConfigError("not a deidentify call: expected exactly one --data")
    if bodies[0].startswith("@"):
        raise ConfigError("the body is in a file: read that file with from_file of the request's class")
    # The URL names version and source; headers and tokens of the command are ignored.
    return Command(cast("ApiVersion", found.group(1)), source_name(found.group(2)), parse_json(bodies[0]))


def _url_and_bodies(words: Sequence[str]) -> tuple[str | None, list[str]]:
    url: str | None = None
    bodies: list[str] = []
    rest = iter(words)
    for word in rest:
        option, has_value, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if option in _DATA:
            bodies.append(value if has_value else next(rest, ""))
        elif option == "--url":
            url = value if has_value else next(rest, "")
        elif option in _WITH_VALUE:
            if not has_value:
                next(rest, None)
        elif word[:2] in {"-d", "-H", "-X"} and len(word) > 2:
            bodies += [word[2:]] if word[1] == "d" else []
        elif not word.startswith("-"):
            url = word
    return url, bodies
