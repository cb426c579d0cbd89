"""``healthcare-deid audit``: what may still identify somebody in files that any tool has written."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from healthcare_deid.cli.exits import CommandError, Exit
from healthcare_deid.cli.output import emit, with_format
from healthcare_deid.cli.paths import with_paths

if TYPE_CHECKING:
    from healthcare_deid.report.audit import Audit, Residue

_NAMES_SHOWN = 12


@click.command("audit")
@click.argument("folder", metavar="PATH", type=click.Path(exists=True, path_type=Path))
@with_paths
@with_format("table")
def command(folder: Path, style: str) -> None:
    """List what may still identify somebody in the DICOM files below PATH; no value is printed.

    The measure is DICOM's Basic Confidentiality Profile (PS3.15 Annex E): what it would act on and that still holds a
    value, and private elements. Pixels and the words inside values are not looked at: finding nothing is no proof.
    JSON and YAML name the files.

    The exit code is 8 when something holds a value that must not, and 3 when a file could not be read.
    """
    from healthcare_deid.cli.instances import Unreadable, instances
    from healthcare_deid.report.audit import audit

    unreadable = Unreadable()
    audits = {path: audit(dataset) for path, dataset in instances(folder, unreadable)}
    if not audits:
        raise CommandError("no DICOM instance was read: nothing was audited")
    if style == "table":
        _summary(list(audits.values()))
    else:
        emit([_api(path, item) for path, item in audits.items()], style, {})
    if any(not item.clean for item in audits.values()):
        raise SystemExit(Exit.FINDINGS)
    if unreadable.count:
        raise SystemExit(Exit.PARTIAL)


def _summary(audits: list[Audit]) -> None:
    from healthcare_deid.report.audit import BurnedIn, Residue

    says = sum(item.says_deidentified for item in audits)
    click.echo(f"{len(audits)} instances, {sum(item.clean for item in audits)} with nothing that must not be there")
    click.echo(f"PatientIdentityRemoved: yes {says}, no or unsaid {len(audits) - says}")
    _listed(audits, Residue.PRESENT, "Must be gone or empty, and holds a value", most=None)
    _listed(audits, Residue.PRIVATE, "Private elements with a value")
    _listed(audits, Residue.REPLACED, "Holds a value that may be a replacement: look")
    _listed(audits, Residue.UID, "UIDs, of which nobody can tell whether they are new")
    if preambles := sum(item.preamble for item in audits):
        click.echo(f"Preambles that hold something: {preambles}")
    burned_in = Counter(item.burned_in for item in audits)
    click.echo(f"BurnedInAnnotation: {', '.join(f'{how} {burned_in[how]}' for how in BurnedIn if burned_in[how])}")
    click.echo("Pixels and the words inside values were not looked at.")


def _listed(audits: list[Audit], residue: Residue, title: str, most: int | None = _NAMES_SHOWN) -> None:
    """Print in how many instances each element is, the most frequent first."""
    names: Counter[str] = Counter()
    for item in audits:
        names.update({finding.name for finding in item.findings if finding.residue is residue})
    if not names:
        return
    click.echo(f"{title}:")
    ordered = sorted(names.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ordered[:most]:
        click.echo(f"  {name}  {count}")
    if most is not None and len(names) > most:
        click.echo(f"  ... and {len(names) - most} others; --format json has all")


def _api(path: Path, item: Audit) -> dict[str, Any]:
    return {
        "file": str(path),
        "clean": item.clean,
        "saysDeidentified": item.says_deidentified,
        "burnedInAnnotation": str(item.burned_in),
        "preamble": item.preamble,
        "findings": [{"path": finding.path, "residue": str(finding.residue)} for finding in item.findings],
    }
