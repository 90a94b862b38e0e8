"""`ledger show`: one document's whole story."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from batch_issuer.cli import program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart


@click.command("show", cls=program.Command, help=N_("Show one document's whole story."))
@program.argument("reference", metavar="REF")
@program.common
@program.with_output
def show_command(output: Output, reference: str, **options: Any) -> int:
    from batch_issuer.cli.screen.document import show_document, show_story
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.export import export_row
    from batch_issuer.ledger.opening import open_to_read

    session = open_session(output, options)
    with closing(open_to_read(Path(options["ledger"]))) as ledger:
        record = ledger.record(session.company.code, reference)
        story = ledger.story(session.company.code, reference)
        notes = [note for note in ledger.notes(session.company.code) if note.external_ref == reference]
    if record is None:
        raise CannotStart(
            N_("The ledger {path} does not know «{reference}» of «{company}»."),
            repair=N_("References are written exactly as in the file; `batch-issuer ledger export` lists them all."),
            path=options["ledger"],
            reference=reference,
            company=session.company.name or session.company.code,
        )
    show_document(output, record)
    output.show()
    show_story(output, story, notes)
    events = [
        {"seq": one.seq, "at": one.at, "run": one.run, "kind": one.kind.value, "body": json.loads(one.body)}
        for one in story
    ]
    output.give({**export_row(record, notes), "events": events, "exit_code": 0})
    return 0
