"""The engine's own arguments as options: what a run on this machine can do that is no part of the API."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.keys import warn_if_shared

if TYPE_CHECKING:
    from collections.abc import Callable


def engine_options() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options; the command gets ``engine``, the arguments of `Deidentifier` besides the config."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @click.option(
            "--edition",
            type=click.Choice(["2018e-google", "2026d"]),
            default="2018e-google",
            show_default=True,
            help="Edition of the Basic Profile (PS3.15).",
        )
        @click.option(
            "--option",
            "options",
            multiple=True,
            metavar="NAME",
            help="An option of the Basic Profile, such as clean_descriptors or retain_device_identity; repeatable.",
        )
        @click.option(
            "--safe-private",
            multiple=True,
            metavar="CREATOR,GGGG,EE",
            help="A private element that may stay, with --option retain_safe_private; repeatable.",
        )
        @click.option(
            "--salt-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="A file with a secret of 16 bytes or more: new UIDs cannot be worked out without it.",
        )
        @click.option("--thorough", is_flag=True, help="Look for tiny, faint and rotated burned-in text too.")
        @click.option("--every-frame", is_flag=True, help="Cover text of one frame in all of them.")
        @functools.wraps(function)
        def command(
            *arguments: Any,
            edition: str,
            options: tuple[str, ...],
            safe_private: tuple[str, ...],
            salt_file: Path | None,
            thorough: bool,
            every_frame: bool,
            **others: Any,
        ) -> Any:
            engine: dict[str, Any] = {
                "edition": edition,
                "options": options,
                "safe_private": safe_private,
                "thorough": thorough,
                "every_frame": every_frame,
            }
            if salt_file is not None:
                warn_if_shared(salt_file)
                engine |= {"uid_rule": "salted", "salt": salt_file.read_bytes().removesuffix(b"\n")}
            return function(*arguments, engine=engine, **others)

        return command

    return decorate
