"""Files by path and by URL."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from healthcare_deid.errors import ConfigError
from healthcare_deid.pipelines import places

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_files_are_written_found_moved_and_removed(tmp_path: Path, form: str) -> None:
    root = form.format(tmp_path / "a folder")
    places.write(f"{root}/one/a.dcm", b"first")
    places.write(f"{root}/two/b.dcm", b"second")

    assert [place.removeprefix(root) for place in places.matching(root)] == ["/one/a.dcm", "/two/b.dcm"]
    assert [place.removeprefix(root) for place in places.matching(f"{root}/*/b.dcm")] == ["/two/b.dcm"]
    assert [*places.matching(f"{root}/one/a.dcm")] == [f"{root}/one/a.dcm"]

    places.move(f"{root}/one/a.dcm", f"{root}/three/c.dcm")
    places.move(f"{root}/one/a.dcm", f"{root}/three/c.dcm")  # a second time changes nothing
    assert places.read(f"{root}/three/c.dcm") == b"first"

    places.remove(f"{root}/two")
    places.remove(f"{root}/two")
    assert [path.name for path in (tmp_path / "a folder").rglob("*.dcm")] == ["c.dcm"]


def test_no_match_is_an_error_without_the_path(tmp_path: Path) -> None:
    for place in (f"{tmp_path}/SMITH", f"{tmp_path}/SMITH/*.dcm", f"file://{tmp_path}/SMITH"):
        with pytest.raises(FileNotFoundError) as caught:
            next(places.matching(place))
        assert "SMITH" not in str(caught.value)


def test_an_unlistable_folder_is_not_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "SMITH").mkdir()
    (tmp_path / "a.dcm").write_bytes(b"")
    scandir = os.scandir

    def denied(path: str) -> object:
        if path.endswith("SMITH"):
            raise PermissionError(13, "denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(OSError, match="cannot be listed") as caught:
        next(places.matching(str(tmp_path)))
    assert "SMITH" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "destination", "refused"),
    [
        ("a", "a/b", True),
        ("a", "a", True),
        ("a/b", "a", True),
        ("a/**/*.dcm", "a/b", True),
        ("a/*.dcm", "a", True),
        ("a/*.dcm", "a/b", False),
        ("a", "ab", False),
        ("a", "b", False),
        ("memory://a", "memory://a/b", True),
        ("memory://a", "memory://b", False),
        ("a", "memory://a", False),
    ],
)
def test_a_destination_inside_or_around_the_source_is_refused(source: str, destination: str, refused: bool) -> None:
    if refused:
        with pytest.raises(ConfigError):
            places.check_apart(source, destination)
    else:
        places.check_apart(source, destination)


@pytest.mark.parametrize("place", ["", "/", "out/*"])
def test_a_destination_is_a_folder(place: str) -> None:
    with pytest.raises(ConfigError):
        places.folder(place)
