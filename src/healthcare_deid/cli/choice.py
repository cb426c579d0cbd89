"""Config of a command, from a file, a preset or gcloud's flags, checked before the command runs."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import CommandError
from healthcare_deid.cli.keys import key_options, read_key, with_key
from healthcare_deid.cli.log import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthcare_deid.cli.log import Level
    from healthcare_deid.config import AnyDeidentifyConfig, ApiVersion, DeidentifyConfig

PRESETS = {
    "basic-profile": "basic_confidentiality_profile",
    "contents": "transform_contents_and_sensitive_text",
    "minimal": "remove_metadata_and_all_text",
    "tutorial-tags": "keep_tags_and_redact_all_text",
}
"""Name of a preset on the command line → in `healthcare_deid.presets`."""
CONFIG_SUFFIXES = frozenset({".json", ".yaml", ".yml"})
_TEXT_MODES = {"all": "REDACT_ALL_TEXT", "sensitive": "REDACT_SENSITIVE_TEXT", "none": "REDACT_NO_TEXT"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Config options of a command.

    Attributes:
        file: A config as JSON or YAML.
        preset: Name of a preset.
        filter_tags: gcloud's ``--dicom-filter-tags``.
        text_mode: gcloud's ``--text-redaction-mode``, and the two modes that gcloud lacks.
        default_fhir: gcloud's ``--default-fhir-config``.
        key_file: A file with a key.
        ask_key: Ask for a key.
        ignore_findings: Continue if a check finds that the config does not do what it says.
        api_version: API version of the config in the file; by default its fields tell.
    """

    file: Path | None = None
    preset: str | None = None
    filter_tags: str | None = None
    text_mode: str | None = None
    default_fhir: bool = False
    key_file: Path | None = None
    ask_key: bool = False
    ignore_findings: bool = False
    api_version: ApiVersion | None = None

    @property
    def by_flags(self) -> bool:
        """Whether gcloud's flags make the config."""
        return self.filter_tags is not None or self.text_mode is not None or self.default_fhir

    def read(self, api_version: ApiVersion | None = None, *, default: str | None = None) -> AnyDeidentifyConfig | None:
        """Return the config with the separately given key.

        Args:
            api_version: API version of the config in a file, where the command is about a service of that version.
            default: Preset to use when nothing is chosen.

        Raises:
            UsageError: More than one is chosen, or the config has no place for the key.
            ConfigError: The config is invalid.
        """
        given = (self.file is not None) + (self.preset is not None) + self.by_flags
        if given > 1:
            raise click.UsageError("give one of --config-file, --preset, and gcloud's flags for a config")
        if self.file is not None:
            return self._keyed(read_config(self.file, api_version or self.api_version))
        if self.api_version is not None:
            raise click.UsageError("--api-version is that of --config-file: give that too")
        if self.by_flags:
            return self._keyed(self._of_flags())
        name = self.preset or default
        if name is None and (self.key_file is not None or self.ask_key):
            raise click.UsageError("a key is given, but no config that takes it")
        return self._keyed(preset(name)) if name else None

    def check(
        self, config: AnyDeidentifyConfig, *, local: bool = False, settled: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Print the findings of the checks, and refuse a config with an error among them.

        Args:
            config: The config.
            local: Whether it is carried out on this machine, where findings about the service do not hold.
            settled: Whether an option of the command sees to a tag that the config keeps.

        Raises:
            CommandError: A finding is an error.
        """
        from healthcare_deid.config.checks.catalog import SERVICE_ONLY
        from healthcare_deid.config.checks.findings import Severity

        findings = [
            finding
            for finding in config.checks()
            if not (local and finding.code in SERVICE_ONLY) and not (finding.tags and all(map(settled, finding.tags)))
        ]
        for finding in findings:
            if finding.severity is not Severity.INFO:
                level: Level = "error" if finding.severity is Severity.ERROR else "warning"
                say(str(finding), "finding", level=level, code=finding.code)
        if any(finding.severity is Severity.ERROR for finding in findings) and not self.ignore_findings:
            raise CommandError("nothing was started; use --ignore-findings to start anyway")

    def _of_flags(self) -> DeidentifyConfig:
        from healthcare_deid.config.v1.deidentify import DeidentifyConfig

        body: dict[str, Any] = {}
        if self.filter_tags is not None:
            tags = [tag for tag in (part.strip() for part in self.filter_tags.split(",")) if tag]
            body["dicom"] = {"keepList": {"tags": tags}}
        if self.text_mode is not None:
            body["image"] = {"textRedactionMode": _TEXT_MODES[self.text_mode]}
        if self.default_fhir:
            body["fhir"] = {}
        return DeidentifyConfig.from_api(body)

    def _keyed(self, config: AnyDeidentifyConfig) -> AnyDeidentifyConfig:
        key = read_key(self.key_file, ask=self.ask_key)
        if key is None:
            return config
        keyed, places = with_key(config, key)
        if not places and (self.key_file is not None or self.ask_key):
            raise click.UsageError("a key is given, but nothing in the config lacks one")
        return keyed


def preset(name: str) -> DeidentifyConfig:
    """Return a preset by its name on the command line."""
    from healthcare_deid import presets

    made: DeidentifyConfig = getattr(presets, PRESETS[name])()
    return made


def read_config(file: Path, api_version: ApiVersion | None = None) -> AnyDeidentifyConfig:
    """Read a config of either version: ``.json``, ``.yaml`` or ``.yml``.

    Raises:
        ConfigError: The config is invalid.
    """
    from healthcare_deid.config import read_config

    return read_config(file, api_version=api_version)


def config_file_option(text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option ``--config-file``, which gives ``file``.

    Args:
        text: Its help.
    """
    return click.option(
        "--config-file",
        "--config",
        "file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help=text,
    )


api_version_option = click.option(
    "--api-version",
    type=click.Choice(["v1", "v1beta1"]),
    help="API version of the config file. Default: v1beta1 if it has a field that only v1beta1 has, otherwise v1.",
)
"""Option ``--api-version`` of commands that read a config and call no service."""
CONFIG_OPTIONS = (
    config_file_option("A config of either API version as JSON or YAML, or the body of a deidentify request."),
    click.option("--preset", type=click.Choice(sorted(PRESETS)), help="A ready config."),
    click.option(
        "--ignore-findings", is_flag=True, help="Start even if a check finds that the config does not do what it says."
    ),
)
_GCLOUD_IMAGE_OPTIONS = (
    click.option(
        "--dicom-filter-tags", "filter_tags", metavar="TAGS", help="Keep these tags: keywords, separated by commas."
    ),
    click.option(
        "--text-redaction-mode",
        "text_mode",
        type=click.Choice(sorted(_TEXT_MODES)),
        help="Burned-in text to cover; gcloud supports only 'all'.",
    ),
)
_GCLOUD_FHIR_OPTIONS = (
    click.option(
        "--default-fhir-config", "default_fhir", is_flag=True, help="De-identify FHIR stores with the default config."
    ),
)


def with_choice(
    *, images: bool = False, fhir: bool = False, versions: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options for a config to a command, whose function receives ``choice``.

    Args:
        versions: ``--api-version`` too, for a command without a service, whose version it otherwise is.
        images: gcloud's flags for tags and burned-in text too.
        fhir: gcloud's flag for FHIR too.
    """
    options = (
        *CONFIG_OPTIONS,
        *(_GCLOUD_IMAGE_OPTIONS if images else ()),
        *(_GCLOUD_FHIR_OPTIONS if fhir else ()),
        *((api_version_option,) if versions else ()),
    )

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(function)
        def chosen(
            *,
            file: Path | None,
            preset: str | None,
            ignore_findings: bool,
            crypto_key_file: Path | None,
            ask_crypto_key: bool,
            filter_tags: str | None = None,
            text_mode: str | None = None,
            default_fhir: bool = False,
            **others: Any,
        ) -> None:
            version = others.pop("api_version") if versions else None
            choice = Choice(
                file,
                preset,
                filter_tags,
                text_mode,
                default_fhir,
                crypto_key_file,
                ask_crypto_key,
                ignore_findings,
                version,
            )
            function(choice=choice, **others)

        command = key_options(chosen)
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
