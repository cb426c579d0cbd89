from collections.abc import Sequence

import pytest

from healthcare_deid.config import v1beta1
from healthcare_deid.config.v1.image import CustomRegex, ImageConfig, TextRedactionMode
from healthcare_deid.engine.pixels import Box, Direction, TextLine
from healthcare_deid.engine.pixels.find.policy import Policy, part_of
from healthcare_deid.engine.plan.pixels import PixelPlan, Scope
from healthcare_deid.engine.plan.v1 import pixel_plan
from healthcare_deid.engine.plan.v1beta1 import pixel_plan as pixel_plan_v1beta1
from healthcare_deid.engine.text.match import Match
from healthcare_deid.errors import ConfigError

SENSITIVE = TextRedactionMode.REDACT_SENSITIVE_TEXT


class Finds:
    """A text inspector that finds given words."""

    def __init__(self, **words: str) -> None:
        self._words = words

    def find(self, text: str) -> Sequence[Match]:
        return [
            Match(text.index(word), text.index(word) + len(word), info_type)
            for info_type, word in self._words.items()
            if word in text
        ]


def _line(text: str, *, confidence: float = 0.99, width: int = 100) -> TextLine:
    return TextLine(Box(0, 0, width, 10), 0.9, text, confidence)


def test_all_text_covers_every_line_whether_or_not_it_was_read() -> None:
    policy = Policy(PixelPlan(Scope.EVERYTHING))
    covers = policy.select([TextLine(Box(0, 0, 9, 9)), _line("R")], None)
    assert [cover.rule for cover in covers] == ["all-text", "all-text"]
    assert not policy.plan.reads


@pytest.mark.parametrize("text", ["R", "AP", "PORTABLE", "120 kVp", "5 cm"])
def test_a_readable_line_without_a_finding_stays(text: str) -> None:
    assert Policy(PixelPlan(Scope.SENSITIVE)).select([_line(text, width=7 * len(text))], Finds()) == []


def test_a_line_that_cannot_be_read_counts_as_sensitive() -> None:
    policy = Policy(PixelPlan(Scope.SENSITIVE))
    covers = policy.select([_line("S??TH", confidence=0.3), TextLine(Box(0, 0, 5, 5))], Finds())
    assert [cover.rule for cover in covers] == ["unreadable", "unreadable"]
    assert covers[0].box == Box(0, 0, 100, 10)


def test_a_finding_covers_its_part_of_the_line_and_names_its_info_type() -> None:
    policy = Policy(PixelPlan(Scope.SENSITIVE))
    (cover,) = policy.select([_line("AXIAL SMITH")], Finds(PERSON_NAME="SMITH"))
    assert cover.rule == "infoType:PERSON_NAME"
    assert cover.box.right == 100
    assert 40 <= cover.box.left <= 54


@pytest.mark.parametrize("text", ["TEST PATIENT 00079241539", "DOE J 120907058 M"])
def test_a_long_number_makes_its_whole_line_the_patients(text: str) -> None:
    (cover,) = Policy(PixelPlan(Scope.SENSITIVE)).select([_line(text)], Finds())
    assert cover.rule == "infoType:MEDICAL_RECORD_NUMBER"
    assert cover.box == Box(0, 0, 100, 10)


@pytest.mark.parametrize("text", ["W 40000 L 100", "3850Hz", "1234.5678", "0.1234567 mm"])
def test_a_setting_is_no_such_number(text: str) -> None:
    assert Policy(PixelPlan(Scope.SENSITIVE)).select([_line(text, width=7 * len(text))], Finds()) == []


def test_a_regex_covers_the_groups_asked_for_and_not_the_rest_of_its_match() -> None:
    config = ImageConfig(
        text_redaction_mode=SENSITIVE, custom_regexes=(CustomRegex(pattern=r"Room (\d+)", group_indexes=(1,)),)
    )
    line = _line("Room 1234 upper floor")
    (cover,) = Policy(pixel_plan(config)).select([line], Finds())
    assert cover.rule == "regex:0"
    # A character is 100/21 pixels wide; the group is characters 5 to 9, and a margin is under one character.
    assert 18 <= cover.box.left <= 5 * 100 / 21
    assert 9 * 100 / 21 <= cover.box.right <= 49


def test_a_group_that_took_no_part_in_the_match_covers_nothing() -> None:
    config = ImageConfig(
        text_redaction_mode=SENSITIVE, custom_regexes=(CustomRegex(pattern="(a)|(b)", group_indexes=(2,)),)
    )
    assert Policy(pixel_plan(config)).select([_line("a", width=7)], Finds()) == []


def test_a_regex_that_cannot_be_compiled_is_refused_by_its_path_without_repeating_it() -> None:
    with pytest.raises(ConfigError) as caught:
        pixel_plan(ImageConfig(custom_regexes=(CustomRegex(pattern="(SECRET"),)))
    assert "customRegexes[0].pattern" in str(caught.value)
    assert "SECRET" not in str(caught.value)


def test_excluded_info_types_stay() -> None:
    config = v1beta1.ImageConfig.from_api(
        {"textRedactionMode": "REDACT_SENSITIVE_TEXT", "excludeInfoTypes": ["LOCATION"]}
    )
    covers = Policy(pixel_plan_v1beta1(config)).select([_line("SPRINGFIELD")], Finds(LOCATION="SPRINGFIELD"))
    assert covers == []


@pytest.mark.parametrize(
    ("config", "scope"),
    [
        ({}, Scope.NOTHING),
        ({"textRedactionMode": "REDACT_NO_TEXT", "customRegexes": [{"pattern": "x"}]}, Scope.NOTHING),
        ({"customRegexes": [{"pattern": "x"}]}, Scope.PATTERNS),
        ({"textRedactionMode": "REDACT_ALL_TEXT"}, Scope.EVERYTHING),
        ({"textRedactionMode": "REDACT_SENSITIVE_TEXT"}, Scope.SENSITIVE),
    ],
)
def test_the_mode_says_what_is_looked_for(config: dict[str, object], scope: Scope) -> None:
    assert pixel_plan(ImageConfig.from_api(config)).scope is scope


def test_additional_info_types_without_a_mode_cover_just_those() -> None:
    policy = Policy(pixel_plan_v1beta1(v1beta1.ImageConfig.from_api({"additionalInfoTypes": ["ORGANIZATION_NAME"]})))
    found = Finds(ORGANIZATION_NAME="MERCY", PERSON_NAME="SMITH")
    assert [cover.rule for cover in policy.select([_line("MERCY       SMITH")], found)] == [
        "infoType:ORGANIZATION_NAME"
    ]


def test_clean_descriptors_is_a_sensitive_mode() -> None:
    mode = "REDACT_SENSITIVE_TEXT_CLEAN_DESCRIPTORS"
    assert pixel_plan_v1beta1(v1beta1.ImageConfig.from_api({"textRedactionMode": mode})).scope is Scope.SENSITIVE


@pytest.mark.parametrize("direction", list(Direction))
def test_a_part_lies_where_the_reading_direction_puts_it(direction: Direction) -> None:
    upright = direction in (Direction.RIGHT, Direction.LEFT)
    box = Box(0, 0, 100, 10) if upright else Box(0, 0, 10, 100)
    line = TextLine(box, 1.0, "abcdefghij", 1.0, direction=direction)
    part = part_of(line, 0, 2)
    start = {
        Direction.RIGHT: part.left == 0,
        Direction.LEFT: part.right == 100,
        Direction.DOWN: part.top == 0,
        Direction.UP: part.bottom == 100,
    }
    assert start[direction]
    assert 20 <= max(part.width, part.height) <= 30


def test_characters_are_where_the_reader_saw_them() -> None:
    line = TextLine(Box(0, 0, 100, 10), 1.0, "abc", 1.0, positions=(0.1, 0.2, 0.9))
    assert part_of(line, 2, 3).left < 55
    assert part_of(line, 2, 3).right == 100
