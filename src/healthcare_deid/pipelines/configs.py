"""Configs on their way through an engine: as text, read from files, and without keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
from healthcare_deid.errors import ConfigError, DeidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AnyConfig = DeidentifyConfig | DeidentifyConfigV1Beta1
_SECRETS = ("secret", "salt", "patient_keys", "unwrapped_keys")
"""Arguments of `Deidentifier` whose values are secrets."""


def config_of(text: str, api_version: str = "v1") -> AnyConfig:
    """Return the config that JSON or YAML says.

    Raises:
        ConfigError: *text* is not a config.
        MissingExtraError: YAML needs the extra ``[yaml]``.
    """
    if api_version not in ("v1", "v1beta1"):
        raise ConfigError('api_version is "v1" or "v1beta1"')
    message = DeidentifyConfig if api_version == "v1" else DeidentifyConfigV1Beta1
    return message.from_json(text) if text.lstrip().startswith("{") else message.from_yaml(text)


def refuse_keys(config: AnyConfig) -> None:
    """Refuse a config with a plain key: what holds it is stored and shown.

    Raises:
        ConfigError: It has one.
    """
    if any(_keys(config.to_api())):
        raise ConfigError(
            "the config holds a key, which would be stored and shown with the pipeline: leave it out and name the "
            "place of a secret (secret=), or of the whole config (gcs_config_uri=)"
        )


def refuse_text_with_keys(text: str, api_version: str) -> None:
    """Refuse a config's text with a plain key, as far as it can be read: a template is read when it is filled in.

    Raises:
        ConfigError: It has one.
    """
    try:
        config = config_of(text, api_version)
    except DeidError:
        return
    refuse_keys(config)


def refuse_secrets(options: Mapping[str, Any]) -> None:
    """Refuse arguments of `Deidentifier` that are secrets: what holds them is stored and shown.

    Raises:
        ConfigError: There is one.
    """
    given = [name for name in _SECRETS if options.get(name)]
    if given:
        raise ConfigError(f"{given[0]}: it would be stored and shown; name a secret's place instead: secret=")


def _keys(message: Any, above: str = "") -> Iterator[str]:
    """Yield the plain keys in a message; the ``cryptoKey`` of a wrapped one is a name."""
    if isinstance(message, dict):
        for name, value in message.items():
            if name == "cryptoKey" and isinstance(value, str) and above != "kmsWrapped":
                yield value
            else:
                yield from _keys(value, name)
    elif isinstance(message, list):
        for item in message:
            yield from _keys(item, above)
