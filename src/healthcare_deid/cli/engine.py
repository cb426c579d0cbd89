"""Engine arguments as command-line options, generated from `EngineOptions`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import click

from healthcare_deid.cli.identity_options import identity_options
from healthcare_deid.cli.keys import secret_file, warn_if_shared
from healthcare_deid.engine.options import Meaning, meanings

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import Field


def engine_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options to a command, whose function receives ``engine``, the arguments of `Deidentifier`."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function = identity_options()(function)

        @functools.wraps(function)
        def command(*arguments: Any, salt_file: Path | None, **others: Any) -> Any:
            engine = {one.name: others.pop(one.name) for one, meaning in meanings() if meaning.flag}
            if salt_file is not None:
                warn_if_shared(salt_file)
                engine |= {"uid_rule": "salted", "salt": salt_file.read_bytes().removesuffix(b"\n")}
            return function(*arguments, engine=engine, **others)

        with_options = _salt_file(command)
        for one, meaning in reversed([*meanings()]):
            if meaning.flag:
                with_options = _option(one, meaning)(with_options)
        return with_options

    return decorate


def _option(one: Field[Any], meaning: Meaning) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the command-line option for an engine argument."""
    text = (meaning.help or meaning.text).replace("``", "")
    form: dict[str, Any] = {"default": one.default, "help": text, "metavar": meaning.metavar}
    match meaning.kind:
        case "flag":
            form |= {"is_flag": True}
        case "list":
            form |= {"multiple": True, "help": f"{form['help']} Repeatable."}
        case "number":
            form |= {"type": int, "show_default": True}
        case "file":
            form |= {"type": click.Path(exists=True, dir_okay=False, path_type=Path)}
        case "new-file":
            # As text: a Path would make a bare name of ./NAME.
            form |= {"type": click.Path(dir_okay=False), "callback": _secret_file}
            form["help"] += " The file of a path that does not exist is made, with a random secret, for its owner only."
        case "text":
            form |= {"type": click.Choice(meaning.choices), "show_default": True} if meaning.choices else {}
        case _:
            assert_never(meaning.kind)
    return click.option(meaning.flag, one.name, **form)


def _secret_file(context: click.Context, parameter: click.Parameter, given: str | None) -> Path | None:
    del context, parameter
    return None if given is None else secret_file(given)


def _salt_file(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--salt-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file with a secret of 16 bytes or more. New UIDs cannot be computed without it.",
    )(function)
