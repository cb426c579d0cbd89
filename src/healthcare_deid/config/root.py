"""What the `DeidentifyConfig` of both versions can do beside holding fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, cast

from healthcare_deid.config.message import Message

if TYPE_CHECKING:
    from healthcare_deid.config.findings import Finding
    from healthcare_deid.names import DatasetName, DicomStoreName, FhirStoreName


ApiVersion: TypeAlias = Literal["v1", "v1beta1"]
_DESTINATIONS = {"destinationDataset", "destination_dataset", "destinationStore", "destination_store"}


class RootConfig(Message):
    """The root of a config tree.

    Attributes:
        api_version: The version of the API that the tree belongs to.
    """

    api_version: ClassVar[ApiVersion]

    @classmethod
    def from_json(cls, text: str | bytes, *, strict: bool = False) -> Self:
        """Parse the API's JSON as forgivingly as the service: see `healthcare_deid.config.lenient`.

        Unless ``strict``, the body of a deidentify request will do, as it stands in the tutorial's curl commands: the
        config in it is taken, and its destination, which is the call's affair, is not.

        Raises:
            ConfigError: The text is no JSON, or the message is wrong.
        """
        from healthcare_deid.config.lenient import parse_json

        value = parse_json(text, strict=strict)
        if not strict and isinstance(value, dict):
            value = _without_request(cast("dict[str, Any]", value))
        return cls.from_api(value, strict=strict)

    def checks(self) -> tuple[Finding, ...]:
        """Return what is legal but wrong or surprising, the worst first; see `healthcare_deid.config.checks`."""
        from healthcare_deid.config.checks import check

        return check(self)

    def to_curl(
        self,
        source: str | DatasetName | DicomStoreName | FhirStoreName,
        destination: str | DatasetName | DicomStoreName | FhirStoreName,
        *,
        reveal_keys: bool = False,
    ) -> str:
        """Return a curl command that starts the operation.

        Args:
            source: Full name of what is de-identified; its kind picks the method.
            destination: Full name of what is written.
            reveal_keys: Write the keys out. By default the command reads each from an environment variable,
                ``DEID_CRYPTO_KEY_1`` and on, and says so in its first lines.

        Raises:
            ResourceNameError: A name is none, or the two are not of one kind.
        """
        from healthcare_deid.config.convert import to_curl

        return to_curl(self, source, destination, reveal_keys=reveal_keys)

    def to_gcloud(
        self,
        source: str | DatasetName | DicomStoreName | FhirStoreName,
        destination: str | DatasetName | DicomStoreName | FhirStoreName,
        *,
        wait: bool = False,
    ) -> str:
        """Return a gcloud command that starts the operation.

        Args:
            source: Full name of what is de-identified; its kind picks the command.
            destination: Full name of what is written.
            wait: Let gcloud wait for the end; by default the command has ``--async``.

        Raises:
            ConfigError: "gcloud cannot express: …", with every field it cannot.
            ResourceNameError: A name is none, or the two are not of one kind.
        """
        from healthcare_deid.config.convert import to_gcloud

        return to_gcloud(self, source, destination, wait=wait)

    def __repr__(self) -> str:
        """Show the config at a glance: what is kept, removed, transformed, and how pixels are treated."""
        from healthcare_deid.config.glance import as_text

        return as_text(self)

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """Show the config at a glance in a notebook."""
        from healthcare_deid.config.glance import as_html

        return as_html(self)


def _without_request(value: dict[str, Any]) -> dict[str, Any]:
    """Return the config of a deidentify request that says nothing else but its destination."""
    others = value.keys() - {"config"}
    return value["config"] if "config" in value and others and others <= _DESTINATIONS else value
