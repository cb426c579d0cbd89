"""Command line: a files-to-files pipeline on any Beam runner."""

from __future__ import annotations

import argparse
import json
import logging
from typing import TYPE_CHECKING, Any

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines import places
from healthcare_deid.pipelines.beam.files import DeidentifyFiles
from healthcare_deid.pipelines.configs import config_of
from healthcare_deid.pipelines.secrets import SecretSource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthcare_deid.pipelines.beam.common import DeadLetter


def run(arguments: Sequence[str] | None = None) -> None:
    """Run the pipeline for the given arguments and wait for it."""
    parser = _parser()
    # Unknown options belong to Beam and the runner.
    ours, flags = parser.parse_known_args(arguments)
    try:
        transform = DeidentifyFiles(
            ours.input,
            ours.output,
            config_of(places.read(ours.config).decode("utf-8"), ours.api_version),
            secret=_secret(ours),
            source_names=ours.source_names,
            records=bool(ours.records),
            endpoint=ours.endpoint,
        )
    except (ConfigError, OSError, UnicodeDecodeError) as error:
        # The text of an OSError holds a path, which may identify a patient.
        parser.error(str(error) if isinstance(error, ConfigError) else f"a file cannot be read: {type(error).__name__}")
    with beam.Pipeline(options=PipelineOptions(flags)) as pipeline:
        done = pipeline | "De-identify" >> transform
        _ = (
            done.dead_letters
            | "As lines" >> beam.Map(_line)
            | "All of them" >> beam.combiners.ToList()
            | "Write dead letters" >> beam.Map(_write_lines, place=ours.dead_letters)
        )
        if ours.records:
            # A single file, as in the record of a run, instead of one per shard.
            _ = done.records | "Write records" >> beam.io.WriteToText(ours.records, shard_name_template="")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m healthcare_deid.pipelines.beam",
        description="De-identify files on an Apache Beam runner. Options of Beam and of the runner may follow.",
    )
    parser.add_argument(
        "--input", required=True, action="append", help="file, folder, glob, URL or DICOM store; repeatable"
    )
    parser.add_argument("--output", required=True, help="folder or URL for results")
    parser.add_argument("--config", required=True, help="config file, JSON or YAML, without keys")
    parser.add_argument(
        "--api-version", choices=("v1", "v1beta1"), help="API version of the config; by default its fields tell"
    )
    parser.add_argument(
        "--dead-letters", required=True, help="file for instances without a result: one JSON object per line"
    )
    parser.add_argument("--records", help="file for the record: one JSON object per result and line")
    parser.add_argument(
        "--source-names", action="store_true", help="include source names in dead letters (they may identify patients)"
    )
    parser.add_argument("--endpoint", help="endpoint of the service with the DICOM store")
    secret_options = parser.add_mutually_exclusive_group()
    secret_options.add_argument("--secret-file", help="file with the project's secret, on every worker")
    secret_options.add_argument("--secret-env", help="environment variable with the secret, on every worker")
    secret_options.add_argument("--secret-manager", help="secret in Secret Manager: projects/…/secrets/…/versions/…")
    return parser


def _secret(ours: argparse.Namespace) -> SecretSource | None:
    if ours.secret_file:
        return SecretSource.file(ours.secret_file)
    if ours.secret_env:
        return SecretSource.environment(ours.secret_env)
    return SecretSource.secret_manager(ours.secret_manager) if ours.secret_manager else None


def _line(letter: DeadLetter) -> str:
    fields: dict[str, Any] = letter._asdict()
    return json.dumps(fields)


def _write_lines(lines: list[str], place: str) -> None:
    places.write(place, "".join(f"{line}\n" for line in sorted(lines)).encode())


def main() -> None:
    """Run the command."""
    logging.getLogger().setLevel(logging.WARNING)
    run()
