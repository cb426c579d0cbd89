"""Configs as commands: curl and gcloud, in both directions. `from_curl` and `from_gcloud` read what people paste."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, cast

from healthcare_deid.config.calls import ApiVersion, Call, call_of, request_class, source_name
from healthcare_deid.config.checks.reading import keyed
from healthcare_deid.config.lenient import parse_json
from healthcare_deid.config.shell import split_words
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.config.calls import SourceName
    from healthcare_deid.config.deidentify import AnyDeidentifyConfig
    from healthcare_deid.config.root import RootConfig

__all__ = ["Call", "from_curl", "from_gcloud", "to_curl", "to_gcloud"]

_HOST = "https://healthcare.googleapis.com"
_URL = re.compile(r"https?://[^/]+/(v1|v1beta1)/(projects/[^?#]+):deidentify(?:[?#].*)?")
_DATA = frozenset({"-d", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"})
_WITH_VALUE = frozenset(
    {"-H", "--header", "-X", "--request", "-o", "--output", "-u", "--user", "-A", "--user-agent", "-m", "--max-time"}
    | {"-w", "--write-out", "--retry", "--connect-timeout", "--cacert", "--oauth2-bearer", "-x", "--proxy"}
)
_MARK = "\x00{}\x00"


def to_curl(
    config: RootConfig, source: str | SourceName, destination: str | SourceName, *, reveal_keys: bool = False
) -> str:
    """Return a curl command; see `RootConfig.to_curl`."""
    root = cast("AnyDeidentifyConfig", config)
    call = call_of(root, source, destination)
    variables: dict[str, str] = {}
    lines: list[str] = []
    if not reveal_keys:
        for _, item in keyed(root):
            if item.crypto_key is not None and item.crypto_key.to_base64() not in variables:
                name = f"DEID_CRYPTO_KEY_{len(variables) + 1}"
                variables[item.crypto_key.to_base64()] = name
                lines.append(f"#   export {name}=<the {len(item.crypto_key) * 8}-bit key, base64>")
    if lines:
        lines.insert(0, "# The keys are not written here: set each variable first.")
    body = json.dumps(_with_marks(call.request.to_api(), variables), indent=2, ensure_ascii=False)
    quoted = shlex.quote(body)
    for name in variables.values():
        quoted = quoted.replace(json.dumps(_MARK.format(name))[1:-1], f"'\"${{{name}:?}}\"'")
    return "\n".join(
        [
            *lines,
            "curl -X POST \\",
            '    -H "Authorization: Bearer $(gcloud auth print-access-token)" \\',
            '    -H "Content-Type: application/json; charset=utf-8" \\',
            f"    --data {quoted} \\",
            f"    {shlex.quote(f'{_HOST}/{call.version}/{call.source}:deidentify')}",
        ]
    )


def _with_marks(value: Any, variables: Mapping[str, str]) -> Any:
    """Return the JSON with every key that has a variable replaced by that variable's mark."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {
            name: _MARK.format(variables[item])
            if name == "cryptoKey" and isinstance(item, str) and item in variables
            else _with_marks(item, variables)
            for name, item in fields.items()
        }
    if isinstance(value, list):
        return [_with_marks(item, variables) for item in value]
    return value


def from_curl(text: str, *, environment: Mapping[str, str] | None = None) -> Call:
    """Read a curl command that calls ``:deidentify``, such as those of Google's tutorial.

    Args:
        text: The command, with its continued lines.
        environment: Values for ``$NAME``; a name that is missing stays as written.

    Raises:
        ConfigError: It is no such command, or its body is wrong.
        ResourceNameError: Its URL names no dataset, DICOM store or FHIR store.
    """
    words = split_words(text, environment)
    if not words or words[0] != "curl":
        raise ConfigError("not a curl command: it does not begin with curl")
    url, bodies = _curl_parts(words[1:])
    found = _URL.fullmatch(url or "")
    if not found:
        raise ConfigError("not a de-identify call: a URL …/v1/projects/…:deidentify (or v1beta1) is needed")
    version = cast("ApiVersion", found.group(1))
    source = source_name(found.group(2))
    if len(bodies) != 1:
        raise ConfigError("not a de-identify call: one --data is needed")
    if bodies[0].startswith("@"):
        raise ConfigError("the body is in a file: read it with from_file of the request's class")
    return Call(version, source, request_class(version, source).from_api(parse_json(bodies[0])))


def _curl_parts(words: list[str]) -> tuple[str | None, list[str]]:
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


def to_gcloud(
    config: RootConfig, source: str | SourceName, destination: str | SourceName, *, wait: bool = False
) -> str:
    """Return a gcloud command; see `RootConfig.to_gcloud`."""
    from healthcare_deid.config.gcloud import command

    return command(call_of(cast("AnyDeidentifyConfig", config), source, destination), wait=wait)


def from_gcloud(
    text: str,
    *,
    project: str | None = None,
    location: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Call:
    """Read a ``gcloud healthcare … deidentify`` command.

    Args:
        text: The command, with its continued lines.
        project: The project, where the command names none (gcloud's property ``core/project``).
        location: The location, where the command names none (gcloud's property ``healthcare/location``).
        environment: Values for ``$NAME``; a name that is missing stays as written.

    Raises:
        ConfigError: It is no such command, or a flag is unknown.
        ResourceNameError: A name is incomplete.
    """
    from healthcare_deid.config.gcloud import parse

    return parse(split_words(text, environment), project=project, location=location)
