"""YAML restricted to JSON's plain values.

YAML 1.1 reads the tag ``00100010`` as an octal number and ``no`` as false. Here such words stay text, and dates do too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from healthcare_deid.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Hashable

    import yaml

_WORDS = re.compile(r"[A-Za-z][A-Za-z_]{3,}")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_NEVER_FOLD = 2**20
# Plain values that are not text. A number has at most seven digits, because eight digits are a tag.
_PLAIN = (
    ("null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")),
    ("int", re.compile(r"^-?(?:0|[1-9][0-9]{0,6})$"), list("-0123456789")),
)


def parse_yaml(text: str | bytes) -> Any:
    """Parse one YAML document, ignoring comments.

    Raises:
        ConfigError: With line and column, without the text itself.
        MissingExtraError: PyYAML is not installed.
    """
    module = _module()
    try:
        return module.load(text, Loader=_loader())  # a SafeLoader
    except module.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(f"not YAML: {place}{_rule(error)}") from None
    except (module.YAMLError, UnicodeDecodeError):
        raise ConfigError("not YAML: the text holds a character that YAML does not allow") from None
    except RecursionError:
        raise ConfigError("not YAML: nested too deeply") from None


def dump_yaml(value: Any) -> str:
    """Return `value` as block YAML, in its own order.

    Raises:
        MissingExtraError: PyYAML is not installed.
    """
    module = _module()
    text = module.dump(
        value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, default_flow_style=False, width=_NEVER_FOLD
    )
    return str(text)


def _module() -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("yaml", "Reading and writing YAML") from None
    return yaml


def _rule(error: Any) -> str:
    """Return the parser's message unless it may quote the text."""
    problem = str(error.problem or "")
    return problem if re.fullmatch(r"[A-Za-z ,]+", problem) else "the text is not well-formed"


@lru_cache(maxsize=1)
def _loader() -> type[yaml.SafeLoader]:
    module = _module()

    class Loader(module.SafeLoader):  # type: ignore[misc, name-defined] # imported late
        """`SafeLoader` with JSON's plain values that refuses repeated names and aliases."""

        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
            names = [self.construct_object(key, deep=True) for key, _ in node.value]
            if any(not isinstance(name, str) for name in names):
                raise module.constructor.ConstructorError(None, None, "a name must be text", node.start_mark)
            if len(set(names)) != len(names):
                raise module.constructor.ConstructorError(None, None, "the same name occurs twice", node.start_mark)
            return dict(super().construct_mapping(node, deep=deep))

        def compose_node(self, parent: Any, index: Any) -> Any:
            # Nested aliases expand exponentially ("billion laughs"), and no config needs one.
            if self.check_event(module.AliasEvent):
                raise module.composer.ComposerError(
                    None, None, "aliases are not supported", self.peek_event().start_mark
                )
            return super().compose_node(parent, index)

    for name, pattern, first in _PLAIN:
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", pattern, first)
    return Loader


@lru_cache(maxsize=1)
def _dumper() -> type[yaml.SafeDumper]:
    """Return a dumper that quotes ambiguous text.

    Another YAML parser might not read it as text.
    """
    module = _module()

    class Dumper(module.SafeDumper):  # type: ignore[misc, name-defined] # imported late
        """`SafeDumper` that indents lists and quotes numbers and short words."""

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
            return super().increase_indent(flow, False)

    def text(dumper: Any, value: str) -> Any:
        style = None if _WORDS.fullmatch(value) else "'" if _PRINTABLE.fullmatch(value) else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper
