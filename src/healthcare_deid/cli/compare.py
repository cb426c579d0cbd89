"""``healthcare-deid compare``: what became of every tag and of the pixels, whoever de-identified."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.output import emit, with_format
from healthcare_deid.cli.paths import named, shows_paths, with_paths
from healthcare_deid.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import FileDataset

    from healthcare_deid.cli.instances import Unreadable
    from healthcare_deid.report import Comparison


@click.command("compare")
@click.argument("before", type=click.Path(exists=True, path_type=Path))
@click.argument("after", type=click.Path(exists=True, path_type=Path))
@click.option("--pictures", type=click.Path(file_okay=False, path_type=Path), help="Write before/after pictures here.")
@click.option("--no-pixels", is_flag=True, help="Compare tags only.")
@with_paths
@with_format("table")
def command(before: Path, after: Path, pictures: Path | None, no_pixels: bool, style: str) -> None:
    """Compare the DICOM files BEFORE with their de-identified counterparts AFTER: two files, or two folders.

    Counterparts in folders are found by SOP Instance UID: the same one, the one that Google's rule makes of it, or else
    by the same relative path. No value is printed; the pictures show the originals: keep them where those may be.
    JSON and YAML name the files.

    The exit code is 3 when an instance has no counterpart or cannot be read.
    """
    from healthcare_deid.engine.silence import quiet

    with quiet():  # pydicom's warnings quote values
        _compare(before, after, pictures, no_pixels=no_pixels, style=style)


def _compare(before: Path, after: Path, pictures: Path | None, *, no_pixels: bool, style: str) -> None:
    from healthcare_deid.cli.instances import Unreadable
    from healthcare_deid.report import compare, summary_table, write_before_after

    unreadable = Unreadable()
    found: list[tuple[Path, Path, Comparison]] = []
    alone = 0
    for old_path, old, match in _pairs(before, after, unreadable):
        if match is None:
            alone += 1
            click.echo(f"no counterpart: {named(old_path)}", err=True)
            continue
        new_path, new = match
        found.append((old_path, new_path, compare(old, new, pixels=not no_pixels)))
        if pictures is not None:
            _picture(write_before_after, old, new, pictures / f"{len(found):04d}-{old_path.stem}.png")
    if not found and not alone:
        raise CommandError("no DICOM instance was read: nothing was compared")
    if style == "table":
        click.echo(summary_table([comparison for _, _, comparison in found]))
        for line in _pixel_lines(found):
            click.echo(line)
    else:
        emit([_api(*entry) for entry in found], style, {})
    if alone or unreadable.count:
        raise SystemExit(Exit.PARTIAL)


def _pairs(
    before: Path, after: Path, unreadable: Unreadable
) -> Iterator[tuple[Path, FileDataset, tuple[Path, FileDataset] | None]]:
    """Yield every original with its counterpart, if it has one."""
    from healthcare_deid.cli.instances import instances
    from healthcare_deid.engine import UidMapper

    by_uid = {str(new.get("SOPInstanceUID", "")): path for path, new in instances(after, unreadable)}
    new_uid = UidMapper().map
    for path, old in instances(before, unreadable):
        uid = str(old.get("SOPInstanceUID", ""))
        there = by_uid.get(new_uid(uid)) or by_uid.get(uid) if uid else None
        if there is None and after.is_dir() and before.is_dir() and (after / path.relative_to(before)).is_file():
            there = after / path.relative_to(before)
        if there is None and after.is_file() and before.is_file():
            there = after
        match = next(instances(there, unreadable), None) if there is not None else None
        yield path, old, match


def _picture(write: Any, old: FileDataset, new: FileDataset, path: Path) -> None:
    try:
        write(old, new, path)
    except Exception as error:  # noqa: BLE001 - whatever a decoder raises: the comparison stands without the picture
        reason = str(error) if isinstance(error, EngineError) else type(error).__name__
        click.echo(f"no picture: {named(path)}: {reason}", err=True)


def _pixel_lines(found: list[tuple[Path, Path, Comparison]]) -> Iterator[str]:
    for number, (old_path, _, comparison) in enumerate(found, 1):
        name = old_path.name if shows_paths() else f"instance {number}"
        if comparison.pixels is not None:
            change = comparison.pixels
            where = f"{name} ({change.frames} frame{'s' * (change.frames != 1)})"
            yield f"pixels   {change.changed_fraction:8.1%}  changed in {where}"
        elif comparison.note:
            yield f"pixels          ?  {name}: {comparison.note}"


def _api(old_path: Path, new_path: Path, comparison: Comparison) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "before": str(old_path),
        "after": str(new_path),
        "elements": [
            {"path": element.path, "name": element.name, "vr": element.vr, "verdict": str(element.verdict)}
            for element in comparison.elements
        ],
    }
    if comparison.pixels is not None:
        change = comparison.pixels
        shown["pixels"] = {
            "frames": change.frames,
            "changedFrames": change.changed_frames,
            "changedFraction": change.changed_fraction,
            "box": list(change.box) if change.box else None,
        }
    if comparison.note:
        shown["note"] = comparison.note
    return shown
