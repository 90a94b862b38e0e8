"""`rules`: what documents are held against, as a table."""

from __future__ import annotations

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.problems import Severity

_SEVERITIES = {Severity.BLOCKS: N_("blocks"), Severity.WARNS: N_("warns")}


@click.command("rules", cls=program.Command, help=program.COMMANDS["rules"][1])
@program.option(
    "--type",
    "doc_type",
    type=click.Choice(DOC_TYPES),
    metavar=N_("TYPE"),
    help=N_("Only the rules of one document type: 01, 03, 05, 11 or 14."),
)
@program.language_option
@program.json_option
@program.with_output
def command(output: Output, doc_type: str | None) -> int:
    from batch_issuer.rules import all_rules

    text, entries, blocking = output.messages.text, [], 0
    for rule in all_rules():
        if doc_type is not None and doc_type not in rule.doc_types:
            continue
        entry = {
            "code": rule.code,
            "severity": rule.severity.value,
            "doc_types": list(rule.doc_types),
            "message": text(rule.message),
            "repair": text(rule.repair),
            "sources": list(rule.sources),
        }
        entries.append(entry)
        blocking += rule.severity is Severity.BLOCKS
        types = text(N_("all types")) if rule.doc_types == DOC_TYPES else " ".join(rule.doc_types)
        mark = "✗" if rule.severity is Severity.BLOCKS else "!"
        output.show(f"{mark} {rule.code:<28} {text(_SEVERITIES[rule.severity]):<9} {types}")
        output.show(f"    {entry['message']}")
        output.show(f"    → {entry['repair']}")
    output.show()
    output.say(
        N_("{count} rules: {blocking} hold their document back (✗), {warning} only warn (!)."),
        count=len(entries),
        blocking=blocking,
        warning=len(entries) - blocking,
    )
    output.give({"rules": entries, "exit_code": 0})
    return 0
