import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from healthcare_deid.cli.main import main


def write(path: Path, name: str) -> None:
    canvas = Image.new("L", (360, 240), 30)
    ImageDraw.Draw(canvas).text((12, 10), name, fill=240, font=ImageFont.load_default(size=20))
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"2.25.{len(name)}"
    dataset.Manufacturer, dataset.Modality, dataset.PatientName = "ACME", "US", name
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 240, 360, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit = 7
    dataset.PixelData = np.asarray(canvas).tobytes()
    dataset.save_as(path, enforce_file_format=True)


def test_masks_are_learned_from_a_folder_with_a_picture_to_approve(tmp_path: Path) -> None:
    source = tmp_path / "scans"
    source.mkdir()
    write(source / "1.dcm", "KOWALCZYK MARIA")
    write(source / "2.dcm", "OKAFOR CHIDI")
    (source / "notes.txt").write_text("none")
    masks, pictures = tmp_path / "masks.json", tmp_path / "pictures"

    done = CliRunner().invoke(
        main, ["masks", "learn", str(source), "--output", str(masks), "--pictures", str(pictures)]
    )

    assert done.exit_code == 3, done.output  # the text file
    assert "KOWALCZYK" not in done.output
    assert "3 of 3 files (" in done.output
    (mask,) = json.loads(masks.read_text())
    assert (mask["manufacturer"], mask["rows"], mask["columns"]) == ("ACME", 240, 360)
    with Image.open(next(pictures.iterdir())) as picture:
        assert picture.size == (360, 240)
    again = CliRunner().invoke(main, ["files", "--help"])
    assert "--masks" in again.output
    assert "--ocr" in again.output


def test_a_folder_without_two_instances_of_a_device_teaches_nothing(tmp_path: Path) -> None:
    write(tmp_path / "1.dcm", "KOWALCZYK MARIA")
    done = CliRunner().invoke(main, ["masks", "learn", str(tmp_path), "--output", str(tmp_path / "masks.json")])
    assert done.exit_code == 1
    assert not (tmp_path / "masks.json").exists()
