"""`RootConfig`: methods that both versions' `DeidentifyConfig` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

from healthcare_deid.config.base.field_types import ApiVersion
from healthcare_deid.config.base.message import Message

if TYPE_CHECKING:
    from healthcare_deid.config.checks.findings import Finding
    from healthcare_deid.config.dialects.command import SourceName
    from healthcare_deid.config.parts import ConfigParts


_DESTINATIONS = {"destinationDataset", "destination_dataset", "destinationStore", "destination_store"}


class RootConfig(Message):
    """The root of a config tree.

    Attributes:
        api_version: API version of the tree.
    """

    api_version: ClassVar[ApiVersion]

    def parts(self) -> ConfigParts:
        """Return the config's fields in a form common to both versions."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, text: str | bytes, *, strict: bool = False) -> Self:
        """Parse the API's JSON, as leniently as the service unless ``strict``.

        The body of a deidentify request is accepted too, as it stands in the tutorial's curl commands, unless
        ``strict``. Its config is used and its destination ignored.

        Raises:
            ConfigError: The text is not JSON, or the message is wrong.
        """
        from healthcare_deid.config.dialects.json_text import parse_json

        value = parse_json(text, strict=strict)
        if not strict and isinstance(value, dict):
            value = _without_request(cast("dict[str, Any]", value))
        return cls.from_api(value, strict=strict)

    def checks(self) -> tuple[Finding, ...]:
        """Return findings about wrong or surprising values, the worst first."""
        from healthcare_deid.config.checks.whole import check

        return check(self.parts())

    def to_curl(self, source: str | SourceName, destination: str | SourceName, *, reveal_keys: bool = False) -> str:
        """Return a curl command that starts the operation.

        Args:
            source: Full name of the dataset or store to de-identify; its kind selects the method.
            destination: Full name of the dataset or store to write.
            reveal_keys: Write keys into the command. By default the command reads each key from an environment
                variable (``DEID_CRYPTO_KEY_1`` and so on), listed in its first lines.

        Raises:
            ResourceNameError: A name is malformed, or source and destination are of different kinds.
        """
        from healthcare_deid.config.dialects.command import command_of
        from healthcare_deid.config.dialects.curl import write_curl

        keys = () if reveal_keys else tuple(item.crypto_key for _, item in self.parts().keyed() if item.crypto_key)
        return write_curl(command_of(self.api_version, self.to_api(), source, destination), hide=keys)

    def to_gcloud(self, source: str | SourceName, destination: str | SourceName, *, wait: bool = False) -> str:
        """Return a gcloud command that starts the operation.

        Args:
            source: Full name of the dataset or store to de-identify; its kind selects the command.
            destination: Full name of the dataset or store to write.
            wait: Let gcloud wait for the operation; by default the command has ``--async``.

        Raises:
            ConfigError: "gcloud cannot express: …", with every such field.
            ResourceNameError: A name is malformed, or source and destination are of different kinds.
        """
        from healthcare_deid.config.dialects.command import command_of
        from healthcare_deid.config.dialects.gcloud import write_gcloud

        return write_gcloud(command_of(self.api_version, self.to_api(), source, destination), wait=wait)

    def __repr__(self) -> str:
        """Summarize tags, text and pixels, without keys."""
        from healthcare_deid.config.summary import as_text

        return as_text(self.parts())

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Summarize the config as a table for notebooks."""
        from healthcare_deid.config.summary import as_html

        return as_html(self.parts())


def _without_request(value: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a deidentify request.

    The request is returned unchanged if it has other fields than its destination.
    """
    # Google's tutorial prints whole requests, so pasted JSON often has the config one level down.
    others = value.keys() - {"config"}
    return value["config"] if "config" in value and others and others <= _DESTINATIONS else value
