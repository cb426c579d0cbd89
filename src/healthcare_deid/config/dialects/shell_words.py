"""Words of a shell command.

Covers the part of POSIX sh that pasted curl and gcloud commands use.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from healthcare_deid.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?\?[^}]*)?\}|(\w+))")
_GAP = re.compile(r"(?:[ \t]|\\\r?\n)+|\r?\n|#[^\n]*")
# In double quotes, a backslash escapes only these characters and the line break.
_ESCAPED_IN_QUOTES = frozenset('"\\$`')


def split_words(text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Return the words of one command.

    Quotes, backslashes, comments and continued lines follow sh. ``$NAME`` is replaced if `environment` has the name.
    Other variables and ``$(…)`` stay as written; nothing is ever run.

    Raises:
        ConfigError: A quote or parenthesis is not closed, or another command follows.
    """
    return _Words(text, environment or {}).all()


class _Words:
    """Reader of one command, from left to right."""

    def __init__(self, text: str, environment: Mapping[str, str]) -> None:
        self.text = text
        self.environment = environment
        self.at = 0
        self.began = False

    def all(self) -> list[str]:
        words: list[str] = []
        while (word := self.word()) is not None:
            words.append(word)
        return words

    def word(self) -> str | None:
        """Return the next word, or `None` at the end."""
        if not self.skip():
            return None
        parts: list[str] = []
        while self.at < len(self.text):
            here = self.text[self.at]
            if here.isspace():
                break
            if here in ";|&<>":
                raise ConfigError("not one command: the text holds a pipe, a redirection or a second command")
            if here == "'":
                parts.append(self.until("'"))
            elif here == '"':
                parts.append(self.quoted())
            elif here == "\\":
                parts.append(self.text[self.at + 1 : self.at + 2].replace("\n", ""))
                self.at += 2
            elif here == "$":
                parts.append(self.dollar())
            else:
                parts.append(here)
                self.at += 1
        return "".join(parts)

    def skip(self) -> bool:
        """Skip white space and comments; return whether a word follows."""
        while found := _GAP.match(self.text, self.at):
            self.at = found.end()
            if self.began and found.group() in {"\n", "\r\n"}:
                if self.text[self.at :].strip():
                    raise ConfigError("not one command: a second line follows without a backslash")
                self.at = len(self.text)
        self.began = self.at < len(self.text)
        return self.began

    def until(self, end: str) -> str:
        stop = self.text.find(end, self.at + 1)
        if stop < 0:
            raise ConfigError(f"not a command: {end} is not closed")
        inside = self.text[self.at + 1 : stop]
        self.at = stop + 1
        return inside

    def quoted(self) -> str:
        parts: list[str] = []
        self.at += 1
        while self.at < len(self.text):
            here = self.text[self.at]
            following = self.text[self.at + 1 : self.at + 2]
            if here == '"':
                self.at += 1
                return "".join(parts)
            if here == "\\" and (following in _ESCAPED_IN_QUOTES or following == "\n"):
                parts.append(following.replace("\n", ""))
                self.at += 2
            elif here == "$":
                parts.append(self.dollar())
            else:
                parts.append(here)
                self.at += 1
        raise ConfigError('not a command: " is not closed')

    def dollar(self) -> str:
        if self.text.startswith("$(", self.at):
            depth = 0
            for index in range(self.at + 1, len(self.text)):
                depth += {"(": 1, ")": -1}.get(self.text[index], 0)
                if depth == 0:
                    inside = self.text[self.at : index + 1]
                    self.at = index + 1
                    return inside
            raise ConfigError("not a command: $( is not closed")
        found = _VARIABLE.match(self.text, self.at)
        if not found:
            self.at += 1
            return "$"
        self.at = found.end()
        return self.environment.get(found.group(1) or found.group(2), found.group())
