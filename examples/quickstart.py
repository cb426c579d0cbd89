"""The tutorial's two use cases, end to end, on this machine and with no Google account.

A local lab (the Cloud Healthcare API over this package's own engine) gets a dataset and a DICOM store with five real
instances of three modalities, in which names, dates and burned-in text are planted. Then every config of Google's
tutorial "Using the Cloud Healthcare API to de-identify medical images" runs on it. At Google, one line changes::

    client = DeidClient(project="my-project", location="us-central1")
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import pydicom

from healthcare_deid import DeidClient, DeidentifyConfig, presets
from healthcare_deid.engine import UidMapper
from healthcare_deid.report import Comparison, compare, summary_table, write_before_after
from healthcare_deid.testing import write_samples

USE_CASES = {
    "I, keepList": (
        "deid-keep-list",
        presets.keep_tags_and_redact_all_text(),
        "keep the tutorial's fifteen tags, cover all burned-in text",
    ),
    "I, profile": (
        "deid-minimal",
        presets.remove_metadata_and_all_text(),
        "keep only what valid DICOM needs, cover all burned-in text",
    ),
    "II": (
        "deid-contents",
        presets.transform_contents_and_sensitive_text(crypto_key=presets.generate_crypto_key()),
        "erase names, mask phone numbers, shift dates, cover sensitive burned-in text",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("quickstart-output"), help="where everything is written")
    parser.add_argument("--clean-up", action="store_true", help="delete the de-identified datasets at the end")
    arguments = parser.parse_args()
    folder: Path = arguments.folder

    with DeidClient.local(folder / "lab", project="MyProj", location="us-central1") as client:
        for name in [dataset.name for dataset in client.list_datasets() if dataset.name]:
            client.delete_dataset(name)  # from an earlier run
        client.create_dataset("dataset1").result()
        client.create_dicom_store("dataset1/dicomstore1")

        scans = write_samples(folder / "scans")
        upload = client.upload("dataset1/dicomstore1", scans)
        print(f"dataset1/dicomstore1: {upload.succeeded} instances stored\n")

        for title, (destination, config, meaning) in USE_CASES.items():
            print(f"── Use case {title}: {meaning}")
            comparisons = run(client, config, scans, destination, folder)
            print(summary_table(comparisons))
            print(pixel_summary(comparisons))
            print()

        if arguments.clean_up:
            for destination, _, _ in USE_CASES.values():
                client.delete_dataset(destination)
                print(f"deleted dataset {destination} from the lab; the files in {folder / destination} stay")

    print(f"before/after pictures: {folder.resolve() / 'pictures'}")
    return 0


def run(
    client: DeidClient, config: DeidentifyConfig, scans: list[Path], destination: str, folder: Path
) -> list[Comparison]:
    """De-identify the dataset, fetch the result, and compare it with the originals."""
    begun = time.monotonic()
    operation = client.deidentify_dataset("dataset1", destination, config)
    operation.wait(on_progress=show_progress)
    operation.result(raise_on_partial=True)
    print(f"\r   {operation.state.value}: {operation.progress.success} instances in {time.monotonic() - begun:.1f} s")

    client.download(f"{destination}/dicomstore1", folder / destination)
    results = {}
    for path in (folder / destination).rglob("*.dcm"):
        result = pydicom.dcmread(path)
        results[result.SOPInstanceUID] = result

    new_uid = UidMapper().map
    comparisons: list[Comparison] = []
    for scan in scans:
        original = pydicom.dcmread(scan)
        result = results[new_uid(original.SOPInstanceUID)]
        comparisons.append(compare(original, result))
        write_before_after(original, result, folder / "pictures" / f"{destination}-{scan.stem}.png")
    return comparisons


def show_progress(operation: object) -> None:
    """Show the counters on one line of a terminal; a log gets no line a tick."""
    if sys.stdout.isatty():
        print(f"\r   {operation}", end="", flush=True)


def pixel_summary(comparisons: list[Comparison]) -> str:
    """Say how much of the pixels was covered, instance by instance."""
    covered = [
        f"{change.changed_fraction:.1%} of {change.frames} frame{'s' * (change.frames > 1)}"
        for change in (comparison.pixels for comparison in comparisons)
        if change is not None
    ]
    return f"{'pixels':9}{'':9}  covered: {', '.join(covered)}"


if __name__ == "__main__":
    sys.exit(main())
