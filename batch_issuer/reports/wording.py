"""What the reports say: names of states, types and causes, and what to do about each. Catalog texts only."""

from __future__ import annotations

from collections.abc import Mapping

from batch_issuer.messages import N_, Messages
from batch_issuer.model.fields import TABLE, named
from batch_issuer.model.states import State
from batch_issuer.reconcile import STATE_NAMES, About, Cause, Match, Reconciliation, Refusal, SignedOff
from batch_issuer.reports.figures import day, moment, printable

HELD_BACK = "held_back"
"""Stands beside the states for what was read and never sent."""

MISSING = "missing"
"""Likewise for what the files have and the ledger does not."""

NAMES: Mapping[str, str] = {
    **{state.value: name for state, name in STATE_NAMES.items()},
    HELD_BACK: N_("Held back"),
    MISSING: N_("Not in the ledger"),
}

WHAT_TO_DO: Mapping[str, str] = {
    State.STAMPED: N_("Nothing to do: the ministry's stamp proves that they are valid."),
    State.CONTINGENCY: N_(
        "Do not send them again: they are registered and numbered, and the provider goes on asking the ministry. "
        "Run «batch-issuer refresh» later to learn how each one ended."
    ),
    State.REJECTED: N_(
        "Correct the data and issue again, in the fix file or in your own: reference and control number stay the same. "
        "Unchanged, they would be refused again and are not sent."
    ),
    State.INVALID: N_(
        "The provider refused the request and created nothing. Correct the data and issue again, "
        "in the fix file or in your own. Unchanged, they are not sent."
    ),
    State.UNSURE: N_(
        "They may exist at the provider: do not issue them by other means. Run «batch-issuer refresh»: "
        "it asks for each one, and nothing is sent twice."
    ),
    State.SENDING: N_(
        "They left, and no answer was recorded. Run «batch-issuer refresh», or the same command again: "
        "it asks before it sends."
    ),
    State.PLANNED: N_("They never left. Run the same command again."),
    State.CANCELLED: N_(
        "They were cancelled and are still in the files. Take out the rows of sales that no longer exist."
    ),
    HELD_BACK: N_("Correct the marked cells in the fix file, save it and issue it: only what changed is sent."),
}

CAUSE_TITLES: Mapping[Cause, str] = {
    Cause.CONFLICT: N_("Issued with other content"),
    Cause.CONTRADICTION: N_("The provider says something else now"),
    Cause.MISSING: N_("In the files, and not in the ledger"),
    Cause.ONLY_IN_LEDGER: N_("In the ledger, and not in the files"),
    Cause.CANCELLED: N_("Cancelled, and still in the files"),
    Cause.CANCELLING: N_("Cancellation in doubt"),
    Cause.UNSURE: N_("Outcome not known"),
    Cause.NOT_SENT: N_("Still to be sent"),
    Cause.LEFT_OPEN: N_("Open from other runs"),
    Cause.LOOK_OWED: N_("To be asked about again"),
    Cause.REJECTED: N_("Rejected by the ministry"),
    Cause.INVALID: N_("Refused by the provider"),
    Cause.DIFFERENCE: N_("Amounts that differ"),
    Cause.PROBLEM: N_("Held back for their data"),
}

CAUSE_NAMES: Mapping[Cause, str] = {
    Cause.CONFLICT: N_("Conflicts"),
    Cause.CONTRADICTION: N_("Contradicted"),
    Cause.MISSING: N_("Not in the ledger"),
    Cause.ONLY_IN_LEDGER: N_("Not in the files"),
    Cause.CANCELLED: N_("Cancelled"),
    Cause.CANCELLING: N_("Cancellations"),
    Cause.UNSURE: N_("Unsure"),
    Cause.NOT_SENT: N_("Not sent yet"),
    Cause.LEFT_OPEN: N_("Other runs"),
    Cause.LOOK_OWED: N_("To ask"),
    Cause.REJECTED: N_("Rejected"),
    Cause.INVALID: N_("Invalid"),
    Cause.DIFFERENCE: N_("Amounts"),
    Cause.PROBLEM: N_("Held back"),
}
"""One or two words each, for lists of contents and names of sheets."""

CAUSE_EXPLANATIONS: Mapping[Cause, str] = {
    Cause.CONFLICT: N_(
        "The file says something else about sales that were already issued. What was issued stands; nothing was sent. "
        "If the file is right, cancel the issued document and enter the sale under a new reference; "
        "if not, put the row back as it was."
    ),
    Cause.CONTRADICTION: N_(
        "The provider's status contradicts what it once gave, a stamp or a cancellation. "
        "The ledger keeps what was proven. Ask the provider about each of them, and do not issue the sale again."
    ),
    Cause.MISSING: N_(
        "The files have these sales, and the ledger has never heard of them: they were not issued from here. "
        "Run «batch-issuer issue» with the same files, unless another program issued them."
    ),
    Cause.ONLY_IN_LEDGER: N_(
        "These documents are of the days reconciled, and no file names them. Name all files of those days; "
        "if a sale was taken out of its file, cancel its document or put the row back."
    ),
    Cause.CANCELLED: WHAT_TO_DO[State.CANCELLED],
    Cause.CANCELLING: N_(
        "Their cancellation was asked for, and no answer tells what came of it. Run «batch-issuer refresh»: it asks, "
        "and cancels nothing."
    ),
    Cause.UNSURE: WHAT_TO_DO[State.UNSURE],
    Cause.NOT_SENT: WHAT_TO_DO[State.PLANNED],
    Cause.LOOK_OWED: N_(
        "They may have been cancelled: the ledger is an older copy, or a credit note over all of them was stamped. Run "
        "«batch-issuer refresh»: it asks how each stands, and issues nothing."
    ),
    Cause.LEFT_OPEN: N_(
        "Earlier runs left these documents open, and today's files do not name them. «batch-issuer refresh» asks about "
        "those in doubt, «batch-issuer retry» sends what was not sent. A sale that is not to be issued any more is "
        'withdrawn: batch-issuer note REF "why" --by NAME --withdraw.'
    ),
    Cause.REJECTED: WHAT_TO_DO[State.REJECTED],
    Cause.INVALID: WHAT_TO_DO[State.INVALID],
    Cause.DIFFERENCE: N_(
        "The provider's total is not the one of the file. Look at the document that was issued: "
        "if its amount is wrong, cancel it and issue the sale under a new reference."
    ),
    Cause.PROBLEM: WHAT_TO_DO[HELD_BACK],
}

CAUSE_ACTIONS: Mapping[Cause, str] = {
    Cause.CONFLICT: N_("Decide which version is right; nothing was sent."),
    Cause.CONTRADICTION: N_("Ask the provider; the ledger keeps what was proven."),
    Cause.MISSING: N_("Issue them, unless another program has."),
    Cause.ONLY_IN_LEDGER: N_("Find their rows, or cancel their documents."),
    Cause.CANCELLED: N_("Take their rows out of the files."),
    Cause.CANCELLING: N_("Run «batch-issuer refresh»: it asks what became of them."),
    Cause.UNSURE: N_("Run «batch-issuer refresh»: it asks what became of them."),
    Cause.NOT_SENT: N_("Run the same command again."),
    Cause.LOOK_OWED: N_("Run «batch-issuer refresh»: it asks how each of them stands."),
    Cause.LEFT_OPEN: N_(
        "«batch-issuer refresh» asks about what is in doubt, «batch-issuer retry» sends what was not sent, what was "
        'refused is corrected and issued again. Or withdraw it: batch-issuer note REF "why" --by NAME --withdraw.'
    ),
    Cause.REJECTED: N_("Correct the data and issue again."),
    Cause.INVALID: N_("Correct the data and issue again."),
    Cause.DIFFERENCE: N_("Compare with the document that was issued."),
    Cause.PROBLEM: N_("Correct the fix file and issue it."),
}
"""One short line each, for the list of what to do now."""

MATCH_NAMES: Mapping[Match, str] = {
    Match.MATCHED: N_("Issued, with the same content"),
    Match.UNSETTLED: N_("Known with the same content, and not issued"),
    Match.CHANGED: N_("Known with other content"),
    Match.CANCELLED: N_("Cancelled"),
    Match.MISSING: N_("Not in the ledger"),
    Match.HELD_BACK: N_("Held back for their data, not compared"),
}
"""What the documents of the files are against the ledger."""

HOW_CHOSEN: Mapping[str, str] = {
    "sent": N_("Documents that only the ledger has were looked for among those first sent on these days."),
    "dates": N_("Documents that only the ledger has were looked for by the days that the files' own dates cover."),
    "period": N_("Documents that only the ledger has were looked for by the days asked for."),
    "files": N_(
        "The sales have no dates: documents that only the ledger has were looked for among those read from these files."
    ),
}
"""By `Scope.chosen_by`."""

ROLE_NAMES: Mapping[str, str] = {"preparer": N_("Prepared by"), "reviewer": N_("Reviewed by")}

TYPE_NAMES: Mapping[str, str] = {
    "01": N_("Invoice"),
    "03": N_("Tax credit receipt"),
    "05": N_("Credit note"),
    "11": N_("Export invoice"),
    "14": N_("Excluded-subject invoice"),
}

AGE_NAMES: Mapping[str, str] = {
    "<1h": N_("under 1 hour"),
    "<24h": N_("1 to 24 hours"),
    "24-72h": N_("24 to 72 hours"),
    ">72h": N_("3 to 7 days"),
    ">7d": N_("over 7 days"),
}
LATE_AGES = ("24-72h", ">72h", ">7d")
"""Older than the day in which a contingency should end."""

_LOST = N_("The connection broke before the answer came.")
REASONS: Mapping[str, str] = {
    "not-understood": N_("The provider's answer could not be read."),
    "contradictory": N_("The provider's answer contradicts itself."),
    "no-stamp": N_("The provider says stamped and gives no stamp."),
    "not-registered": N_("The provider neither registered nor refused it."),
    "other-document": N_("The answer speaks of another document."),
    "http-409": N_("The provider says that it is in another state (409)."),
    "server-error": N_("The provider failed while it answered."),
    "unexpected-status": N_("The provider's answer has a code that it does not document."),
    "lost-answer": _LOST,
    "read-timeout": N_("No answer came in time."),
    "never-left": N_("The provider could not be reached; nothing left."),
    "not-found": N_("The provider does not know it any more."),
    "run-ended": N_("The run ended before its turn."),
    "key-refused": N_("The provider refused the key."),
    "quota": N_("The request quota was used up."),
    "ccf-not-found": N_("The provider has no CCF of the reference that the credit note adjusts; correct it."),
    "ccf-not-issued": N_("The CCF that the credit note adjusts is not issued yet; run the same command again."),
    "ccf-contingency": N_("The CCF that the credit note adjusts awaits its stamp; run refresh, then this again."),
    "ccf-rejected": N_("The CCF that the credit note adjusts was refused; correct it and issue both again."),
    "ccf-cancelling": N_("It is not settled whether the CCF that the credit note adjusts is cancelled; run refresh."),
    "ccf-cancelled": N_("The CCF that the credit note adjusts was cancelled; take the note out."),
    "ccf-unanswered": N_("The provider did not say how the adjusted CCF stands; run the same command again."),
    "not-a-ccf": N_("What the credit note adjusts is no CCF (03); cancel that document instead."),
    "credit-over-ccf": N_("The credit note comes to more than is left of its CCF; correct it."),
    "credit-full-differs": N_("The credit note credits all of its CCF, and its rows come to something else."),
    "after-contingency": N_("It had been accepted in contingency; the ministry rejected it afterwards."),
    "shared-proof": N_("Another document has the same stamp, code or control number: it proves neither of them."),
    "unexpected-duplicate": N_(
        "The provider had this reference already, and this ledger never sent it: another sale may have it. Compare "
        "both; if they are one sale, issue the file again with --alike same."
    ),
    "other-content": N_(
        "The provider has this reference with other content, so the sale is not issued by it: give it a reference of "
        "its own, or correct what is wrong."
    ),
    "other-issuer": N_(
        "It was issued in the name of another company, or in another environment: invalidate it with that key, give "
        "the sale another reference, and withdraw this one with a note."
    ),
    "not-looked-up": N_("The provider did not say whether it has it already, so it was not sent."),
    "http-400": N_("The provider did not accept the request."),
    "not-proven": N_("The provider's answers do not prove it."),
}
"""By the reason's code in the ledger."""

MINISTRY_REPAIRS: Mapping[str, str] = {
    "004": N_("Run «batch-issuer refresh»: the ministry says that it has this document already."),
    "005": N_("No row can cure this: ask the provider whether the company is authorised to issue."),
    "006": N_("No row can cure this: ask the provider to renew the company's signing certificate."),
    "089": N_("Correct the customer's economic activity code (CAT-019)."),
    "092": N_("Correct the type of the customer's identity document, or its number."),
    "094": N_("Correct the number of the customer's identity document."),
    "095": N_("Correct the customer's NRC: the ministry does not know it."),
    "096": N_("Correct the field that the ministry names: it is missing, or has another form than it should."),
    "097": N_("Run the same command again today; if it is refused again, ask the provider."),
    "098": N_("Check quantities, prices and discounts of the lines; if they are right, ask the provider."),
    "099": N_("Check what kind of taxpayer the customer is: it decides about withholding."),
}
"""By the ministry's `codigoMsg`."""

FIELD_NAMES: Mapping[str, str] = {
    **{field.key: field.label for field in TABLE},
    "lines": N_("Lines"),
    "gross": N_("Amount"),
    "retention": N_("VAT withheld"),
}


def field_name(what: str, messages: Messages) -> str:
    """Return in words what a comparison names: a field of ours, of a customer or of a line."""
    number, key = named(what)
    name = messages.text(FIELD_NAMES[key]) if key in FIELD_NAMES else what
    return messages.text(N_("line {number}: {field}"), number=number, field=name) if number else name


def type_name(doc_type: str, messages: Messages) -> str:
    """Return a type of document with its name, `01 Factura`; an unknown one as it is."""
    return f"{doc_type} {messages.text(TYPE_NAMES[doc_type])}" if doc_type in TYPE_NAMES else doc_type


def refusal_title(refusal: Refusal, messages: Messages) -> str:
    """Return why these documents are where they are, in one line.

    Of a refusal its code, in the words of the provider or the ministry; of a reason of ours, ours.
    """
    if refusal.cause in (Cause.UNSURE, Cause.NOT_SENT):
        unknown = (
            N_("Their turn did not come.")
            if refusal.cause is Cause.NOT_SENT
            else N_("The run ended before an answer was recorded.")
        )
        reason = messages.text(REASONS.get(refusal.code, "")) or refusal.code or messages.text(unknown)
        return " ".join(filter(None, (reason, refusal.message)))
    # Words of the provider and the ministry come as they gave them: in Spanish, whatever the language of the report.
    words = refusal.message or messages.text(N_("No words were given with the refusal."))
    title = f"{refusal.code} · {words}" if refusal.code else words
    if refusal.after_contingency:
        return messages.text(N_("AFTER CONTINGENCY, customers may hold them: {title}"), title=title)
    return title


def refusal_repair(refusal: Refusal, messages: Messages) -> str:
    """Return what to do about the group in particular; empty where the advice for the whole cause is all there is."""
    if refusal.cause is Cause.REJECTED:
        return messages.text(MINISTRY_REPAIRS.get(refusal.code, ""))
    return ""


def scope(reconciliation: Reconciliation, messages: Messages) -> str:
    """Return what a report is about, in a few words: its run, its days, or everything."""
    about = reconciliation.scope
    if about.about is About.RUN:
        run = about.run or (reconciliation.runs[-1].run if reconciliation.runs else "")
        return messages.text(N_("run {run}"), run=run) if run else ""
    first, last = day(about.first), day(about.last)
    if first and last:
        return " – ".join(dict.fromkeys((first, last)))
    if first:
        return messages.text(N_("from {day}"), day=first)
    if last:
        return messages.text(N_("until {day}"), day=last)
    return messages.text(N_("everything in the ledger")) if about.about is About.PERIOD else ""


def signed(one: SignedOff, messages: Messages) -> str:
    """Say that somebody answered for these figures, and whether they still are what was signed."""
    sign_off = one.sign_off
    known = {
        "role": messages.text(ROLE_NAMES.get(sign_off.role, sign_off.role)),
        "name": printable(sign_off.by),
        "moment": moment(sign_off.at),
    }
    if one.unchanged:
        return messages.text(N_("{role} {name} on {moment}; nothing has changed since."), **known)
    return messages.count(
        "{role} {name} on {moment}; {n} document has changed since.",
        "{role} {name} on {moment}; {n} documents have changed since.",
        len(one.changed),
        **known,
    )
