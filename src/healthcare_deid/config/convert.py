"""Configs from other notations: curl, gcloud, CTP, deid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from healthcare_deid.config.dialects.ctp_script import convert_ctp_script
from healthcare_deid.config.dialects.curl import read_curl
from healthcare_deid.config.dialects.deid_recipe import convert_deid_recipe
from healthcare_deid.config.dialects.gcloud import read_gcloud
from healthcare_deid.config.dialects.shell_words import split_words
from healthcare_deid.config.versions import request_class

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthcare_deid.config.base.field_types import ApiVersion
    from healthcare_deid.config.dialects.command import Command, SourceName
    from healthcare_deid.config.dialects.recipe import RecipeConversion
    from healthcare_deid.config.versions import AnyRequest

__all__ = ["DeidentifyCall", "from_ctp_script", "from_curl", "from_deid_recipe", "from_gcloud"]


@dataclass(frozen=True, slots=True)
class DeidentifyCall:
    """A call of ``datasets.deidentify``, ``dicomStores.deidentify`` or ``fhirStores.deidentify``.

    Attributes:
        version: API version.
        source: What is de-identified; its kind selects the method.
        request: The body.
    """

    version: ApiVersion
    source: SourceName
    request: AnyRequest


def from_curl(text: str, *, environment: Mapping[str, str] | None = None) -> DeidentifyCall:
    """Read a curl command that calls ``:deidentify``.

    The commands of Google's tutorial are read as printed.

    Args:
        text: The command, with its continued lines.
        environment: Values for ``$NAME``; other names stay as written.

    Raises:
        ConfigError: The command does not call ``:deidentify``, or its body is wrong.
        ResourceNameError: Its URL does not name a dataset, a DICOM store or a FHIR store.
    """
    return _call(read_curl(split_words(text, environment)))


def from_gcloud(
    text: str,
    *,
    project: str | None = None,
    location: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> DeidentifyCall:
    """Read a ``gcloud healthcare … deidentify`` command.

    Args:
        text: The command, with its continued lines.
        project: The project if the command names none (gcloud's property ``core/project``).
        location: The location if the command names none (gcloud's property ``healthcare/location``).
        environment: Values for ``$NAME``; other names stay as written.

    Raises:
        ConfigError: The command is another one, or a flag is unknown.
        ResourceNameError: A name is incomplete.
    """
    return _call(read_gcloud(split_words(text, environment), project=project, location=location))


def from_ctp_script(text: str) -> RecipeConversion:
    """Convert a script of the CTP DICOM anonymizer.

    The script may be XML or properties. It becomes a v1beta1 config and engine options.

    Example:
        >>> script = '<script><e en="T" t="00100010" n="PatientName">@remove()</e></script>'
        >>> conversion = from_ctp_script(script)
        >>> conversion.config.api_version, conversion.unconverted
        ('v1beta1', ())

    Args:
        text: The script.

    Raises:
        ConfigError: The text is not such a script.
    """
    return convert_ctp_script(text)


def from_deid_recipe(text: str, *, keep_private: bool = False) -> RecipeConversion:
    r"""Convert the header actions of a deid recipe.

    The recipe of pydicom's deid becomes a v1beta1 config and engine options.

    Example:
        >>> conversion = from_deid_recipe("FORMAT dicom\n%header\nBLANK PatientName")
        >>> conversion.unconverted
        ()

    Args:
        text: The recipe.
        keep_private: Keep private attributes that the recipe does not name. By default they are removed, because deid
            keeps or removes them depending on how it is called.

    Raises:
        ConfigError: The text is not such a recipe.
    """
    return convert_deid_recipe(text, keep_private=keep_private)


def _call(command: Command) -> DeidentifyCall:
    request = request_class(command.version, command.source).from_api(command.body)
    return DeidentifyCall(command.version, command.source, request)
