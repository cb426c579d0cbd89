"""``healthcare-deid masks``: regions to cover, by device."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.log import counted
from healthcare_deid.cli.paths import print_failures, with_paths
from healthcare_deid.cli.progress import Progress
from healthcare_deid.engine.safe_errors import guarded
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydicom.dataset import Dataset


@click.group("masks")
def command() -> None:
    """Propose regions to cover, by device, for files --masks."""


@command.command("learn")
@click.argument("folder", metavar="FOLDER", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("masks.json"),
    show_default=True,
    help="Write the masks to this file.",
)
@click.option(
    "--pictures",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("masks-pictures"),
    show_default=True,
    help="Write a picture per device to this folder. It shows an original: store it as safely.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@with_paths
def learn(folder: Path, output: Path, pictures: Path, quiet: bool) -> None:
    """Propose masks from text that is in the same place in several instances of a device.

    Look at the pictures before you use the masks: no region covers text that was not found.

    The exit code is 3 if a file could not be read.
    """
    from healthcare_deid.engine.pixels.masks.learning import propose
    from healthcare_deid.engine.pixels.masks.mask_files import write_json

    failed: list[tuple[str, str, str]] = []
    paths = sorted(item for item in folder.rglob("*") if item.is_file()) if folder.is_dir() else [folder]
    with Progress(quiet=quiet) as progress:
        proposals = propose(_instances(progress.each(paths), failed))
    print_failures(failed)
    if not proposals:
        raise CommandError("there are no two instances of one device with pixels: nothing was learned")
    pictures.mkdir(parents=True, exist_ok=True)
    for number, proposal in enumerate(proposals, 1):
        path = pictures / f"device-{number}.png"
        proposal.picture.save(path)
        device = proposal.device
        regions = len(proposal.mask.regions) if proposal.mask else 0
        click.echo(
            f"{path}: {device.manufacturer} {device.model} {device.modality} {device.columns}x{device.rows}, "
            f"{counted(proposal.instances, 'instance')}, {counted(regions, 'region')}"
        )
    output.write_text(write_json(proposal.mask for proposal in proposals if proposal.mask), encoding="utf-8")
    click.echo(f"{output}: look at the pictures, then give it to files --masks")
    if failed:
        raise SystemExit(Exit.PARTIAL)


def _instances(paths: Iterable[Path], failed: list[tuple[str, str, str]]) -> Iterator[Dataset]:
    """Yield the instances in files, one in memory at a time; add those that are not DICOM to *failed*."""
    from healthcare_deid.engine.dicom.files import read

    for path in paths:
        try:
            dataset, _ = guarded(partial(read, path))
        except (EngineError, OSError) as error:
            failed.append(("not read", str(path), type(error).__name__))
        else:
            yield dataset
