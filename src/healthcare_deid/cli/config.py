"""``healthcare-deid config``: write, check, show and convert configs."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.choice import CONFIG_SUFFIXES, PRESETS, api_version_option, preset, read_config
from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.keys import VARIABLE, without_keys, write_new_key
from healthcare_deid.cli.log import counted, say
from healthcare_deid.cli.recipes import read_recipe, report

if TYPE_CHECKING:
    from healthcare_deid.config import AnyDeidentifyConfig, ApiVersion, DeidentifyCall

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_MADE_VERSION = click.option(
    "--api-version",
    type=click.Choice(["v1", "v1beta1"]),
    default="v1",
    show_default=True,
    help="API version to write.",
)


@click.group("config")
def command() -> None:
    """Write, check, show and convert configs."""


@command.command()
@click.argument("file", type=_FILE)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning"]),
    default="error",
    show_default=True,
    help="Exit with code 8 for findings of at least this severity.",
)
@click.option(
    "--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Output format."
)
@api_version_option
def check(file: Path, fail_on: str, style: str, api_version: ApiVersion | None) -> None:
    """List values in FILE that are legal but wrong or surprising."""
    from healthcare_deid.config import Severity

    findings = read_config(file, api_version).checks()
    if style == "json":
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        click.echo("\n".join(map(str, findings)) or "nothing found")
    if any(finding.severity.rank <= Severity(fail_on).rank for finding in findings):
        raise SystemExit(Exit.FINDINGS)


@command.command()
@_MADE_VERSION
def schema(api_version: ApiVersion) -> None:
    """Print the JSON Schema of a config, for editors and validators."""
    from healthcare_deid.config import published_schema

    click.echo(published_schema(api_version), nl=False)


@command.command()
@click.argument("file", type=_FILE)
@api_version_option
def show(file: Path, api_version: ApiVersion | None) -> None:
    """Summarize what FILE keeps, removes, transforms and covers."""
    click.echo(repr(read_config(file, api_version)))


@command.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--preset", "name", type=click.Choice(sorted(PRESETS)), default="minimal", show_default=True)
@_MADE_VERSION
@click.option("--force", is_flag=True, help="Overwrite existing files.")
def init(file: Path, name: str, api_version: ApiVersion, force: bool) -> None:
    """Write a preset to FILE (.yaml or .json) as a starting point.

    For a .yaml FILE, the JSON Schema is written beside it, so that editors complete and check it.
    """
    from healthcare_deid.config import SCHEMA_FILES, published_schema

    config: AnyDeidentifyConfig = preset(name)
    if api_version != config.api_version:
        config = _migrated(config)
    schema_file = file.with_name(SCHEMA_FILES[config.api_version])
    is_yaml = file.suffix.lower() in CONFIG_SUFFIXES - {".json"}
    if is_yaml:
        notes = "".join(f"# {line}\n" for line in repr(config).splitlines()[1:])
        reference = f"# yaml-language-server: $schema={schema_file.name}"
        text = f"{reference}\n# The preset '{name}':\n{notes}{config.to_yaml()}"
    elif file.suffix.lower() == ".json":
        text = f"{config.to_json()}\n"
    else:
        raise click.UsageError("FILE must end in .yaml, .yml or .json")
    try:
        with file.open("w" if force else "x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise CommandError("FILE exists; --force overwrites it") from None
    click.echo(f"wrote {file}", err=True)
    if is_yaml and (force or not schema_file.exists()):
        schema_file.write_text(published_schema(config.api_version), encoding="utf-8")
        click.echo(f"wrote {schema_file}", err=True)


@command.command("new-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new_key(file: Path) -> None:
    """Write a new random key to FILE.

    Only you can read FILE. Use it with --crypto-key-file.

    Keep it: two runs shift a patient's dates by the same number of days only if they use the same key.
    """
    try:
        write_new_key(file)
    except FileExistsError:
        raise CommandError("FILE exists and may hold a key that is still needed, so it is not overwritten") from None
    click.echo(f"wrote a 256-bit key to {file}", err=True)


@command.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option(
    "--to", "form", type=click.Choice(["curl", "gcloud", "json", "yaml"]), required=True, help="Output format."
)
@click.option(
    "--from",
    "recipe",
    type=click.Choice(["ctp", "deid"]),
    help="Format of FILE: a CTP DICOM anonymizer script or a pydicom deid recipe. Default: detected.",
)
@click.option("--keep-private", is_flag=True, help="For deid: keep private attributes that the recipe does not name.")
@click.option("--source", metavar="NAME", help="For curl and gcloud: full name of the source.")
@click.option("--destination", metavar="NAME", help="For curl and gcloud: full name of the destination.")
@click.option("--v1beta1", "migrate", is_flag=True, help="Convert a v1 config to an equivalent v1beta1 config.")
@click.option("--reveal-keys", is_flag=True, help="Include keys; by default they are left out, with a message.")
@api_version_option
def convert(
    file: Path,
    form: str,
    recipe: str | None,
    keep_private: bool,
    source: str | None,
    destination: str | None,
    migrate: bool,
    reveal_keys: bool,
    api_version: ApiVersion | None,
) -> None:
    """Convert FILE to another form, on stdout.

    FILE is a config (.json, .yaml), a CTP DICOM anonymizer script, a pydicom deid recipe, or a text file with a curl or
    gcloud command that de-identifies, as in Google's tutorial; - reads from stdin. $VARIABLES are taken from the
    environment. No command is executed.

    A script or recipe becomes a v1beta1 config. Lines that cannot be converted are listed on stderr, and the exit code
    is then 3. Engine options that belong to the config are printed there too.
    """
    config: AnyDeidentifyConfig
    text = None if recipe is None and file.suffix.lower() in CONFIG_SUFFIXES else _text(file)
    conversion = read_recipe(text, recipe, keep_private=keep_private) if text is not None else None
    if conversion is not None:
        report(conversion, form if form == "json" else "yaml")
        config, call = conversion.config, None
    else:
        config, call = _read(file, text, api_version)
    if migrate:
        config = _migrated(config)
    if form in {"curl", "gcloud"}:
        click.echo(_command(config, call, form, source, destination, reveal_keys=reveal_keys))
        return
    if not reveal_keys:
        config, left_out = without_keys(config)
        if left_out:
            say(
                f"{counted(left_out, 'key')} left out: give them with --crypto-key-file or {VARIABLE} when the config "
                "is used, or write them here with --reveal-keys",
                level="warning",
            )
    click.echo(config.to_json() if form == "json" else config.to_yaml().rstrip())
    if conversion is not None and conversion.unconverted:
        raise SystemExit(Exit.PARTIAL)


def _text(file: Path) -> str:
    with click.open_file(str(file), encoding="utf-8", errors="replace") as stream:
        return str(stream.read())


def _read(
    file: Path, text: str | None, api_version: ApiVersion | None
) -> tuple[AnyDeidentifyConfig, DeidentifyCall | None]:
    """Return the config in a file, and the call if the file holds a command.

    Raises:
        CommandError: The command has no config.
        ConfigError: The text is neither a config nor a command, or is invalid.
    """
    if text is None:
        return read_config(file, api_version), None
    if text.lstrip().startswith("{"):
        from healthcare_deid.config.versions import parse_config

        return parse_config(text, api_version=api_version), None
    from healthcare_deid.config import from_curl, from_gcloud

    if text.lstrip().startswith("gcloud"):
        call = from_gcloud(
            text,
            project=os.environ.get("CLOUDSDK_CORE_PROJECT"),
            location=os.environ.get("CLOUDSDK_HEALTHCARE_LOCATION"),
            environment=os.environ,
        )
    else:
        call = from_curl(text, environment=os.environ)
    if call.request.config is None:
        raise CommandError("the command has no config to convert")
    return call.request.config, call


def _migrated(config: AnyDeidentifyConfig) -> AnyDeidentifyConfig:
    if config.api_version != "v1":
        raise click.UsageError("--v1beta1: the config is a v1beta1 config already")
    conversion = config.to_v1beta1()
    for difference in conversion.differences:
        say(f"differs at {difference}", level="warning")
    return conversion.config


def _command(
    config: AnyDeidentifyConfig,
    call: DeidentifyCall | None,
    form: str,
    source: str | None,
    destination: str | None,
    *,
    reveal_keys: bool,
) -> str:
    if call is not None:
        body: dict[str, Any] = call.request.to_api()
        source = source or str(call.source)
        destination = destination or body.get("destinationDataset") or body.get("destinationStore")
    if source is None or destination is None:
        raise click.UsageError(f"--source and --destination are needed for {form}")
    if form == "gcloud":
        return config.to_gcloud(source, destination)
    return config.to_curl(source, destination, reveal_keys=reveal_keys)
