"""The base of every message: camelCase on the wire, snake_case in Python, frozen, unknown fields refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from healthcare_deid.config.diff import Difference


FROZEN = "messages are frozen: use model_copy(update=...) or the builder"


def wire_name(name: str) -> str:
    """Return the name a field has on the wire; a trailing underscore only keeps it apart from a method of pydantic."""
    return to_camel(name.removesuffix("_"))


if TYPE_CHECKING:
    # Type checkers must keep reading each model's own constructor signature.
    _Model = BaseModel
else:

    class _MessageMeta(type(BaseModel)):
        """Turn pydantic's `ValidationError`, which quotes the input, into our `ConfigError`, which does not."""

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                made = super().__call__(*args, **kwargs)
            except ValidationError as error:
                from healthcare_deid.config.problems import config_error

                raise config_error(cls, error) from None
            if made.__pydantic_extra__:
                from healthcare_deid.config.problems import unknown_fields

                raise unknown_fields(cls, made.__pydantic_extra__)
            return made

    class _Model(BaseModel, metaclass=_MessageMeta):
        """`BaseModel` with our errors."""

        def __setattr__(self, name: str, value: Any) -> None:
            raise _frozen(type(self), name)

        def __delattr__(self, name: str) -> None:
            raise _frozen(type(self), name)

    def _frozen(cls: type[BaseModel], name: str) -> Exception:
        # Pydantic's own error would quote the value, a key perhaps.
        from healthcare_deid.errors import ConfigError

        return ConfigError.of(cls.__name__, [(wire_name(name), FROZEN)])


class Message(_Model):
    """A message of the API.

    Constructors take the Python names (``filter_profile=``); the wire, and every JSON or YAML text, has the API's
    (``filterProfile``). Messages are values: frozen, compared by content; `model_copy` and the builder return new ones.
    A repeated field takes any sequence and holds a tuple.
    """

    model_config = ConfigDict(
        alias_generator=wire_name,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
    )

    @classmethod
    def from_api(cls, value: Mapping[str, Any], *, strict: bool = False) -> Self:
        """Build the message from the API's JSON, already parsed.

        Args:
            value: The JSON object.
            strict: Refuse what the service's own parser forgives: snake_case names, ``"True"`` for true, numbers as
                text, null for an unset field.

        Raises:
            ConfigError: With the JSON path of every problem.
        """
        if strict:
            from healthcare_deid.config.wire import refuse_lenient_spelling

            refuse_lenient_spelling(cls, value)
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            problem = error
        from healthcare_deid.config.problems import config_error
        from healthcare_deid.config.wire import without_leniency

        if not strict:
            try:
                return cls.model_validate(without_leniency(cls, value))
            except ValidationError as error:
                problem = error
        raise config_error(cls, problem) from None

    def to_api(self) -> dict[str, Any]:
        """Return the message as the API's JSON: wire names, unset fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str | bytes, *, strict: bool = False) -> Self:
        """Parse the API's JSON as forgivingly as the service: see `healthcare_deid.config.lenient`.

        Raises:
            ConfigError: The text is no JSON, or the message is wrong.
        """
        from healthcare_deid.config.lenient import parse_json

        return cls.from_api(parse_json(text, strict=strict), strict=strict)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the message as strict JSON. Keys are in it: see `to_api`."""
        import json

        return json.dumps(self.to_api(), indent=indent, ensure_ascii=False)

    @classmethod
    def from_yaml(cls, text: str | bytes) -> Self:
        """Parse YAML with the API's field names; comments are ignored. Needs the extra ``[yaml]``.

        Raises:
            ConfigError: The text is no YAML, or the message is wrong.
            MissingExtraError: PyYAML is not installed.
        """
        from healthcare_deid.config.yamltext import parse_yaml

        return cls.from_api(parse_yaml(text))

    def to_yaml(self) -> str:
        """Return the message as YAML with the API's field names. Needs the extra ``[yaml]``."""
        from healthcare_deid.config.yamltext import dump_yaml

        return dump_yaml(self.to_api())

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read ``.json``, ``.yaml`` or ``.yml``.

        Raises:
            ConfigError: Another suffix, no JSON or YAML, or the message is wrong.
            OSError: The file cannot be read.
        """
        from pathlib import Path

        from healthcare_deid.errors import ConfigError

        path = Path(path)
        match path.suffix.lower():
            case ".json":
                return cls.from_json(path.read_bytes())
            case ".yaml" | ".yml":
                return cls.from_yaml(path.read_bytes())
            case _:
                raise ConfigError(f"{cls.__name__}: a file named .json, .yaml or .yml is needed")

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the message on the wire, for editors and other validators."""
        from healthcare_deid.config.schema import json_schema

        return json_schema(cls)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; with ``update``, one with these fields set, checked as the constructor checks them.

        Raises:
            ConfigError: The fields of ``update`` cannot be right.
        """
        copied = super().model_copy(deep=deep)
        if not update:
            return copied
        values = {name: getattr(copied, name) for name in copied.model_fields_set}
        return type(self).from_api(values | dict(update))

    def diff(self, other: Self) -> tuple[Difference, ...]:
        """Return what changed from this message to ``other``; keys are compared and never shown."""
        from healthcare_deid.config.diff import diff

        return diff(self, other)

    def __str__(self) -> str:
        """Show the fields that are set, or the type's name where none is."""
        return super().__str__() or repr(self)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Show the fields that are set; `repr` of a key shows its length."""
        shown: list[tuple[str | None, Any]] = []
        for name, value in super().__repr_args__():
            field = type(self).model_fields.get(name or "")
            if field is None or field.is_required() or value != field.default:
                shown.append((name, value))
        return shown


class OneOf(Message):
    """A message with fields that exclude each other: a union of the API, which its discovery document cannot say."""

    one_of: ClassVar[tuple[str, ...]] = ()
    """The fields of which one at most may be set."""

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        values = self.__dict__
        given = [name for name in self.one_of if values[name]]  # a message is true even when it is empty
        if len(given) > 1:
            raise ValueError(f"{' and '.join(map(wire_name, given))} exclude each other: set one")
        return self

    @property
    def chosen(self) -> str | None:
        """The name of the one field of the union that is set, such as ``"redact_config"``."""
        return next((name for name in self.one_of if getattr(self, name) is not None), None)


class Reply(Message):
    """A message the service writes. Fields it gains later are kept, in `model_extra` and on dump.

    The constructor, which only a program calls, still refuses a name it does not know.
    """

    model_config = ConfigDict(extra="allow")

    @property
    def unknown(self) -> dict[str, Any]:
        """The fields the service sent and this version of the package does not know."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Name unknown fields without their values: nobody knows what the service will put there."""
        known = [(name, value) for name, value in super().__repr_args__() if name not in self.unknown]
        return [*known, *([("unknown", sorted(self.unknown))] if self.unknown else [])]
