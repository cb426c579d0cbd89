"""UIDs: one old one, one new one, everywhere; classes and registered UIDs untouched."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healthcare_deid.engine.dicom.uids import CLASS_TAGS, REFERENCE_TAGS, pad_uid, uid_text
from healthcare_deid.engine.identity.uid_mapper import UidMapper
from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

SALT = b"sixteen bytes at"
uids = st.lists(st.integers(0, 10**9), min_size=2, max_size=6).map(lambda parts: "1.3." + ".".join(map(str, parts)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "2.25.70541616638819138568043293671559322355",
            "1.3.6.1.4.1.11129.5.1.201854290391432893460946240745559593763",
        ),
        (
            "1.2.276.0.7230010.3.1.3.8323329.78.1531234558.523694",
            "1.3.6.1.4.1.11129.5.1.303327499491957026103380014864616068710",
        ),
    ],
)
def test_the_default_rule_gives_the_published_pairs(old: str, new: str) -> None:
    assert UidMapper().map(old) == new


@given(uids)
@pytest.mark.parametrize("make", [UidMapper, lambda: UidMapper("salted", SALT)], ids=["google", "salted"])
def test_new_uids_are_valid_stable_and_unlike_the_old(make: Callable[[], UidMapper], uid: str) -> None:
    new = make().map(uid)

    assert new == make().map(uid)
    assert new != uid
    assert len(new) <= 64
    assert all(part == "0" or not part.startswith("0") for part in new.split("."))


@given(uids, uids)
def test_two_uids_never_become_one(first: str, second: str) -> None:
    assert (UidMapper().map(first) == UidMapper().map(second)) is (first == second)


@given(uids)
def test_salted_uids_cannot_be_recomputed_without_the_salt(uid: str) -> None:
    salted = UidMapper("salted", SALT).map(uid)

    assert salted != UidMapper().map(uid)
    assert salted != UidMapper("salted", b"another sixteen b").map(uid)


@pytest.mark.parametrize("uid", ["", "1.2.840.10008.1.2", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.4.1.1"])
def test_registered_uids_stay(uid: str) -> None:
    assert UidMapper().map(uid) == uid


def test_an_unregistered_uid_under_the_dicom_root_is_not_taken_for_a_registered_one() -> None:
    assert UidMapper().map("1.2.840.10008.99999.4711") != "1.2.840.10008.99999.4711"


@given(st.lists(uids, min_size=1, max_size=3))
def test_every_value_of_a_multi_valued_element_is_mapped_and_padded(many: list[str]) -> None:
    mapper = UidMapper()

    new = mapper.map_bytes(pad_uid("\\".join(many)))

    assert len(new) % 2 == 0
    assert [uid_text(part) for part in new.split(b"\\")] == [mapper.map(uid) for uid in many]


@pytest.mark.parametrize("padding", [b"", b"\0", b" ", b"\0\0", b" \0"])
def test_padding_is_no_part_of_a_uid(padding: bytes) -> None:
    assert UidMapper().map_bytes(b"1.2.3" + padding) == UidMapper().map_bytes(b"1.2.3")


@pytest.mark.parametrize(("rule", "salt"), [("salted", None), ("google", SALT), ("salted", b"short"), ("random", None)])
def test_a_rule_and_its_salt_must_fit(rule: str, salt: bytes | None) -> None:
    with pytest.raises(ConfigError):
        UidMapper(rule, salt)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] # a user's mistake


def test_the_salt_is_neither_shown_nor_lost_in_a_pickle() -> None:
    mapper = UidMapper("salted", SALT)

    assert "sixteen" not in repr(mapper)
    assert pickle.loads(pickle.dumps(mapper)).map("1.2.3") == mapper.map("1.2.3")


def test_references_and_classes_are_different_elements() -> None:
    assert {0x00081155, 0x0020000D, 0x0020000E, 0x00080018, 0x00041511, 0x00080058} <= REFERENCE_TAGS
    assert {0x00080016, 0x00081150, 0x00020010, 0x0008010C} <= CLASS_TAGS
    assert not REFERENCE_TAGS & CLASS_TAGS
