"""`download`: the files of a run, of days, or of a list of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from batch_issuer.cli import option_values, program
from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_

if TYPE_CHECKING:
    from batch_issuer.cli.session import Session
    from batch_issuer.ledger.store import Ledger
    from batch_issuer.model.records import Record
    from batch_issuer.send.download import Downloaded, FileEnd

_SHOWN = 10


@click.command("download", cls=program.Command, help=program.COMMANDS["download"][1])
@program.references_argument
@program.option("--file", metavar=N_("FILE"), help=N_("Also the references in this file: a list, a CSV or a workbook."))
@program.option(
    "--run", metavar=N_("RUN"), help=N_("The documents of a run; by default of the newest that issued files.")
)
@program.option(
    "--from", "first", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("First day, in El Salvador.")
)
@program.option(
    "--to", "last", metavar=N_("YYYY-MM-DD"), callback=option_values.day, help=N_("Last day, in El Salvador.")
)
@program.option(
    "--type",
    "kinds",
    multiple=True,
    type=click.Choice(["ticket", "invoice", "json"]),
    help=N_("Only files of this type; may be repeated."),
)
@program.option(
    "--out", "-o", metavar=N_("FOLDER"), default="downloads", show_default=True, help=N_("Folder of the days' folders.")
)
@program.only_option
@program.sending
@program.common
@program.with_output
def command(output: Output, references: tuple[str, ...], **options: Any) -> int:
    from batch_issuer.cli.connecting import connect, watcher
    from batch_issuer.cli.session import open_session
    from batch_issuer.ledger.opening import open_to_read
    from batch_issuer.send.download import download

    session = open_session(output, options)
    connection = connect(session, options)
    with closing(open_to_read(session.ledger)) as ledger:
        records = _selected(session, ledger, references, options)
    found = download(
        records,
        options["kinds"] or ("ticket", "invoice", "json"),
        ledger_path=session.ledger,
        company=session.company,
        connection=connection,
        watcher=watcher(session),
        folder=Path(options["out"]),
    )
    bad = [end for end in found.ends if end.needs_person]
    _show_counts(output, records, found)
    _show_bad(output, bad)
    _show_place(output, found)
    code, answer = int(bool(bad)), _as_json(records, found, bad)
    if found.stopped is not None:
        click.echo(found.stopped.text(output.messages), err=True)
        code = found.stopped.exit_code
        answer["error"] = output.messages.text(found.stopped.message, **found.stopped.parameters)
    output.give({**answer, "exit_code": code})
    return code


def _selected(
    session: Session, ledger: Ledger, references: tuple[str, ...], options: Mapping[str, Any]
) -> list[Record]:
    """The documents that were asked for, and of those what `--only` leaves. Raises `CannotStart`."""
    from batch_issuer.cli.session import named_references
    from batch_issuer.reconcile.gather import last_issue, period_records, records_of_run
    from batch_issuer.send.naming import named
    from batch_issuer.send.run import chosen

    company, first, last = session.company, options["first"], options["last"]
    if references or options["file"]:
        records = named(ledger, company.code, named_references(references, options["file"]))
    elif first or last:
        records = period_records(ledger, company.code, *(day.isoformat() if day else "" for day in (first, last)))
    else:
        records = records_of_run(ledger, company, options["run"] or last_issue(ledger, company))
    return chosen(records, only=options["only"])


_ENDS: Mapping[str, str] = {
    "fetched": N_("fetched"),
    "kept": N_("there already"),
    "no-such-file": N_("documents of this type have none"),
    "not-yet": N_("not made yet: try again later"),
    "not-found": N_("the provider does not know the document"),
    "flawed": N_("what came is not the file; nothing was kept"),
    "failed": N_("not fetched"),
    "withheld": N_("not asked for: the run ended"),
}
_FLAWS: Mapping[str, str] = {
    "empty": N_("it is empty"),
    "wrong-type": N_("it is of another content type"),
    "no-pdf": N_("it is no PDF"),
    "cut-off": N_("its end is missing"),
    "no-document": N_("it is no whole signed document"),
    "other-document": N_("it is another document"),
}
_WHAT: Mapping[str, str] = {
    "doc_type": N_("type"),
    "control_number": N_("control number"),
    "generation_code": N_("generation code"),
    "reception_stamp": N_("stamp"),
    "environment": N_("environment"),
    "amount_taxable": N_("taxable amount"),
    "amount_vat": N_("VAT"),
    "amount_gross": N_("total with VAT"),
    "amount_retention": N_("withheld"),
    "amount_total": N_("total to pay"),
}


def _show_counts(output: Output, records: Sequence[Record], found: Downloaded) -> None:
    """Say how many files there are, and of how many documents there are none yet."""
    counts = Counter(end.end.value for end in found.ends)
    if not found.ends:
        output.say(N_("There is nothing to fetch here."))
    rows = [(output.messages.text(label), f"{counts[end]:,}") for end, label in _ENDS.items() if counts[end]]
    output.table(rows, right=[1])
    without = sum(record.state.value not in ("stamped", "contingency", "cancelled") for record in records)
    if without:
        output.show(
            output.messages.count(
                "{n} document is not issued and has no files.", "{n} documents are not issued and have no files.",
                without,
            )
        )  # fmt: skip
    if any(end.end.value == "not-yet" and not end.needs_person for end in found.ends):
        output.say(N_("Letters and signed documents come with the stamp: batch-issuer refresh, then this again."))


def _show_bad(output: Output, bad: Sequence[FileEnd]) -> None:
    """Say of each file that needs a person what is wrong with it."""
    from batch_issuer.reports.wording import REASONS

    text = output.messages.text
    for end in bad[:_SHOWN]:
        if not end.differences or end.flaw:
            flaw = text(_FLAWS[end.flaw.value]) if end.flaw else ""
            said = (text(_ENDS[end.end.value]), flaw, text(REASONS.get(end.reason, "")), end.detail)
            output.show(f"✗ {end.record.external_ref} · {end.kind}: {' · '.join(filter(None, said))}")
        for one in end.differences:
            output.say(
                N_("✗ {ref}: {what}: the ledger says {ledger}, the signed document says {file}."),
                ref=end.record.external_ref,
                what=text(_WHAT[one.what]),
                ledger=one.ledger,
                file=one.file,
            )
    if len(bad) > _SHOWN:
        output.say(N_("… and {count} more."), count=f"{len(bad) - _SHOWN:,}")


def _show_place(output: Output, found: Downloaded) -> None:
    """Say where the files lie, of which environment they are, and whether a signature looks odd."""
    for folder in found.folders if any(end.path for end in found.ends) else ():
        output.say(N_("Files and their manifest: {folder}"), folder=folder)
    if found.environments:
        output.say(N_("Environment of the signed documents: {names}."), names=", ".join(sorted(found.environments)))
    # Only the ministry's own check proves a signature; what is unusual is told once, and decides nothing.
    counts = {signature.value: count for signature, count in found.signatures.items()}
    total = f"{sum(counts.values()):,}"
    if counts.get("unusual"):
        output.say(N_("! Signature of unusual length: {n} of {total} files."), n=f"{counts['unusual']:,}", total=total)
    if counts.get("none"):
        output.say(N_("! Unsigned: {n} of {total} files."), n=f"{counts['none']:,}", total=total)


def _as_json(records: Sequence[Record], found: Downloaded, bad: Sequence[FileEnd]) -> dict[str, Any]:
    """Return what `--json` says of the files, without how the command ended."""
    counts = Counter(end.end.value for end in found.ends)
    return {
        "documents": len(records),
        "files": {end.replace("-", "_"): counts[end] for end in _ENDS},
        "folders": [str(folder) for folder in found.folders],
        "manifests": [str(folder / "manifest.json") for folder in found.folders],
        "environments": sorted(found.environments),
        "signatures": {signature.value: count for signature, count in found.signatures.items()},
        "needs_person": [_end_json(end) for end in bad],
        "not_yet": sorted({end.record.external_ref for end in found.ends if end.end.value == "not-yet"}),
        "differences": [
            {"external_ref": end.record.external_ref, "what": one.what, "ledger": one.ledger, "file": one.file}
            for end in found.ends
            for one in end.differences
        ],
        "seconds": found.seconds,
    }


def _end_json(end: FileEnd) -> dict[str, Any]:
    return {
        "external_ref": end.record.external_ref,
        "doc_type": end.record.doc_type,
        "type": end.kind,
        "result": end.end.value,
        "flaw": end.flaw.value if end.flaw else "",
        "reason": end.reason,
        "detail": end.detail,
        "file": str(end.path) if end.path else "",
    }
