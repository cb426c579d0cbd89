"""A DICOMweb server that is not Google's, at both ends of a run: a real Orthanc on loopback."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.data import get_testdata_file

from healthcare_deid import presets
from healthcare_deid.dicom_stores import AUTHORIZATION_VARIABLE, DicomStoreOriginals, DicomStoreResults
from healthcare_deid.engine import Deidentifier
from healthcare_deid.errors import ConfigError, EngineError, Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Generator

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
FILES = ("CT_small.dcm", "MR_small.dcm", "JPEG2000.dcm")
SECRET = b"a secret of this project"
USER, PASSWORD = "reader", "a password of this test"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("Orthanc") is None or not PLUGIN.exists(),
        reason="needs Orthanc (Debian packages orthanc and orthanc-dicomweb)",
    ),
]


@contextmanager
def orthanc(folder: Path, **settings: Any) -> Generator[str]:
    """Run an Orthanc, and yield the root of its DICOMweb resources."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder.mkdir()
    config = {
        "HttpPort": port,
        "DicomServerEnabled": False,
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "AuthenticationEnabled": False,
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        **settings,
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(config))
    with subprocess.Popen(["Orthanc", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _await(f"http://127.0.0.1:{port}/system")
            yield f"http://127.0.0.1:{port}/dicom-web"
        finally:
            server.terminate()


def _await(url: str) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("Orthanc does not answer")


@pytest.fixture
def tags() -> Deidentifier:
    """Leaves pixels alone, which is quick."""
    config = presets.basic_confidentiality_profile().model_copy(update={"image": None})
    return Deidentifier(config, secret=SECRET)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in FILES:
        shutil.copy(str(get_testdata_file(name)), folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.dcm")}


def test_a_run_into_orthanc_and_out_of_it_gives_the_bytes_of_a_run_over_folders(
    tags: Deidentifier, scans: Path, tmp_path: Path
) -> None:
    tags.deidentify_tree(scans, tmp_path / "expected", workers=1)
    with orthanc(tmp_path / "orthanc") as root:
        into = [tags.deidentify_tree(scans, DicomStoreResults(root), run=tmp_path / "run", workers=2) for _ in range(2)]
        out = tags.deidentify_tree(DicomStoreOriginals(f"{root}/"), tmp_path / "twice", workers=1)
        copies: dict[str, bytes] = {}
        for entry in DicomStoreOriginals(root).entries():
            with DicomStoreOriginals(root).opened(entry) as path:
                copies[entry.name] = path.read_bytes()
    assert [(one.succeeded, one.skipped, one.failed) for one in into] == [(3, 0, 0), (0, 3, 0)]
    assert (out.succeeded, out.failed) == (3, 0)
    assert copies == contents(tmp_path / "expected")


def test_an_instance_that_orthanc_keeps_is_never_reported_as_replaced(
    tags: Deidentifier, scans: Path, tmp_path: Path
) -> None:
    other = Deidentifier(tags.config, secret=SECRET, markers=False)
    with orthanc(tmp_path / "orthanc") as root:
        results = DicomStoreResults(root)
        tags.deidentify_tree(scans, results, run=tmp_path / "run", workers=1)
        with pytest.raises(EngineError, match="deletes none"):
            other.deidentify_tree(scans, results, run=tmp_path / "run", workers=1, overwrite=True)


def test_credentials_of_a_server_come_from_the_environment(
    tags: Deidentifier, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"AuthenticationEnabled": True, "RegisteredUsers": {USER: PASSWORD}}
    with orthanc(tmp_path / "orthanc", **settings) as root:
        results = DicomStoreResults(root)
        with pytest.raises(Unauthenticated):
            tags.deidentify_tree(scans, results, run=tmp_path / "refused", workers=1)
        given = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        monkeypatch.setenv(AUTHORIZATION_VARIABLE, f"Basic {given}")
        report = tags.deidentify_tree(scans, DicomStoreResults(root), run=tmp_path / "run", workers=1)
    assert (report.succeeded, report.failed) == (3, 0)
    with pytest.raises(ConfigError, match="unencrypted") as caught:
        DicomStoreOriginals("http://pacs.example/dicom-web").count()
    assert given not in str(caught.value)
