"""`download`: the files of a run, of days, or of a list of documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
    ledger = open_to_read(session.ledger)
    try:
        records = _selected(session, ledger, references, options)
    finally:
        ledger.close()
    found = download(
        records,
        options["kinds"] or ("ticket", "invoice", "json"),
        ledger_path=session.ledger,
        company=session.company,
        connection=connection,
        watcher=watcher(session),
        folder=Path(options["out"]),
    )
    return _tell(output, records, found)


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


def _tell(output: Output, records: Sequence[Record], found: Downloaded) -> int:
    """How many files there are, where, and what needs a person; the exit code."""
    counts = Counter(end.end.value for end in found.ends)
    text = output.messages.text
    if not found.ends:
        output.say(N_("There is nothing to fetch here."))
    output.table([(text(label), f"{counts[end]:,}") for end, label in _ENDS.items() if counts[end]], right=[1])
    without = [record for record in records if record.state.value not in ("stamped", "contingency", "cancelled")]
    if without:
        output.show(
            output.messages.count(
                "{n} document is not issued and has no files.", "{n} documents are not issued and have no files.",
                len(without),
            )
        )  # fmt: skip
    waiting = [end for end in found.ends if end.end.value == "not-yet" and not end.needs_person]
    if waiting:
        output.say(N_("Letters and signed documents come with the stamp: batch-issuer refresh, then this again."))
    bad = [end for end in found.ends if end.needs_person]
    for end in bad[:_SHOWN]:
        _show_bad(output, end)
    if len(bad) > _SHOWN:
        output.say(N_("… and {count} more."), count=f"{len(bad) - _SHOWN:,}")
    for folder in found.folders if any(end.path for end in found.ends) else ():
        output.say(N_("Files and their manifest: {folder}"), folder=folder)
    if found.environments:
        output.say(N_("Environment of the signed documents: {names}."), names=", ".join(sorted(found.environments)))
    _say_signatures(output, found)
    return _finish(output, records, found, bad)


def _say_signatures(output: Output, found: Downloaded) -> None:
    """Once, where they are not what they usually are: only the ministry's own check proves them."""
    counts = {signature.value: count for signature, count in found.signatures.items()}
    total = f"{sum(counts.values()):,}"
    if counts.get("unusual"):
        output.say(N_("! Signature of unusual length: {n} of {total} files."), n=f"{counts['unusual']:,}", total=total)
    if counts.get("none"):
        output.say(N_("! Unsigned: {n} of {total} files."), n=f"{counts['none']:,}", total=total)


def _show_bad(output: Output, end: FileEnd) -> None:
    from batch_issuer.reports.wording import REASONS

    text = output.messages.text
    words = [text(_FLAWS[end.flaw.value]) if end.flaw else "", text(REASONS.get(end.reason, "")), end.detail]
    reason = " · ".join(filter(None, (text(_ENDS[end.end.value]), *words)))
    if not end.differences or end.flaw:
        output.show(f"✗ {end.record.external_ref} · {end.kind}: {reason}")
    for one in end.differences:
        output.say(
            N_("✗ {ref}: {what}: the ledger says {ledger}, the signed document says {file}."),
            ref=end.record.external_ref,
            what=text(_WHAT[one.what]),
            ledger=one.ledger,
            file=one.file,
        )


def _finish(output: Output, records: Sequence[Record], found: Downloaded, bad: Sequence[FileEnd]) -> int:
    code = found.stopped.exit_code if found.stopped else int(bool(bad))
    if found.stopped is not None:
        click.echo(found.stopped.text(output.messages), err=True)
    counts = Counter(end.end.value for end in found.ends)
    answer: dict[str, Any] = {
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
        "exit_code": code,
    }
    if found.stopped is not None:
        answer["error"] = output.messages.text(found.stopped.message, **found.stopped.parameters)
    output.give(answer)
    return code


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
