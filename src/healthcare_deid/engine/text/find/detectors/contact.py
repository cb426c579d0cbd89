"""Contact data: e-mail, telephone, network addresses."""

from __future__ import annotations

import ipaddress
import re

from healthcare_deid.engine.text.find.detectors.base import FIVE_DIGITS, PatternDetector, always, digits_of, ignore_case
from healthcare_deid.engine.text.find.lexicon import everyday, fold, vocabulary

# Words before a telephone number, in the supported languages.
_PHONE_CUE = (
    r"(?<![a-z])(?:tel(?:efon|[eé]fono|efono|efoon)?|t[eé]l(?:[eé]phone)?|(?:tele)?phone|ph|fon|fax|mobile|mobil"
    r"|cell|handy|pager|beeper|"
    r"tlfn?|gsm|natel|celular|m[oó]vil|手[机機]|[电電][话話]|携帯|전화|тел(?:ефон)?|τηλ(?:έφωνο)?|"
    r"pgr|bleep|reachable|callback|call|contact|communication|registered|ext)(?![a-z])"
)


def is_ip(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address, except the unspecified ones."""
    try:
        return not ipaddress.ip_address(text).is_unspecified
    except ValueError:
        return False


def _is_ip4(text: str) -> bool:
    """Return whether a dotted quad is not a version number."""
    # The parts of version numbers are small.
    return is_ip(text) and (
        int(text.split(".", maxsplit=1)[0]) >= 10 or any(int(part) >= 100 for part in text.split("."))
    )


def _is_phone(text: str) -> bool:
    return 7 <= len(digits_of(text)) <= 15


def _is_long_phone(text: str) -> bool:
    return 9 <= len(digits_of(text)) <= 15


def _is_handle(text: str) -> bool:
    """Return whether a word after an at sign is a user's name and not a word, such as @baseline."""
    word = fold(text[1:])
    return word.rstrip("0123456789") not in vocabulary() | everyday() and len(word.rstrip("0123456789")) >= 3


CONTACT = (
    PatternDetector(
        "URL",
        ignore_case(
            r"(?<![\w.@])(?:(?:https?|ftps?|dicomweb|wss?)://|www\.)(?:[^\s<>\"'|;,]|,(?!(?:\d{1,3}\.){3}))+[^\s<>\"'.,;:!?)\]|]"
        ),
        rank=1,
        gate=None,
        at_words=True,
        words=frozenset(["http", "https", "ftp", "ftps", "dicomweb", "ws", "wss", "www"]),
    ),
    PatternDetector(
        "EMAIL_ADDRESS",
        re.compile(r"(?<![\w.+-])[\w.+'-]{1,64} ?@ ?(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}(?![\w-])"),
        rank=1,
        gate=None,
        shapes=("@",),
    ),
    PatternDetector(  # jane.doe (at) example (dot) org
        "EMAIL_ADDRESS",
        ignore_case(
            r"(?<![\w.+-])[\w.+'-]{1,64}\ ?[(\[{]at[)\]}]\ ?[\w-]{1,63}"
            r"(?:(?:\.|\ ?[(\[{]dot[)\]}]\ ?|\ dot\ )[\w-]{1,63}){1,5}"
        ),
        rank=1,
        gate=None,
        shapes=("(at)", "[at]", "{at}", "(AT)", "[AT]"),
    ),
    PatternDetector(  # a share of a server, whose folders are often called by their patients
        "URL",
        re.compile(r"(?<![\w\\])\\\\[\w.$-]+(?:\\[^\\\s:;,|\"<>]+)+"),
        rank=1,
        gate=None,
        shapes=("\\\\",),
    ),
    PatternDetector(  # C:\Users\jdoe, /home/jdoe
        "PERSON_NAME",
        ignore_case(
            r"(?<![\w)])[\\/](?:users|home|documents\ and\ settings)[\\/](?!(?:public|shared|all\ users)\b)"
            r"(?P<value>[^\\/:;,|\"<>\n]{1,40}(?=\\)|[^\\/\s:;,|\"<>]+)"
        ),
        rank=1,
        gate=None,
        words=frozenset({"users", "home", "settings"}),
    ),
    PatternDetector(
        "MAC_ADDRESS",
        ignore_case(
            r"(?<![0-9a-f:.-])(?:[0-9a-f]{2}(?P<s>[:-]))(?:[0-9a-f]{2}(?P=s)){4}[0-9a-f]{2}(?![0-9a-f:-])"
            r"|(?<![0-9a-f.])(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}(?![0-9a-f.])"
        ),
        lambda text: any(letter.isdigit() for letter in text),
        rank=1,
        # The signs come first, so that the rest is tried only at them.
        gate=re.compile(r"[:.-](?:(?<!\.)[0-9a-fA-F]{2}[:-][0-9a-fA-F]{2}[:-]|(?<=\.)[0-9a-fA-F]{4}\.)"),
    ),
    PatternDetector(
        "IP_ADDRESS",
        ignore_case(
            r"(?=\d{1,3}\.\d{1,3}\.\d)(?<![\d.])(?<!\bv)(?<!\bv\ )(?<!\bver\ )(?<!version\ )(?<!\brev\ )(?<!release\ )"
            r"(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)"
        ),
        _is_ip4,
        rank=1,
        gate=re.compile(r"\d\.\d{1,3}\.\d{1,3}\.\d"),
        shapes=("0.0",),
        at_numbers=True,
    ),
    PatternDetector(
        "IP_ADDRESS",
        ignore_case(r"(?<![0-9a-f:.])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![0-9a-f:.])"),
        lambda text: (text.count(":") >= 4 and is_ip(text)) or ("::" in text and len(text) > 6 and is_ip(text)),
        rank=4,
        gate=re.compile(r":[0-9a-fA-F]{0,4}:"),
    ),
    PatternDetector(  # @jsmith_rad
        "PERSON_NAME",
        re.compile(r"(?<![\w@])@[A-Za-z][\w.]{2,30}\w"),
        _is_handle,
        rank=2,
        gate=None,
        shapes=("@",),
    ),
    PatternDetector(  # call x4412
        "PHONE_NUMBER",
        re.compile(r"(?<![^\s(,;:])(?<!\d )[xX]\d{4,5}(?<!00)(?![\w.%])"),
        always,
        rank=5,
        shapes=("x0000", "X0000"),
    ),
    PatternDetector(  # North America
        "PHONE_NUMBER",
        re.compile(
            r"(?<![\d.-])(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}(?:,? ?(?:x"
            r"|ext(?:ension|\.)?) ?\d{1,5})?(?![\d.-]*\d)",
            re.IGNORECASE,
        ),
        always,
        gate=FIVE_DIGITS,
        rank=5,
        ocr_digits=True,
        in_numbers=True,
        shapes=("000-0000", "000 0000", "000.0000"),
    ),
    PatternDetector(  # international
        "PHONE_NUMBER",
        re.compile(
            r"(?<![\w+.])(?:\+|00)[1-9]\d{0,2}(?:[ ./-]?\(?0?\)?[ ./-]?)\(?(?:\d[ )./-]{0,2}){5,12}"
            r"\d(?:x\d{1,6})?(?!\d)"
        ),
        _is_long_phone,
        rank=5,
        shapes=("+0", "000"),
        gate=FIVE_DIGITS,
        ocr_digits=True,
        in_numbers=True,
    ),
    PatternDetector(  # national forms with a trunk zero: 020 7946 0958, 089/123456, 06.12.34.56.78, (0711) 12345-67
        "PHONE_NUMBER",
        re.compile(
            r"(?<![\d.,/-])(?:\(0\d{1,5}\)[ /-]?\d{2,4}(?:[ -]?\d{2,4}){1,3}|0\d(?:[ .-]\d\d){4}"
            r"|0\d[ -]\d{4}[ -]\d{4}|0\d{2,4}[ /-]\d{3,4}[ -]?\d{3,4}(?:-\d{1,4})?|0\d{2,4}/\d{5,8})(?![\d.,/-]*\d)"
        ),
        _is_phone,
        rank=5,
        gate=FIVE_DIGITS,
        ocr_digits=True,
        in_numbers=True,
    ),
    PatternDetector(  # anything long enough beside a cue
        "PHONE_NUMBER",
        ignore_case(
            _PHONE_CUE + r"(?:\s*(?:no|num(?:ber)?|nr|at|is|on|me|us|him|her|them|my|the|channels?|table|communication"
            r"|\#|:|=|\.|\||\((?=\d{7})|\[)){0,4}\s*"
            r"(?P<value>\+?\(?\d[\d\ ()./-]{2,20}\d)(?:\ ?(?:x|ext(?:ension|\.)?)\ ?\d{1,6})?(?!\d)"
        ),
        lambda text: 4 <= len(digits_of(text)) <= 15,
        rank=3,
        ocr_digits=True,
        at_words=True,
        words=frozenset(
            [
                *("tlf", "tlfn", "gsm", "natel", "celular", "movil", "手机", "手機", "电话", "電話", "携帯", "전화"),
                *("тел", "телефон", "τηλ", "τηλεφωνο"),
                "registered",
                "communication",
                "tel",
                "telefon",
                "telefono",
                "telefoon",
                "telephone",
                "phone",
                "ph",
                "fon",
                "fax",
                "mobile",
                "mobil",
                "cell",
                "handy",
                "pager",
                "pgr",
                "beeper",
                "bleep",
                "callback",
                "call",
                "contact",
                "ext",
                "reachable",
            ]
        ),
    ),
    PatternDetector(  # ten digits beside another channel: jane@example.org;2045550111
        "PHONE_NUMBER",
        re.compile(r"(?:@[\w.-]{3,}[>)]?\s?[;|,/\t ]\s?(?P<value>[2-9]\d\d[2-9]\d{6})(?!\d))|\Z(?!)"),
        gate=FIVE_DIGITS,
        rank=5,
        shapes=("0000000000",),
    ),
    PatternDetector(
        "PHONE_NUMBER",
        re.compile(r"(?<![\w.-])(?P<value>[2-9]\d\d[2-9]\d{6})(?=[>)]?\s?[;|,/\t ]\s?[<(]?(?:[\w.+-]+@|https?:))"),
        gate=FIVE_DIGITS,
        rank=5,
        shapes=("0000000000",),
    ),
    PatternDetector(  # a number that somebody can be reached by
        "PHONE_NUMBER",
        ignore_case(
            r"\b(?:(?:reach|text|dial|ring|message)\ (?:me|us|him|her|them|it)?\ ?(?:at|on|by)?|dial|whatsapp|landline"
            r"|hotline|helpline|(?:my|his|her|our|their|new|office|home|work)\ number(?:\ (?:is|was|to|from))?)"
            r"[\s:]{1,3}(?P<value>\+?\(?\d[\d\ ()./-]{5,20}\d)(?:\ ?(?:x|ext(?:ension|\.)?)\ ?\d{1,6})?(?!\d)"
        ),
        lambda text: 6 <= len(digits_of(text)) <= 15,
        gate=FIVE_DIGITS,
        rank=3,
        at_words=True,
        words=frozenset(
            [
                *("reach", "text", "dial", "ring", "message", "whatsapp", "landline", "hotline", "helpline"),
                *("my", "his", "her", "our", "their", "new", "office", "home", "work"),
            ]
        ),
    ),
    PatternDetector(  # a local number after somebody who can be called
        "PHONE_NUMBER",
        ignore_case(
            r"\b(?:contact|call|phone|tel|mobile|cell|spouse|wife|husband|mother|father|daughter|son|emergency|caregiver|carer"
            r"|guardian|relative|communication)\b"
            r"[^\d]{0,60}?(?P<value>[2-9]\d\d[-.]\d{4}|[2-9]\d\d[2-9]\d{6})(?![\d-])"
        ),
        gate=FIVE_DIGITS,
        rank=5,
        at_words=True,
        words=frozenset(
            [
                "contact",
                "call",
                "phone",
                "tel",
                "mobile",
                "cell",
                "spouse",
                "wife",
                "husband",
                "mother",
                "father",
                "daughter",
                "son",
                "emergency",
                "caregiver",
                "carer",
                "guardian",
                "relative",
                "communication",
            ]
        ),
    ),
    PatternDetector(  # a local number that is the whole text
        "PHONE_NUMBER",
        re.compile(r"\A\s*(?P<value>[2-9]\d\d[-. ]\d{4}|[2-9]\d{9})\s*\Z"),
        always,
        gate=FIVE_DIGITS,
        rank=6,
        whole=True,
    ),
)
