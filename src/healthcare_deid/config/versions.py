"""Types that differ between v1 and v1beta1, and configs whose version their fields tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, assert_never

from healthcare_deid.config.base.problems import has_beta_only
from healthcare_deid.config.v1 import requests as v1_requests
from healthcare_deid.config.v1.deidentify import DeidentifyConfig
from healthcare_deid.config.v1beta1 import requests as v1beta1_requests
from healthcare_deid.config.v1beta1.deidentify import DeidentifyConfig as DeidentifyConfigV1Beta1
from healthcare_deid.errors import ConfigError
from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from healthcare_deid.config.base.field_types import ApiVersion
    from healthcare_deid.config.dialects.command import SourceName

AnyDeidentifyConfig: TypeAlias = DeidentifyConfig | DeidentifyConfigV1Beta1
"""A config of either version."""

AnyRequest: TypeAlias = (
    v1_requests.DeidentifyDatasetRequest
    | v1_requests.DeidentifyDicomStoreRequest
    | v1_requests.DeidentifyFhirStoreRequest
    | v1beta1_requests.DeidentifyDatasetRequest
    | v1beta1_requests.DeidentifyDicomStoreRequest
    | v1beta1_requests.DeidentifyFhirStoreRequest
)
"""The body of a deidentify call of either version."""

_REQUESTS: dict[tuple[ApiVersion, type[SourceName]], type[AnyRequest]] = {
    ("v1", DatasetName): v1_requests.DeidentifyDatasetRequest,
    ("v1", DicomStoreName): v1_requests.DeidentifyDicomStoreRequest,
    ("v1", FhirStoreName): v1_requests.DeidentifyFhirStoreRequest,
    ("v1beta1", DatasetName): v1beta1_requests.DeidentifyDatasetRequest,
    ("v1beta1", DicomStoreName): v1beta1_requests.DeidentifyDicomStoreRequest,
    ("v1beta1", FhirStoreName): v1beta1_requests.DeidentifyFhirStoreRequest,
}


def config_class(version: ApiVersion) -> type[AnyDeidentifyConfig]:
    """Return the `DeidentifyConfig` of a version."""
    match version:
        case "v1":
            return DeidentifyConfig
        case "v1beta1":
            return DeidentifyConfigV1Beta1
        case _:
            assert_never(version)


def request_class(version: ApiVersion, source: SourceName) -> type[AnyRequest]:
    """Return the class of the deidentify request for a source."""
    return _REQUESTS[version, type(source)]


def read_config(path: str | Path, *, api_version: ApiVersion | None = None) -> AnyDeidentifyConfig:
    """Read a config file of either version: ``.json``, ``.yaml`` or ``.yml``.

    A field or value that only v1beta1 has makes it a v1beta1 config. A file that is valid in both is a v1 config.

    Args:
        path: The file.
        api_version: The version, if it is known.

    Raises:
        ConfigError: The config is invalid, or uses both v1beta1's fields and those that they replace.
        OSError: The file cannot be read.
    """
    return _of_either(lambda message: message.from_file(path), api_version)


def parse_config(text: str, *, api_version: ApiVersion | None = None) -> AnyDeidentifyConfig:
    """Parse a config of either version from JSON or YAML, as `read_config` does.

    Raises:
        ConfigError: The config is invalid, or uses both v1beta1's fields and those that they replace.
        MissingExtraError: *text* is YAML and the extra ``[yaml]`` is not installed.
    """
    # Every JSON text is YAML too, but JSON needs no extra.
    is_json = text.lstrip().startswith("{")
    return _of_either(lambda message: message.from_json(text) if is_json else message.from_yaml(text), api_version)


def _of_either(
    read: Callable[[type[AnyDeidentifyConfig]], AnyDeidentifyConfig], version: ApiVersion | None
) -> AnyDeidentifyConfig:
    if version is not None:
        return read(config_class(version))
    try:
        return read(DeidentifyConfig)
    except ConfigError as error:
        if not has_beta_only(error):
            raise
    # Every field of v1 exists in v1beta1 too, so no other reading is left.
    config = read(DeidentifyConfigV1Beta1)
    for finding in config.checks():
        if finding.code == "both-trees":
            rule = f"the config has fields of both versions: {finding.message} {finding.remedy}"
            raise ConfigError(rule, problems=[(finding.path, rule)])
    return config
