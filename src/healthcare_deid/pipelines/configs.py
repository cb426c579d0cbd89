"""Parsing of configs, and refusal of keys and secrets in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1 import DeidentifyConfig as DeidentifyConfigV1Beta1
from healthcare_deid.config.versions import parse_config
from healthcare_deid.errors import ConfigError, DeidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AnyConfig = DeidentifyConfig | DeidentifyConfigV1Beta1
# Arguments of Deidentifier whose values are secrets.
_SECRETS = ("secret", "salt", "patient_keys", "unwrapped_keys")


def config_of(text: str, api_version: str | None = None) -> AnyConfig:
    """Parse a config from JSON or YAML. Without *api_version*, its fields tell the version.

    Raises:
        ConfigError: *text* is not a valid config, or *api_version* is unknown.
        MissingExtraError: *text* is YAML and the extra ``[yaml]`` is not installed.
    """
    match api_version:
        case None | "v1" | "v1beta1":
            return parse_config(text, api_version=api_version)
        case _:
            raise ConfigError("api_version: must be 'v1' or 'v1beta1'")


def refuse_keys(config: AnyConfig) -> None:
    """Refuse a config that contains an unwrapped key.

    Pipelines and DAGs are stored and displayed together with their config.

    Raises:
        ConfigError: *config* contains an unwrapped key.
    """
    if any(_keys(config.to_api())):
        raise ConfigError(
            "the config contains a key, which would be stored and shown with the pipeline: remove it and pass the "
            "place of a secret (secret=) or of the whole config (gcs_config_uri=)"
        )


def refuse_text_with_keys(text: str, api_version: str | None) -> None:
    """Refuse a config text that contains an unwrapped key.

    A text that is not a valid config passes: it may be a template, and is checked again when filled in.

    Raises:
        ConfigError: *text* contains an unwrapped key.
    """
    try:
        config = config_of(text, api_version)
    except DeidError:
        return
    refuse_keys(config)


def refuse_secrets(options: Mapping[str, Any]) -> None:
    """Refuse arguments of `Deidentifier` that are secrets.

    Raises:
        ConfigError: *options* contains a secret.
    """
    given = [name for name in _SECRETS if options.get(name)]
    if given:
        raise ConfigError(f"{given[0]}: would be stored and shown with the pipeline; pass a SecretSource: secret=")


def _keys(message: Any, above: str = "") -> Iterator[str]:
    """Yield the unwrapped keys in a message.

    In ``kmsWrapped``, ``cryptoKey`` is the name of a KMS key and not a secret.
    """
    if isinstance(message, dict):
        for name, value in message.items():
            if name == "cryptoKey" and isinstance(value, str) and above != "kmsWrapped":
                yield value
            else:
                yield from _keys(value, name)
    elif isinstance(message, list):
        for item in message:
            yield from _keys(item, above)
