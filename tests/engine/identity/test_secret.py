"""The project secret: every form gives the same keys, and UIDs can have an own root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydicom
import pytest

from healthcare_deid import presets
from healthcare_deid.engine import Dates, Deidentifier, Pseudonyms, UidMapper
from healthcare_deid.engine.identity.key_folder import SECRET as VARIABLE
from healthcare_deid.engine.identity.key_folder import SECRET_FILE, new_secret
from healthcare_deid.engine.identity.key_folder import VARIABLE as FOLDER
from healthcare_deid.errors import ConfigError, DeidError

from .conftest import SECRET, instance

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

BASIC = presets.basic_confidentiality_profile()


def result(**arguments: Any) -> Dataset:
    deidentifier = Deidentifier(BASIC, pseudonyms=Pseudonyms.keyed(), dates=Dates(), **arguments)
    return deidentifier.deidentify(instance()).dataset


def test_bytes_a_file_a_name_and_the_environment_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "keys"))
    path = new_secret("trial-7")
    wanted = result(secret=path.read_bytes().strip())

    assert result(secret=path) == result(secret=str(path)) == result(secret="trial-7") == wanted
    monkeypatch.setenv(SECRET_FILE, "trial-7")
    assert result() == wanted
    monkeypatch.setenv(VARIABLE, path.read_text().strip())
    monkeypatch.setenv(SECRET_FILE, "no such file")
    assert result() == wanted
    assert result(secret=SECRET) != wanted


def test_an_unknown_secret_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with pytest.raises(ConfigError, match="has this name"):
        result(secret="trial-8")


def test_a_name_of_a_file_and_of_another_secret_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "keys"))
    monkeypatch.chdir(tmp_path)
    kept = new_secret("trial-7")
    (tmp_path / "trial-7").write_bytes(b"another secret of enough bytes")
    with pytest.raises(ConfigError, match="another secret in the key folder"):
        result(secret="trial-7")
    assert result(secret="./trial-7") != result(secret=kept)


def test_uids_go_under_a_root_of_ones_own() -> None:
    new = result(secret=SECRET, uid_root="1.2.826.0.1.3680043.10.1")
    again = result(secret=SECRET, uid_root="1.2.826.0.1.3680043.10.1.")

    assert new.StudyInstanceUID.startswith("1.2.826.0.1.3680043.10.1.")
    assert len(new.StudyInstanceUID) <= 64
    assert new == again
    assert len({new.StudyInstanceUID, new.SeriesInstanceUID, new.SOPInstanceUID}) == 3


@pytest.mark.parametrize("root", ["1.02.3", "x", "1.2." + "3" * 31])
def test_an_invalid_uid_root_is_refused(root: str) -> None:
    with pytest.raises(ConfigError, match="uid_root"):
        UidMapper("salted", SECRET, root)
    with pytest.raises(ConfigError, match="keyed"):
        Deidentifier(BASIC, uid_root="1.2.3")


def test_a_run_is_resumed_with_the_same_settings_and_refused_with_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path / "keys"))
    new_secret("trial-7")
    monkeypatch.setenv(SECRET_FILE, "trial-7")
    (tmp_path / "scans").mkdir()
    pydicom.dcmwrite(tmp_path / "scans" / "a.dcm", instance(), enforce_file_format=True)

    def run(prefix: str) -> int:
        deidentifier = Deidentifier(
            BASIC, pseudonyms=Pseudonyms.keyed(prefix), dates=Dates(), vault=tmp_path / "a.vault"
        )
        return deidentifier.deidentify_tree(tmp_path / "scans", tmp_path / "clean", workers=1).failed

    assert (run("T-"), run("T-")) == (0, 0)
    with pytest.raises(DeidError, match="pseudonyms"):
        run("X-")
    assert len(list((tmp_path / "keys").iterdir())) == 1  # the environment's secret was used, and no new one made
