"""Addresses in the orders of many countries, and places that only the words around them tell."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from healthcare_deid.engine.text.engine import InstanceText

Found = Callable[[InstanceText, str], list[tuple[str, str]]]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (
            "Home: 88 Old Quarry Lane, Unit 5, Tern Valley, OH 44101.",
            "88 Old Quarry Lane, Unit 5, Tern Valley, OH 44101",
        ),
        ("moved to Rua das Acácias 214", "Rua das Acácias 214"),
        ("lives at Calle Mayor 12, 28013 Madrid", "Calle Mayor 12, 28013 Madrid"),
        ("Adresse: Lindenstraße 8, 10969 Berlin", "Lindenstraße 8, 10969 Berlin"),
        ("address: ul. Sosnowa 14", "ul. Sosnowa 14"),
        ("sent to Kalevankatu 20, 00100 Helsinki", "Kalevankatu 20, 00100 Helsinki"),
        ("at Storgatan 4", "Storgatan 4"),
        ("Petőfi Sándor utca 15", "Petőfi Sándor utca 15"),
        ("Jl. Melati No. 8, Bandung", "Jl. Melati No. 8, Bandung"),
        ("Žitná 263, 120 00 Praha", "Žitná 263, 120 00 Praha"),
        ("P.O. Box 1185", "P.O. Box 1185"),
        ("the corner of Birkenweg 4 and Talweg", "the corner of Birkenweg 4 and Talweg"),
        ("zip code on the chart is 44101", "44101"),
    ],
)
def test_an_address_is_found_whole_in_the_order_of_its_country(
    stranger: InstanceText, found: Found, text: str, address: str
) -> None:
    assert (address, "LOCATION") in found(stranger, text)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("He flew to Varnsted on Friday", "Varnsted"),
        ("originally from Kestrino", "Kestrino"),
        ("Lives in Cobalt Glen.", "Cobalt Glen"),
        ("Home region on the referral: Tarnwick.", "Tarnwick"),
        ("The home municipality is Juniper Falls.", "Juniper Falls"),
        ("The family names Tarnwick as their home town", "Tarnwick"),
        ("works in North Velmor", "North Velmor"),
    ],
)
def test_an_unlisted_place_is_told_by_the_words_around_it(
    stranger: InstanceText, found: Found, text: str, place: str
) -> None:
    assert (place, "LOCATION") in found(stranger, text)


@pytest.mark.parametrize(
    "text",
    [
        "The procedure took place October 10, 2018.",
        "Encounter date: 04 August 2005.\nA 103-year-old patient was assessed.",
    ],
)
def test_a_date_between_numbers_is_no_street(stranger: InstanceText, found: Found, text: str) -> None:
    assert "LOCATION" not in {info_type for _, info_type in found(stranger, text)}


@pytest.mark.parametrize(
    "text",
    [
        "placed in Trendelenburg position",
        "flow in STIR and FLAIR",
        "120 kV, 350 mA, slice 5",
        "catheter via right groin 6",
        "Region: left lower lobe",
        "Location: ICU",
    ],
)
def test_the_fields_own_places_are_left(stranger: InstanceText, found: Found, text: str) -> None:
    assert found(stranger, text) == []


def test_a_town_inside_a_persons_name_is_part_of_the_name(stranger: InstanceText, found: Found) -> None:
    assert found(stranger, "note: Marisol Skive-Kowalski was seen") == [("Marisol Skive-Kowalski", "PERSON_NAME")]


def test_a_facility_after_a_cue_of_persons_is_a_facility(stranger: InstanceText, found: Found) -> None:
    assert found(stranger, "performed by Frostbay Rehabilitation Unit") == [
        ("Frostbay Rehabilitation Unit", "LOCATION")
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("According to Turner, it was late", ["Turner"]),
        ("Larsen and Smith wrote the letter", ["Larsen", "Smith"]),
        ("the founders: Larsen, Smith and Nowak.", ["Larsen, Smith", "Nowak"]),
        ("Emily told Ryan that it hurts", ["Emily", "Ryan"]),
        ("Emily's brother called", ["Emily"]),
        ("What is her maiden name? Larsen", ["Larsen"]),
        ("Seen by Holly Bell today", ["Holly Bell"]),
        ("nurse May Waters present", ["May Waters"]),
    ],
)
def test_a_sentence_tells_its_names(stranger: InstanceText, found: Found, text: str, names: list[str]) -> None:
    assert [stretch for stretch, info_type in found(stranger, text) if info_type == "PERSON_NAME"] == names
