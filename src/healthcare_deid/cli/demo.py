"""``healthcare-deid demo``: the tutorial's two use cases on sample images, and a page that shows the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthcare_deid.cli.progress import Progress

if TYPE_CHECKING:
    from healthcare_deid import DeidClient, DeidentifyConfig
    from healthcare_deid.report import Comparison

_STORE = "dataset1/dicomstore1"


@dataclass(frozen=True, slots=True)
class _UseCase:
    """Config of the tutorial, and the dataset it produces."""

    title: str
    dataset: str
    config: DeidentifyConfig


@dataclass(frozen=True, slots=True)
class _Shown:
    """Samples of one use case, before and after."""

    case: _UseCase
    comparisons: list[Comparison]
    pictures: list[Path]


@click.command("demo")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path("healthcare-deid-demo"))
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def command(folder: Path, quiet: bool) -> None:
    """De-identify sample images on this machine, as in Google's tutorial, and write a page to FOLDER.

    The samples are real scans with names, IDs and dates of invented patients in tags and pixels. No Google account is
    needed, and nothing is sent anywhere.
    """
    from healthcare_deid import DeidClient
    from healthcare_deid.emulator import Emulator
    from healthcare_deid.testing import write_samples

    scans = write_samples(folder / "scans")
    with Emulator(None) as emulator, DeidClient("MyProj", "us-central1", http=emulator.http()) as client:
        client.create_dataset("dataset1").result()
        client.create_dicom_store(_STORE)
        client.upload(_STORE, scans)
        shown: list[_Shown] = []
        for case in _use_cases():
            click.echo(f"Use case {case.title}")
            shown.append(_run(client, case, scans, folder, quiet=quiet))
            click.echo(_table(shown[-1].comparisons, most=12))
            click.echo()
    page = folder / "index.html"
    page.write_text(_page(shown, folder), encoding="utf-8")
    click.echo(f"originals, with invented patients: {folder / 'scans'}")
    click.echo(f"results:                           {', '.join(str(folder / item.case.dataset) for item in shown)}")
    click.echo(f"before and after, side by side:    {page.resolve().as_uri()}")


def _use_cases() -> list[_UseCase]:
    from healthcare_deid import presets

    contents = presets.transform_contents_and_sensitive_text(crypto_key=presets.generate_crypto_key())
    return [
        _UseCase("I: remove all metadata, cover all text", "deid-minimal", presets.remove_metadata_and_all_text()),
        _UseCase("II: transform metadata, cover sensitive text", "deid-contents", contents),
    ]


def _run(client: DeidClient, case: _UseCase, scans: list[Path], folder: Path, *, quiet: bool) -> _Shown:
    """De-identify the dataset, fetch the result and compare it with the originals.

    Raises:
        PartialFailure: A sample failed.
    """
    import pydicom

    from healthcare_deid import PollPolicy
    from healthcare_deid.engine import UidMapper
    from healthcare_deid.report import compare, write_before_after

    with Progress(quiet=quiet) as progress:
        operation = client.with_options(poll=PollPolicy(initial=0.05, maximum=1.0)).deidentify_dataset(
            "dataset1", case.dataset, case.config
        )
        operation.wait(on_progress=progress.show)
    operation.result(raise_on_partial=True)
    client.download(f"{case.dataset}/dicomstore1", folder / case.dataset, overwrite=True)
    results = {path.stem: path for path in (folder / case.dataset).rglob("*.dcm")}
    new_uid = UidMapper().map
    comparisons: list[Comparison] = []
    pictures: list[Path] = []
    for scan in scans:
        before = pydicom.dcmread(scan)
        after = pydicom.dcmread(results[new_uid(before.SOPInstanceUID)])
        comparisons.append(compare(before, after))
        pictures.append(write_before_after(before, after, folder / "pictures" / f"{case.dataset}-{scan.stem}.png"))
    return _Shown(case, comparisons, pictures)


def _table(comparisons: list[Comparison], most: int | None = None) -> str:
    from healthcare_deid.report import summary_table

    return summary_table(comparisons, most=most)


def _page(shown: list[_Shown], folder: Path) -> str:
    """Return the page with the outcome and pictures of each use case."""
    sections = "".join(
        f"<h2>Use case {escape(item.case.title)}</h2>"
        f"<pre>{escape(repr(item.case.config))}</pre>"
        + "".join(f'<p><img src="{escape(path.relative_to(folder).as_posix())}" alt=""></p>' for path in item.pictures)
        + f"<details><summary>What became of every attribute</summary><pre>{escape(_table(item.comparisons))}</pre>"
        "</details>"
        for item in shown
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>healthcare-deid demo</title>'
        "<style>body{font:16px system-ui;margin:2rem auto;max-width:70rem;padding:0 1rem}"
        "pre{background:#f4f4f5;padding:1rem;white-space:pre-wrap}img{max-width:100%}</style>"
        "<h1>De-identified on this machine</h1>"
        f"<p>The patients are invented; the scans are real.</p>{sections}</html>\n"
    )
