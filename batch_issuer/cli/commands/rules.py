"""`rules`: what documents are held against, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.documents import DOC_TYPES
from batch_issuer.model.problems import Severity

if TYPE_CHECKING:
    from batch_issuer.rules import RuleRow

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

    rules = [rule for rule in all_rules() if doc_type is None or doc_type in rule.doc_types]
    _show(output, rules)
    text = output.messages.text
    entries = [
        {
            "code": rule.code,
            "severity": rule.severity.value,
            "doc_types": list(rule.doc_types),
            "message": text(rule.message),
            "repair": text(rule.repair),
            "sources": list(rule.sources),
        }
        for rule in rules
    ]
    output.give({"rules": entries, "exit_code": 0})
    return 0


def _show(output: Output, rules: Sequence[RuleRow]) -> None:
    """Code, severity and types in columns; what it says and how to repair it below."""
    text = output.messages.text
    every = text(N_("all types"))
    for rule in rules:
        types = every if rule.doc_types == DOC_TYPES else " ".join(rule.doc_types)
        mark = "✗" if rule.severity is Severity.BLOCKS else "!"
        output.show(f"{mark} {rule.code:<28} {text(_SEVERITIES[rule.severity]):<9} {types}")
        output.show(f"    {text(rule.message)}")
        output.show(f"    → {text(rule.repair)}")
    blocking = sum(rule.severity is Severity.BLOCKS for rule in rules)
    output.show()
    output.say(
        N_("{count} rules: {blocking} hold their document back (✗), {warning} only warn (!)."),
        count=len(rules),
        blocking=blocking,
        warning=len(rules) - blocking,
    )
