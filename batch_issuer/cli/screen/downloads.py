"""How downloaded files look: how many there are, which of them need a person, and where they lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from batch_issuer.cli.screen.output import Output
from batch_issuer.messages import N_
from batch_issuer.model.records import Record
from batch_issuer.reports.wording import REASONS
from batch_issuer.send.download import Downloaded, FileEnd

_SHOWN = 10
"""Files that need a person shown one by one; the manifests and `--json` have them all."""
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


def show_downloads(output: Output, records: Sequence[Record], found: Downloaded, bad: Sequence[FileEnd]) -> None:
    """Say how many files there are, what is wrong with those that need a person (`bad`), and where all of them lie."""
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
    _show_bad(output, bad)
    _show_place(output, found)


def _show_bad(output: Output, bad: Sequence[FileEnd]) -> None:
    """Say of each file that needs a person what is wrong with it."""
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


def downloads_json(records: Sequence[Record], found: Downloaded, bad: Sequence[FileEnd]) -> dict[str, Any]:
    """Return what `--json` says of the files; how the command ended is the command's to say."""
    counts = Counter(end.end.value for end in found.ends)
    return {
        "documents": len(records),
        "files": {end.replace("-", "_"): counts[end] for end in _ENDS},
        "folders": [str(folder) for folder in found.folders],
        "manifests": [str(folder / "manifest.json") for folder in found.folders],
        "environments": sorted(found.environments),
        "signatures": {signature.value: count for signature, count in found.signatures.items()},
        "needs_person": [
            {
                "external_ref": end.record.external_ref,
                "doc_type": end.record.doc_type,
                "type": end.kind,
                "result": end.end.value,
                "flaw": str(end.flaw or ""),
                "reason": end.reason,
                "detail": end.detail,
                "file": str(end.path or ""),
            }
            for end in bad
        ],
        "not_yet": sorted({end.record.external_ref for end in found.ends if end.end.value == "not-yet"}),
        "differences": [
            {"external_ref": end.record.external_ref, "what": one.what, "ledger": one.ledger, "file": one.file}
            for end in found.ends
            for one in end.differences
        ],
        "seconds": found.seconds,
    }
