"""What persons write into the ledger: notes about documents, and who answers for a period. No state changes."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Kind, NewEvent, Note, Record
from batch_issuer.model.states import WITHDRAWABLE
from batch_issuer.provider.classify import Reason
from batch_issuer.reconcile import SignedOff, content_of, signed_off, tally, waits_for_person
from batch_issuer.reconcile.gather import period_records
from batch_issuer.send.journal import WHOSE
from batch_issuer.settings import Company

PREPARER, REVIEWER = ROLES = ("preparer", "reviewer")
LONGEST_REASON = 2000
"""Characters."""


def write_note(ledger_path: Path, company: Company, external_ref: str, reason: str, by: str) -> Note:
    """Write a note about a document of the ledger, or about one that a run has held back. Raises `CannotStart`."""
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        # The newest runs first: what is written about was mostly held back this evening.
        held_back = (
            one["external_ref"]
            for run in ledger.runs(company.code)
            for one in ledger.run(run.run).read.get("held_back", ())
        )
        if ledger.record(company.code, external_ref) is None and external_ref not in held_back:
            raise _not_known(ledger, company, external_ref)
        body = {"ref": external_ref, "by": by, "reason": reason}
        ledger.append(company.code, "", [NewEvent(kind=Kind.NOTED, body=body)])
        return ledger.notes(company.code)[-1]


def withdraw(ledger_path: Path, company: Company, external_ref: str, reason: str, by: str) -> Note:
    """Write that a sale is not to be issued any more. Raises `CannotStart` where the provider may have it.

    A file that has it again asks about it.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        record = ledger.record(company.code, external_ref)
        if record is None:
            raise _not_known(ledger, company, external_ref)
        # One that is another sale's is not this one's: the provider's document stands under that other sale.
        if record.state not in WITHDRAWABLE and record.reason not in (*WHOSE, Reason.OTHER_ISSUER):
            raise CannotStart(
                N_("«{reference}» cannot be withdrawn: it is {state}."),
                repair=N_(
                    "What the provider has, or may have, is not withdrawn: run `batch-issuer refresh` to find out, and "
                    "`batch-issuer cancel` to invalidate what was issued. Nothing was written."
                ),
                reference=external_ref,
                state=record.state.value,
            )
        said = {"by": by, "reason": reason}
        ledger.append(
            company.code,
            "",
            [
                NewEvent(kind=Kind.NOTED, body={"ref": external_ref, **said}),
                NewEvent(kind=Kind.WITHDRAWN, external_ref=external_ref, body=said),
            ],
        )
        return ledger.notes(company.code)[-1]


def _not_known(ledger: Ledger, company: Company, external_ref: str) -> CannotStart:
    return CannotStart(
        N_("The ledger {path} does not know «{reference}» of «{company}»."),
        repair=N_("References are written exactly as in the file; `batch-issuer ledger export` lists them all."),
        path=ledger.path,
        reference=external_ref,
        company=company.name or company.code,
    )


def sign(
    ledger_path: Path, company: Company, *, first: str, last: str, by: str, role: str, different_people: bool
) -> tuple[SignedOff, list[Record]]:
    """Sign the documents of a period of ISO days as the ledger has them now; with it, those that need a person.

    Raises `CannotStart` where `different_people` is asked for and this is not somebody else, or nobody has prepared
    what is to be reviewed.
    """
    with open_to_write(ledger_path, company.code, create=False) as ledger:
        records = period_records(ledger, company.code, first, last)
        if different_people:
            before = [one for one in ledger.sign_offs(company.code) if (one.first, one.last) == (first, last)]
            _check_people([signed_off(one, records) for one in before], by, role)
        after, head = ledger.head()
        total = tally(records)
        waiting = [record for record in records if waits_for_person(record)]
        body = {
            "by": by,
            "role": role,
            "first": first,
            "last": last,
            "content": content_of(records),
            "documents": total.documents,
            "gross": str(total.gross),
            "needs_person": len(waiting),
            "after": after,
            "hash": head,
        }
        ledger.append(company.code, "", [NewEvent(kind=Kind.SIGNED, body=body)])
        return signed_off(ledger.sign_offs(company.code)[-1], records), waiting


def _check_people(before: Sequence[SignedOff], by: str, role: str) -> None:
    """Check that preparer and reviewer of what stands now are two. Raises `CannotStart` where they are not."""
    valid = [one.sign_off for one in before if one.unchanged]
    others = [one for one in valid if one.role != role]
    if role == REVIEWER and not others:
        raise CannotStart(
            N_("Nobody has prepared this period yet, or it has changed since: there is nothing to review."),
            repair=N_("First whoever prepares it signs: batch-issuer sign-off --period … --by NAME --as preparer."),
        )
    same = next((one for one in others if _plain(one.by) == _plain(by)), None)
    if same is not None:
        raise CannotStart(
            N_("«{by}» has signed this period already, as {role}. Somebody else has to sign now."),
            repair=N_("The settings ask for two persons ([sign_off] different_people)."),
            by=same.by,
            role=same.role,
        )


def _plain(name: str) -> str:
    """Return a name without case, accents and surplus spaces: written in two ways it is still one person's."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return " ".join("".join(mark for mark in letters if not unicodedata.combining(mark)).split())
