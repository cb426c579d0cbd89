"""A reply of one part becomes the instance that it holds; anything else is no instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthcare_deid.client.transfers.single_part import keep_only_part
from healthcare_deid.errors import ReplyError

if TYPE_CHECKING:
    from pathlib import Path

TYPE = 'multipart/related; type="application/dicom"; boundary="b-1"'
DATA = b"\r\n--b not a boundary\r\n\r\n" + bytes(1 << 20) + b"\r\n"
WHOLE = b"--b-1\r\ncontent-type: application/dicom\r\n\r\n" + DATA + b"\r\n--b-1--\r\n"


def test_one_part_stays_alone(tmp_path: Path) -> None:
    path = tmp_path / "reply"
    path.write_bytes(WHOLE)
    keep_only_part(path, TYPE)
    assert path.read_bytes() == DATA
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("content_type", ["application/dicom", "application/dicom; transfer-syntax=*", ""])
def test_a_reply_without_parts_stays_as_it_is(tmp_path: Path, content_type: str) -> None:
    path = tmp_path / "reply"
    path.write_bytes(DATA)
    keep_only_part(path, content_type)
    assert path.read_bytes() == DATA


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (WHOLE.replace(b"--b-1--", b"--b-1"), TYPE),
        (WHOLE[:-9], TYPE),
        (WHOLE[: len(WHOLE) // 2], TYPE),
        (WHOLE[:-4] + b"\r\ncontent-type: application/dicom\r\n\r\nmore\r\n--b-1--\r\n", TYPE),
        (b"--b-1--\r\n", TYPE),
        (b"<html>log in, Okonkwo</html>", TYPE),
        (b"", TYPE),
        (WHOLE, 'multipart/related; type="application/dicom"'),
        (WHOLE, TYPE.replace("b-1", "b-2")),
    ],
)
def test_what_is_not_one_whole_part_is_refused(tmp_path: Path, body: bytes, content_type: str) -> None:
    path = tmp_path / "reply"
    path.write_bytes(body)
    with pytest.raises(ReplyError, match="one whole part") as caught:
        keep_only_part(path, content_type)
    assert "Okonkwo" not in str(caught.value)
