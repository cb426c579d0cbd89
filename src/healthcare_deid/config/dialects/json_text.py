"""JSON as leniently as the service's parser reads it.

The service's own tutorial sends single-quoted JSON in its curl commands. This parser accepts strict JSON, text in
single quotes, object names without quotes, and a comma after the last item. It refuses Python's ``True`` and ``None``,
comments and NaN. It also refuses a repeated name in an object, because the second value would silently replace the
first.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from healthcare_deid.errors import ConfigError

# The parser is recursive; configs are not nested half as deep.
_MAX_DEPTH = 100
_SPACE = re.compile(r"[ \t\r\n]*")
_BARE_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_$@.-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_PLAIN = {'"': re.compile(r'[^"\\\x00-\x1f]*'), "'": re.compile(r"[^'\\\x00-\x1f]*")}
_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_WORDS = {"true": True, "false": False, "null": None}
_SURROGATES = re.compile("[\ud800-\udfff]")


def parse_json(text: str | bytes, *, strict: bool = False) -> Any:
    """Parse JSON.

    Args:
        text: The text, or its UTF-8 bytes.
        strict: Refuse everything that RFC 8259 does not allow.

    Raises:
        ConfigError: With line and column, without the text itself.
    """
    text = _decoded(text)
    try:
        # Strict JSON is the common case, and the C parser is far faster than the lenient one below.
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        if strict:
            raise _error(text, error.pos, _strict_hint(text, error)) from None
    except RecursionError:
        raise ConfigError(f"not JSON: nested more than {_MAX_DEPTH} levels deep") from None
    return _Parser(text).document()


def _decoded(given: object) -> str:
    if isinstance(given, bytes | bytearray):
        try:
            given = given.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError(f"not JSON: byte {error.start} is not UTF-8") from None
    if not isinstance(given, str):
        raise ConfigError("not JSON: expected text (from_api takes parsed JSON)")
    return given.removeprefix("\ufeff")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # json.loads keeps the last of two equal names, so a second "keepList" would silently replace the first.
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ConfigError("not JSON: an object has the same name twice")
    return made


def _no_constant(_: str) -> NoReturn:
    raise ConfigError("not JSON: NaN and Infinity are not JSON numbers")


def _strict_hint(text: str, error: json.JSONDecodeError) -> str:
    here = text[error.pos : error.pos + 1]
    return "strict JSON needs double quotes" if here == "'" else error.msg[:1].lower() + error.msg[1:]


def _error(text: str, position: int, rule: str) -> ConfigError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return ConfigError(f"not JSON: line {line}, column {column}: {rule}")


class _Parser:
    """Recursive-descent parser of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def document(self) -> Any:
        value = self.value(0)
        self.skip()
        if self.at < len(self.text):
            self.fail("unexpected text after the value")
        return value

    def value(self, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            self.fail(f"nested more than {_MAX_DEPTH} levels deep")
        match self.peek():
            case "{":
                return self.object(depth)
            case "[":
                return self.array(depth)
            case '"' | "'":
                return self.string()
            case "":
                raise self.error("the text ends before a value")
            case _:
                return self.word_or_number()

    def object(self, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        self.at += 1
        while self.peek() != "}":
            start = self.at
            name = self.name()
            if name in made:
                self.fail("the same name occurs twice in one object", start)
            if self.peek() != ":":
                self.fail("expected ':' after a name")
            self.at += 1
            made[name] = self.value(depth + 1)
            self.comma("}")
        self.at += 1
        return made

    def array(self, depth: int) -> list[Any]:
        made: list[Any] = []
        self.at += 1
        while self.peek() != "]":
            made.append(self.value(depth + 1))
            self.comma("]")
        self.at += 1
        return made

    def comma(self, end: str) -> None:
        here = self.peek()
        if here == ",":
            self.at += 1
        elif here != end:
            self.fail(f"expected ',' or '{end}'")

    def name(self) -> str:
        if self.peek() in {'"', "'"}:
            return self.string()
        found = _BARE_NAME.match(self.text, self.at)
        if not found:
            self.fail("expected a name")
        self.at = found.end()
        return found.group()

    def string(self) -> str:
        quote = self.text[self.at]
        start = self.at
        self.at += 1
        parts: list[str] = []
        while True:
            plain = _PLAIN[quote].match(self.text, self.at)
            assert plain
            parts.append(plain.group())
            self.at = plain.end()
            here = self.text[self.at : self.at + 1]
            if here == quote:
                self.at += 1
                return _joined("".join(parts))
            if here == "\\":
                parts.append(self.escape())
            elif here:
                self.fail("control character in a text")
            else:
                self.fail("text without a closing quote", start)

    def escape(self) -> str:
        code = self.text[self.at + 1 : self.at + 2]
        if code == "u":
            digits = self.text[self.at + 2 : self.at + 6]
            if not re.fullmatch(r"[0-9A-Fa-f]{4}", digits):
                self.fail("\\u needs four hexadecimal digits")
            self.at += 6
            return chr(int(digits, 16))
        if code not in _ESCAPES or not code:
            self.fail("unknown escape")
        self.at += 2
        return _ESCAPES[code]

    def word_or_number(self) -> Any:
        number = _NUMBER.match(self.text, self.at)
        if number and not self.text[number.end() : number.end() + 1].isalnum():
            self.at = number.end()
            is_whole = number.group(1) is None and number.group(2) is None
            return int(number.group()) if is_whole else float(number.group())
        word = _BARE_NAME.match(self.text, self.at)
        if word and word.group() in _WORDS:
            self.at = word.end()
            return _WORDS[word.group()]
        if word and word.group() in {"True", "False", "None"}:
            self.fail("JSON spells true, false and null in lower case")
        raise self.error("text needs quotes" if word else "expected a value")

    def peek(self) -> str:
        self.skip()
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        assert found
        self.at = found.end()

    def fail(self, rule: str, position: int | None = None) -> NoReturn:
        raise self.error(rule, position)

    def error(self, rule: str, position: int | None = None) -> ConfigError:
        return _error(self.text, self.at if position is None else position, rule)


def _joined(text: str) -> str:
    """Join characters that were escaped as pairs of UTF-16 surrogates."""
    if not _SURROGATES.search(text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ConfigError("not JSON: unpaired surrogate") from None
