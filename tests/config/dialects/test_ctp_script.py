"""Scripts of the CTP DICOM anonymizer: read, converted, and carried out by the engine as they say."""

from __future__ import annotations

from typing import Any

import pytest

from healthcare_deid.config import RecipeConversion, from_ctp_script
from healthcare_deid.config.dialects.ctp_functions import Call, parse_script
from healthcare_deid.errors import ConfigError


def script(*entries: str) -> str:
    return "\n".join(["<script>", *entries, "</script>"])


def element(tag: str, text: str, *, enabled: bool = True) -> str:
    return f'<e en="{"T" if enabled else "F"}" t="{tag}" n="x">{text}</e>'


PROPERTIES = """
param.SITE=017
set.[0008,1010]StationName=@param(@SITE)
#set.[0008,0060]Modality=@remove()
set.[00080020]StudyDate=@remove()
keep.group18=
#remove.unspecifiedelements=
remove.curves=
"""
REMOVE_REST = '<r en="T" t="unspecifiedelements">Remove unchecked elements</r>'
REMOVE_PRIVATE = '<r en="T" t="privategroups">Remove private groups</r>'


def actions(conversion: RecipeConversion) -> dict[str, str]:
    """Return the action of each tag."""
    config = conversion.config.dicom_tag_config
    assert config is not None
    return {query: str(action.chosen) for action in config.actions for query in action.queries}


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("@keep()", "keep_tag"),
        ("@contents(this)", "keep_tag"),
        ("@contents(StationName)", "keep_tag"),
        ("@require()", "keep_tag"),
        ("@remove()", "delete_tag"),
        ("@empty()", "remove_tag"),
        ("@blank(8)", "remove_tag"),
        ("", "remove_tag"),
        ("@always()@empty()", "remove_tag"),
        ("@select(){@empty()}{@empty()}", "remove_tag"),
        ("@if(this,isblank){@remove()}{@remove()}", "delete_tag"),
    ],
)
def test_simple_functions_become_actions(text: str, action: str) -> None:
    conversion = from_ctp_script(script(element("00081010", text)))
    assert actions(conversion)["StationName"] == action
    assert conversion.options == {}


def test_uids_sequences_and_dates_become_actions() -> None:
    conversion = from_ctp_script(
        script(
            '<p t="UIDROOT">1.2.3.</p>',
            element("00200052", "@hashuid(@UIDROOT,this)"),
            element("00081140", "@process()"),
            element("00080020", "@hashdate(this,PatientID)"),
            element("00080021", "@incrementdate(this,@DAYS)"),
        )
    )
    assert actions(conversion) == {
        "FrameOfReferenceUID": "regen_uid_tag",
        "ReferencedImageSequence": "recurse_tag",
        "StudyDate": "clean_text_tag",
        "SeriesDate": "clean_text_tag",
    }
    assert conversion.options == {"uid_root": "1.2.3"}
    assert [str(line) for line in conversion.approximated] == [
        "line 6: SeriesDate: a fixed number of days can be undone; the days come from the patient and the key"
    ]
    assert conversion.config.text is not None
    assert conversion.config.text.profile_type == "EMPTY"


@pytest.mark.parametrize(
    ("uids", "options"),
    [
        (("00080018", "0020000D", "0020000E"), "REGEN"),
        ((), "KEEP"),
        (("0020000D",), "KEEP"),
    ],
)
def test_the_three_uids_of_an_instance_are_regenerated_as_the_script_says(uids: tuple[str, ...], options: str) -> None:
    conversion = from_ctp_script(
        script(element("00080060", "@keep()"), *(element(u, "@hashuid(@R,this)") for u in uids))
    )
    config = conversion.config.dicom_tag_config
    assert config is not None
    assert config.options is not None
    assert config.options.primary_ids == options
    assert ("StudyInstanceUID" in actions(conversion)) == (len(uids) == 1)


def test_a_parameter_that_is_no_uid_root_is_not_used() -> None:
    conversion = from_ctp_script(script('<p t="UIDROOT">9999</p>', element("00200052", "@hashuid(@UIDROOT,this)")))
    assert conversion.options == {}
    assert [str(line) for line in conversion.approximated] == [
        "line 2: UIDROOT: it is not the root of UIDs; new UIDs have the engine's root"
    ]


def test_texts_and_patterns_become_options() -> None:
    conversion = from_ctp_script(
        script(
            '<p t="SITE">017</p>',
            element("00120030", "@always()@param(@SITE)"),
            element("00081010", "ROOM-@param(@SITE)"),
            element("00081030", '@contents(this,"([A-Z]+)[0-9]","$1#")'),
            element("0008103E", "@truncate(this,5)"),
            element("00180015", "@truncate(this,-3)"),
            element("00080020", "@modifydate(this,*,1,15)"),
        )
    )
    assert conversion.options["set_values"] == {"ClinicalTrialSiteID": "017", "StationName": "ROOM-017"}
    assert conversion.options["replace"] == (
        ("StudyDescription", "([A-Z]+)[0-9]", r"\g<1>#"),
        ("SeriesDescription", r"(?s)\A(.{0,5}).*", r"\1"),
        ("BodyPartExamined", r"(?s)\A.*?(.{0,3})\z", r"\1"),
        ("StudyDate", r"\A(\d{4})(\d{2})(\d{2})", r"\g<1>0115"),
    )
    assert actions(conversion)["StationName"] == "delete_tag"
    assert {line.subject for line in conversion.approximated} == {
        "StationName",
        "StudyDescription",
        "SeriesDescription",
        "BodyPartExamined",
        "StudyDate",
    }


@pytest.mark.parametrize(
    ("text", "reason", "action"),
    [
        ("@initials(this)", "@initials has no counterpart", "remove_tag"),
        ("@date()", "@date has no counterpart", "remove_tag"),
        ("@contents(PatientName)", "@contents has no counterpart", "remove_tag"),
        ('@contents(this,"(")', "@contents with these arguments", "remove_tag"),
        ('@contents(this,"a(?=b)","c")', "@contents with these arguments", "remove_tag"),
        ('@contents(this,"a","$1")', "@contents with these arguments", "remove_tag"),
        ("@truncate(this,5000)", "@truncate with these arguments", "remove_tag"),
        ("@hash(this)", "@hash: only PatientID", "remove_tag"),
        ("@hashuid(@R,this)", "@hashuid of an attribute that is not a UID", "remove_tag"),
        ("@incrementdate(this,3)", "only dates", "remove_tag"),
        ("A@hash(this)B", "text and functions are joined", "remove_tag"),
        ("@keep(", "a call without an end", "remove_tag"),
        ('@if(Modality,equals,"CT"){@keep()}{@empty()}', "a condition cannot be expressed", "remove_tag"),
        ('@if(Modality,equals,"CT"){@keep()}{@remove()}', "a condition cannot be expressed", "delete_tag"),
        ('@if(Modality,equals,"CT"){ROOM}{@keep()}', "a condition cannot be expressed", "remove_tag"),
        ('@if(Modality,equals,"CT"){@quarantine()}{@keep()}', "@quarantine selects instances", "keep_tag"),
    ],
)
def test_a_script_that_cannot_be_expressed_is_listed_and_removes(text: str, reason: str, action: str) -> None:
    conversion = from_ctp_script(script(element("00081010", text)))
    assert actions(conversion)["StationName"] == action
    (line,) = conversion.unconverted
    assert (line.line, line.subject) == (2, "StationName")
    assert reason in line.reason


def test_conditions_without_end_are_given_up() -> None:
    text = "@if(A,exists){" * 2000 + "@keep()" + "}{@keep()}" * 2000
    conversion = from_ctp_script(script(element("00081010", text)))
    assert actions(conversion) == {"StationName": "remove_tag"}
    assert len(conversion.unconverted) == 1


def test_no_value_of_a_script_is_in_its_notes() -> None:
    conversion = from_ctp_script(
        script('<p t="KEY">s3cret</p>', element("00081010", '@encrypt(this,"s3cret")'), element("00400275", "s3cret"))
    )
    notes = [*conversion.unconverted, *conversion.approximated]
    assert len(notes) == 2
    assert "s3cret" not in " ".join(map(str, notes))


def test_disabled_elements_have_no_effect() -> None:
    conversion = from_ctp_script(
        script(element("00081010", "@remove()", enabled=False), element("00080060", "@keep()"))
    )
    assert actions(conversion) == {"Modality": "keep_tag"}


def test_patients_identifiers_become_pseudonyms() -> None:
    conversion = from_ctp_script(
        script(element("00100020", "@hashptid(@SITEID,PatientID)"), element("00080050", "@lookup(this,acc)"))
    )
    assert conversion.wants_pseudonyms
    assert actions(conversion) == {"PatientID": "remove_tag", "AccessionNumber": "remove_tag"}
    assert {line.subject for line in conversion.approximated} == {
        "PatientID",
        "PatientName",
        "AccessionNumber",
        "StudyID",
    }


def test_unspecified_elements_are_removed_but_for_kept_groups_and_the_image() -> None:
    conversion = from_ctp_script(
        script('<k en="T" t="0018">x</k>', REMOVE_REST, element("00080060", "@keep()"), element("00180015", "@empty()"))
    )
    config = conversion.config.dicom_tag_config
    assert config is not None
    assert config.profile_type == "MINIMAL_KEEP_LIST_PROFILE"
    found = actions(conversion)
    assert found["KVP"] == found["Modality"] == found["PixelSpacing"] == found["SOPClassUID"] == "keep_tag"
    assert found["BodyPartExamined"] == "remove_tag"
    assert found["OverlayData"] == "keep_tag"
    assert not {"PatientName", "StudyDate", "PixelData", "Rows"} & found.keys()


def test_private_groups_are_removed_by_keeping_the_dictionary() -> None:
    conversion = from_ctp_script(script(REMOVE_PRIVATE, element("00100010", "@empty()")))
    config = conversion.config.dicom_tag_config
    assert config is not None
    assert config.profile_type == "MINIMAL_KEEP_LIST_PROFILE"
    found = actions(conversion)
    assert found["PatientName"] == "remove_tag"
    assert found["StudyDate"] == "keep_tag"
    assert found["RequestAttributesSequence"] == "recurse_tag"


@pytest.mark.parametrize(
    "entry",
    ['<k en="T" t="safeprivateelements">x</k>', '<k en="T" t="0009">x</k>', element("0009[ACME]01", "@keep()")],
)
def test_private_attributes_that_cannot_be_addressed_are_removed(entry: str) -> None:
    conversion = from_ctp_script(script(entry, element("00080060", "@keep()")))
    assert len(conversion.unconverted) == 1
    config = conversion.config.dicom_tag_config
    assert config is not None
    assert config.profile_type == "MINIMAL_KEEP_LIST_PROFILE"


def test_a_script_as_properties_is_the_same_script() -> None:
    conversion = from_ctp_script(PROPERTIES)
    assert conversion.options == {"set_values": {"StationName": "017"}}
    assert {"StudyDate", "StationName", "CurveData"} <= actions(conversion).keys()
    assert "Modality" not in actions(conversion)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "no parameter"),
        ("name: value", "no parameter"),
        ("<script><e>", "line 1, column 12: not well-formed XML"),
        ("<other/>", "the root element is not <script>"),
        ("<script/>", "no parameter"),
        ('<!DOCTYPE s [<!ENTITY a "aaaa">]><script>&a;</script>', "declares a document type"),
    ],
)
def test_another_text_is_refused(text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match="not a CTP DICOM anonymizer script") as refusal:
        from_ctp_script(text)
    assert rule in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("plain", ["plain"]),
        (r"a\@b", ["a@b"]),
        ("@remove()", [Call("remove", ())]),
        ('@contents(this, "a,b)" ,"c")', [Call("contents", ("this", "a,b)", "c"))]),
        ("x@param(@A)y", ["x", Call("param", ("@A",)), "y"]),
        ("@if(A,exists){@if(B,exists){x}{y}}{z}", [Call("if", ("A", "exists"), ("@if(B,exists){x}{y}", "z"))]),
        ("@append(){x}", [Call("append", (), ("x",))]),
    ],
)
def test_scripts_are_split_into_text_and_calls(text: str, parts: list[Any]) -> None:
    assert parse_script(text) == parts


@pytest.mark.parametrize(
    ("text", "line", "subject"),
    [
        (script('<x en="T" t="00100010">@remove()</x>', REMOVE_PRIVATE), 2, "line"),
        (script("<g>", element("00100010", "@remove()"), "</g>", REMOVE_PRIVATE), 3, "line"),
        (script('<r en="T" t="PrivateGroups">x</r>', REMOVE_REST), 2, "remove"),
        ("remove.privategroups=\nset[0010,0010]PatientName=@remove()", 2, "line"),
        ("remove.privategroups=\nSET.[0010,0010]PatientName=@remove()", 2, "line"),
        ("remove.privategroups=\nset.[0010,0010]PatientName:@remove()", 2, "line"),
    ],
)
def test_what_is_no_entry_of_a_script_is_listed(text: str, line: int, subject: str) -> None:
    found = [(one.line, one.subject) for one in from_ctp_script(text).unconverted]
    assert (line, subject) in found


@pytest.mark.parametrize(
    "text",
    [
        script('<p t="SITE">017</p>'),
        script('<p t="SITE">017</p>', element("00100010", "@remove()", enabled=False)),
        script(REMOVE_PRIVATE),
        "param.SITE=017",
    ],
)
def test_a_script_that_keeps_every_standard_attribute_says_so(text: str) -> None:
    (line,) = from_ctp_script(text).unconverted
    assert str(line) == "line 1: recipe: it changes no standard attribute; all of them stay"
