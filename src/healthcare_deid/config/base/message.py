"""Base classes of messages.

Messages are frozen, refuse unknown fields, and are camelCase on the wire.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from healthcare_deid.config.base.wire_names import wire_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema

    from healthcare_deid.config.diff import Difference

# Methods import what they need when they are called: a program that builds a config and sends it needs little of it,
# and these imports took 5 % of the time to load a config.

FROZEN = "messages are frozen: use model_copy(update=...) or the builder"


if TYPE_CHECKING:
    # A metaclass would hide each model's own constructor signature from type checkers.
    _Model = BaseModel
else:

    class _MessageMeta(type(BaseModel)):
        """Raise `ConfigError` instead of pydantic's `ValidationError`, which quotes the input."""

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            try:
                made = super().__call__(*args, **kwargs)
            except ValidationError as error:
                from healthcare_deid.config.base.problems import config_error

                raise config_error(cls, error) from None
            if made.__pydantic_extra__:
                from healthcare_deid.config.base.problems import unknown_fields

                raise unknown_fields(cls, made.__pydantic_extra__)
            return made

    class _Model(BaseModel, metaclass=_MessageMeta):
        """`BaseModel` that raises this package's errors."""

        def __setattr__(self, name: str, value: Any) -> None:
            raise _frozen(type(self), name)

        def __delattr__(self, name: str) -> None:
            raise _frozen(type(self), name)

    def _frozen(cls: type[BaseModel], name: str) -> Exception:
        # Pydantic's own error would quote the value, which may be a key.
        from healthcare_deid.errors import ConfigError

        return ConfigError.of(cls.__name__, [(wire_name(name), FROZEN)])


class Message(_Model):
    """A message of the API.

    Constructors take Python names (``filter_profile=``). JSON and YAML have the API's names (``filterProfile``).
    Messages are frozen values that compare by content; `model_copy` and the builder return new ones.
    A repeated field accepts any sequence and holds a tuple.
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
        """Build the message from parsed JSON of the API.

        Args:
            value: The JSON object.
            strict: Refuse spellings that the service's parser accepts: snake_case names, ``"True"`` for true, numbers
                as text, null for an unset field.

        Raises:
            ConfigError: With the JSON path of every problem.
        """
        # Strict input is the common case, so the lenient spellings are undone only after a first failure.
        if strict:
            from healthcare_deid.config.base.lenient_spellings import refuse_lenient_spelling

            refuse_lenient_spelling(cls, value)
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            problem = error
        from healthcare_deid.config.base.lenient_spellings import without_leniency
        from healthcare_deid.config.base.problems import config_error

        if not strict:
            try:
                return cls.model_validate(without_leniency(cls, value))
            except ValidationError as error:
                problem = error
        raise config_error(cls, problem) from None

    def to_api(self) -> dict[str, Any]:
        """Return the message as the API's JSON, without unset fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)

    @classmethod
    def from_json(cls, text: str | bytes, *, strict: bool = False) -> Self:
        """Parse the API's JSON, as leniently as the service unless ``strict``.

        Raises:
            ConfigError: The text is not JSON, or the message is wrong.
        """
        from healthcare_deid.config.dialects.json_text import parse_json

        return cls.from_api(parse_json(text, strict=strict), strict=strict)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the message as strict JSON, including any keys."""
        import json

        return json.dumps(self.to_api(), indent=indent, ensure_ascii=False)

    @classmethod
    def from_yaml(cls, text: str | bytes) -> Self:
        """Parse YAML with the API's field names, ignoring comments.

        This needs the extra ``[yaml]``.

        Raises:
            ConfigError: The text is not YAML, or the message is wrong.
            MissingExtraError: PyYAML is not installed.
        """
        from healthcare_deid.config.dialects.yaml_text import parse_yaml

        return cls.from_api(parse_yaml(text))

    def to_yaml(self) -> str:
        """Return the message as YAML with the API's field names.

        This needs the extra ``[yaml]``.
        """
        from healthcare_deid.config.dialects.yaml_text import dump_yaml

        return dump_yaml(self.to_api())

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a ``.json``, ``.yaml`` or ``.yml`` file.

        Raises:
            ConfigError: The suffix is another one, the file is not JSON or YAML, or the message is wrong.
            OSError: The file cannot be read.
        """
        from healthcare_deid.errors import ConfigError

        path = Path(path)
        match path.suffix.lower():
            case ".json":
                return cls.from_json(path.read_bytes())
            case ".yaml" | ".yml":
                return cls.from_yaml(path.read_bytes())
            case _:
                raise ConfigError(f"{cls.__name__}: the file name must end in .json, .yaml or .yml")

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of the message's JSON."""
        from healthcare_deid.config.dialects.json_schema import schema_of

        return schema_of(cls)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from healthcare_deid.config.dialects.json_schema import describe_fields

        schema = handler.resolve_ref_schema(handler(core_schema))
        describe_fields(schema, cls)
        return schema

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with the fields in ``update`` set and validated.

        Raises:
            ConfigError: A field in ``update`` is wrong.
        """
        copied = super().model_copy(deep=deep)
        if not update:
            return copied
        values = {name: getattr(copied, name) for name in copied.model_fields_set}
        return type(self).from_api(values | dict(update))

    def diff(self, other: Self) -> tuple[Difference, ...]:
        """Return the differences between this message and ``other``.

        Keys are compared but not shown.
        """
        from healthcare_deid.config.diff import diff

        return diff(self, other)

    def __str__(self) -> str:
        """Show the fields that are set, or the type's name."""
        return super().__str__() or repr(self)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Show the fields that are set; a key shows its length."""
        shown: list[tuple[str | None, Any]] = []
        for name, value in super().__repr_args__():
            field = type(self).model_fields.get(name or "")
            if field is None or field.is_required() or value != field.default:
                shown.append((name, value))
        return shown


class OneOf(Message):
    """A message with mutually exclusive fields.

    The API has such unions, but its discovery document cannot express them.
    """

    one_of: ClassVar[tuple[str, ...]] = ()
    """The fields of which at most one may be set."""

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        values = self.__dict__
        given = [name for name in self.one_of if values[name]]  # a message is truthy even when it is empty
        if len(given) > 1:
            raise ValueError(f"{' and '.join(map(wire_name, given))} exclude each other: set one")
        return self

    @property
    def chosen(self) -> str | None:
        """Name of the union's field that is set, or `None`."""
        return next((name for name in self.one_of if getattr(self, name) is not None), None)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from healthcare_deid.config.dialects.json_schema import exclude_each_other

        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        exclude_each_other(schema, cls.one_of)
        return schema


class ReplyMessage(Message):
    """A message that the service writes.

    Unknown fields are kept in `model_extra` and on dump.

    The constructor, which only programs call, still refuses unknown names.
    """

    model_config = ConfigDict(extra="allow")

    @property
    def unknown(self) -> dict[str, Any]:
        """Fields of the reply that this version does not know."""
        return dict(self.model_extra or {})

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Name unknown fields without their values, which may hold data."""
        known = [(name, value) for name, value in super().__repr_args__() if name not in self.unknown]
        return [*known, *([("unknown", sorted(self.unknown))] if self.unknown else [])]
