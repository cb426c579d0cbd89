"""Every ``healthcare-deid`` line of the documentation names commands and options that exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from healthcare_deid.cli.main import main

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
_FENCE = re.compile(r"^```(?:console|bash)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"\(healthcare-deid ([^\n)]*)\)|^healthcare-deid ([^\n]*)", re.MULTILINE)


def command_lines(page: Path) -> list[str]:
    text = page.read_text()
    fenced = "\n".join(block.replace("\\\n", " ") for block in _FENCE.findall(text))
    return ["".join(parts) for parts in _COMMAND.findall(fenced)]


def parsed(line: str) -> tuple[click.Command, list[str]]:
    """Return the command that a line names, and its options."""
    line = re.split(r" (?:[&|<>]|\|\|) ?", line)[0]
    words = shlex.split(line, comments=True)
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group) and words and (found := command.get_command(context, words[0])):
        command = found
        words = words[1:]
        if command.name == "emulator" and "env-init" in words:
            break
    return command, [word.partition("=")[0] for word in words if word.startswith("-") and len(word) > 1]


@pytest.mark.parametrize("page", [page for page in PAGES if command_lines(page)], ids=lambda page: page.name)
def test_the_command_lines_of_a_page_name_what_exists(page: Path) -> None:
    for line in command_lines(page):
        command, options = parsed(line)
        known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
        assert command is not main or line.startswith("--help"), f"no such command: {line}"
        unknown = set(options) - known - {"--help", "-h", "--version"}
        assert not unknown, f"{line}: no option {sorted(unknown)}"


@pytest.mark.slow
def test_the_tutorial_of_the_page_runs_in_a_shell(filled: CommandLine, scans: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    tutorial = page.partition("## The tutorial")[2].partition("\n## ")[0]
    program = tmp_path / "bin" / "healthcare-deid"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m healthcare_deid.cli "$@"\n')
    program.chmod(0o700)
    filled.ok("datasets", "delete", "dataset1", "-q")
    environment = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    script = "set -eu\n" + "".join(_FENCE.findall(tutorial))
    result = subprocess.run(
        ["bash", "-c", script], cwd=scans.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "2 transferred" in result.stdout
    assert len(list((tmp_path / "pictures").iterdir())) == 2
    assert json.loads(filled.ok("datasets", "list", "--format", "json"))


def test_the_page_of_the_command_line_names_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    context = click.Context(main)
    for name in main.list_commands(context):
        assert f"`{name}" in page
        command = main.get_command(context, name)
        if isinstance(command, click.Group) and name != "emulator":
            for verb, below in command.commands.items():
                words = [f"{verb} {deeper}" for deeper in below.commands] if isinstance(below, click.Group) else [verb]
                assert all(f"`{word}`" in page for word in words)
