"""Whose key this is: what the ledger remembers of keys, and what the provider's answers say of who issues with one.

A ledger holds sales of several companies, each in one environment. A key is of one company: it is never taken for
another's. Where an answer carries the whole document, its issuer and environment are compared with all that is known.
The key itself is never written, only a salted digest of it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, StoppedMidway
from batch_issuer.model.records import NO_ANSWER, Answer, Kind, NewEvent, Record
from batch_issuer.model.states import IN_DOUBT
from batch_issuer.settings import Company

_NOT_AS_TOLD = N_(
    "Nothing more is sent. Use the key of «{company}»; invalidate {reference} with the other key, "
    "and issue that sale under another reference. If {found} is right, correct nit in the settings."
)
_NOT_AS_BEFORE = N_(
    "Earlier answers named {expected}. Nothing more is sent. Use the key of «{company}»; for another "
    "company use --company or --ledger. Invalidate {reference} with the other key, and issue that "
    "sale under another reference."
)
"""What to do where a key issues in another name than the settings say, or than the answers before did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One thing that the ledger remembers of a key; `seq` is the event's number."""

    seq: int
    company: str
    kind: Kind
    body: Mapping[str, Any]

    @property
    def issuer(self) -> str:
        return str(self.body.get("issuer_nit", ""))

    @property
    def environment(self) -> str:
        return str(self.body.get("environment", ""))

    @property
    def is_foreign(self) -> bool:
        """Whether the key turned out to be another company's, or of another environment than the company's."""
        return bool(self.body.get("foreign"))

    @property
    def is_own(self) -> bool:
        """Whether the key was accepted as the company's."""
        return self.kind is Kind.KEY_SEEN and not self.is_foreign

    def is_of(self, key: str) -> bool:
        return _digest(str(self.body.get("salt", "")), key) == self.body.get("digest")


class KeyBook:
    """What is known of one company's key, at first from the ledger, then from the answers of a run."""

    def __init__(self, ledger: Ledger, company: Company, key: str, *, expect_environment: str = "") -> None:
        self.objection: StoppedMidway | None = None
        """Why nothing more may be sent with this key."""
        self.is_foreign = False
        """Whether that is because it issues for another company, or in another environment than the ledger's."""
        self.on_trial = False
        """While it is found out whether a new key is the company's, nothing is remembered of it."""
        self._ledger = ledger
        self._company = company
        self._key = key
        self._expected = expect_environment
        self._all = notes_in(ledger)
        self._own = [note for note in self._all if note.company == company.code]
        self._accepted = [note for note in self._own if note.is_own]
        self._issuers = {note.issuer for note in self._accepted} - {""}
        self._environments = {note.environment for note in self._accepted} - {""}
        nothing = Note(seq=0, company=company.code, kind=Kind.KEY_SEEN, body={"salt": secrets.token_hex(16)})
        self.is_known = [nothing, *self._accepted][-1].is_of(key)
        """Whether the ledger has it as the company's key."""
        of_this = [nothing, *(note for note in self._own if note.is_of(key))]
        salt = str(of_this[-1].body["salt"])
        self._named = {"salt": salt, "digest": _digest(salt, key)}
        last = [note for note in of_this if note.kind is Kind.KEY_SEEN][-1]
        # A person's NIT and DUI cannot be compared: where the settings say the other, the next answer tells anew.
        self.issuer = last.issuer if len(last.issuer) == len(company.nit or last.issuer) else ""
        self.environment = last.environment
        self.is_silent = bool(last.body.get("silent"))
        """Whether a stamped document of this key came back without saying who issued it."""
        self._proof = str(last.body.get("proven_by", ""))
        """The reference whose answer last said whose key it is."""

    def check(self, *, new_key: bool) -> None:
        """Refuse what is not this company's key, as far as the ledger and the settings tell.

        `new_key` says that the company changed its key; that never makes another company's key its own. Raises
        `CannotStart`, and `StoppedMidway` where the provider's own answers have told.
        """
        self._check_owner()
        if stop := self._objection(self.issuer, self.environment, self._proof):
            raise stop
        # A company that changed its key has had documents stamped: the guards ask whether this one finds them.
        if new_key:
            return
        if self._accepted and not self.is_known:
            raise CannotStart(
                N_("This API key is not the one that this ledger knows for «{company}»."),
                repair=N_(
                    "With the key of another company sales would be issued in its name. If the company's key was "
                    "changed, say so once with --new-key; for another company use --company or --ledger."
                ),
                company=self._company.code,
            )
        self._check_tried()

    def tried(self) -> NewEvent | None:
        """Return what is to be written before a document leaves with a key that the ledger does not know.

        It is written once: a run that tries the same key again after a crash has it there already.
        """
        if self.is_known or (self._own and self._own[-1].kind is Kind.KEY_TRIED and self._own[-1].is_of(self._key)):
            return None
        return NewEvent(kind=Kind.KEY_TRIED, body=self._named)

    def learn(self, answer: Answer = NO_ANSWER, reference: str = "") -> NewEvent | None:
        """Take in an answer that did not refuse the key, and return what is to be written of it, if it is anything new.

        `objection` says from then on why nothing more may be sent, where the answer shows that.
        """
        issuer, environment = answer.issuer_nit or self.issuer, answer.environment or self.environment
        is_news = (issuer, environment) != (self.issuer, self.environment)
        if self.on_trial or self.objection is not None or (self.is_known and not is_news):
            return None
        # Judged by what this answer says alone: a part that it leaves out must not speak for the key.
        self.objection = self._objection(answer.issuer_nit, answer.environment, reference)
        self.is_foreign = self.objection is not None and not self._is_unexpected(answer.environment)
        if is_news:
            self._proof = reference
        self.issuer, self.environment, self.is_known = issuer, environment, True
        if self.is_foreign:
            return self._seen({"foreign": True})
        self._issuers |= {issuer} - {""}
        self._environments |= {environment} - {""}
        return self._seen({})

    def learn_silence(self, reference: str) -> NewEvent | None:
        """Remember that a stamped document came back without saying who issued it: it is not waited for again."""
        if self.is_told or self.objection is not None:
            return None
        self.is_silent, self._proof = True, reference
        return self._seen({})

    @property
    def is_told(self) -> bool:
        """Whether an answer told whose key it is, or a stamped document came back without telling."""
        return bool(self.issuer) or self.is_silent

    def stamped(self, records: Sequence[Record]) -> Record | None:
        """Return the first of these stamped documents that is not known to be of another company or environment."""
        foreign = {(note.issuer, note.environment) for note in self._own if note.is_foreign}
        return next((one for one in records if (one.answer.issuer_nit, one.answer.environment) not in foreign), None)

    def _seen(self, more: Mapping[str, Any]) -> NewEvent:
        said: dict[str, Any] = {"issuer_nit": self.issuer, "silent": self.is_silent, "proven_by": self._proof}
        known = {name: value for name, value in said.items() if value}
        return NewEvent(kind=Kind.KEY_SEEN, body={**self._named, "environment": self.environment, **known, **more})

    def _check_owner(self) -> None:
        """Refuse a key that was another company's first, or that another company's doubtful documents left with."""
        # The oldest note counts: whoever had it accepted first has documents stamped with it.
        for note in self._all:
            if note.is_own and note.is_of(self._key):
                if note.company != self._company.code:
                    raise self._of_another(note.company)
                return
        # A key that was only tried is another company's as long as it may have sent something in its name.
        newest_of_others = {note.company: note for note in self._all if note.company != self._company.code}
        for owner, note in newest_of_others.items():
            if note.kind is Kind.KEY_TRIED and note.is_of(self._key) and self._in_doubt(note) is not None:
                raise self._of_another(owner)

    def _of_another(self, owner: str) -> CannotStart:
        return CannotStart(
            N_("This API key is the one that this ledger knows for «{owner}», not for «{company}»."),
            repair=N_(
                "With it sales of «{company}» would be issued in the name of «{owner}». Check key_env, key_file and "
                "--company; --new-key does not change whose key it is. Nothing was sent."
            ),
            owner=owner,
            company=self._company.code,
        )

    def _check_tried(self) -> None:
        """Refuse another key than the one with which documents may have left, while nothing was heard of them.

        This key would not see them if it is another company's, and they would be issued again.
        """
        last = self._own[-1] if self._own else None
        if last is None or last.kind is not Kind.KEY_TRIED or last.is_of(self._key):
            return
        doubtful = self._in_doubt(last)
        if doubtful is not None:
            raise CannotStart(
                N_("{reference} of «{company}» may have been sent with another API key, and was never answered."),
                repair=N_(
                    "Run it with that key first, so that it can be asked about. If the company's key was changed "
                    "since, say so once with --new-key. Nothing was sent."
                ),
                reference=doubtful.external_ref,
                company=self._company.code,
            )

    def _in_doubt(self, tried: Note) -> Record | None:
        """Return a document that may have left with a key that was tried, and of which nothing was heard."""
        records = self._ledger.in_states(tried.company, IN_DOUBT)
        return next((record for record in records if record.last_seq > tried.seq), None)

    def _is_unexpected(self, environment: str) -> bool:
        return bool(self._expected and environment) and self._expected != environment

    def _objection(self, issuer: str, environment: str, reference: str) -> StoppedMidway | None:
        """Return why a key that issues like this must not be used for this company; None where nothing is against it.

        What is empty was not said, and speaks for and against nothing.
        """
        if self._is_unexpected(environment):
            return StoppedMidway(
                N_("This key issues in the {found} environment; {expected} is expected. Nothing more is sent."),
                repair=N_("Use the key of the {expected} environment, or change expect_environment."),
                found=environment,
                expected=self._expected,
            )
        if issuer and (stop := self._wrong_issuer(issuer, environment, reference)):
            return stop
        if not environment or not self._environments or environment in self._environments:
            return None
        return StoppedMidway(
            N_(
                "This key issues in the {found} environment, as {reference} shows; this ledger has «{company}» in the "
                "{known} environment. Nothing more is sent."
            ),
            repair=N_(
                "A reference used in one environment would count as issued in the other. Use another --ledger, or "
                "another company, for the {found} environment."
            ),
            found=environment,
            reference=reference,
            company=self._company.code,
            known=", ".join(sorted(self._environments)),
        )

    def _wrong_issuer(self, issuer: str, environment: str, reference: str) -> StoppedMidway | None:
        """Return why a key that issues for this NIT must not be used for the company, as settings and answers tell."""
        told = self._company.nit
        # A person's NIT and DUI cannot be compared: settings may say the one where earlier answers said the other.
        comparable = {known for known in self._issuers if not told or len(known) == len(issuer)}
        if told and issuer != told:
            expected, repair = told, _NOT_AS_TOLD
        elif comparable and issuer not in comparable:
            expected, repair = ", ".join(sorted(self._issuers)), _NOT_AS_BEFORE
        elif told or comparable:
            return None
        else:
            return self._issuer_of_another(issuer, environment, reference)
        return StoppedMidway(
            N_("This key issues in the name of NIT {found}, as {reference} shows; «{company}» is {expected}."),
            repair=repair,
            found=issuer,
            reference=reference,
            company=self._company.code,
            expected=expected,
        )

    def _issuer_of_another(self, issuer: str, environment: str, reference: str) -> StoppedMidway | None:
        """Return why a key must not be used that issues as another company of the ledger, in the same environment."""
        for note in self._all:
            environments = {note.environment, environment} - {""}
            if note.is_own and note.company != self._company.code and note.issuer == issuer and len(environments) < 2:
                return StoppedMidway(
                    N_("This key issues in the name of NIT {found}, as {reference} shows, which is «{owner}» here."),
                    repair=N_(
                        "Nothing more is sent. Use the key of «{company}»; invalidate {reference} with the other key, "
                        "and issue that sale under another reference. If both are the same business, say so with "
                        'nit = "{found}" in the settings of «{company}».'
                    ),
                    found=issuer,
                    reference=reference,
                    owner=note.company,
                    company=self._company.code,
                )
        return None


def notes_in(ledger: Ledger) -> list[Note]:
    """Read what a ledger remembers of keys, of all its companies, oldest first."""
    kinds = (Kind.KEY_SEEN, Kind.KEY_TRIED)
    return [Note(seq=seq, company=code, kind=kind, body=body) for seq, code, kind, body in ledger.bodies_beside(kinds)]


def key_in(
    ledger: Ledger, company: Company, key: str, *, new_key: bool = False, expect_environment: str = ""
) -> KeyBook:
    """Read what the ledger knows of this key, and check it. Raises `CannotStart` or `StoppedMidway` as `check` does."""
    book = KeyBook(ledger, company, key, expect_environment=expect_environment)
    book.check(new_key=new_key)
    return book


def not_this_companys(record: Record, company: str) -> StoppedMidway:
    """Say that a new key does not find what the company has had stamped."""
    return StoppedMidway(
        N_(
            "The new key does not find {reference}, which this ledger has as issued for «{company}»: it is of another "
            "company, or of another environment. Nothing was sent."
        ),
        repair=N_("Use the key of this company, or another --ledger or --company for the other one."),
        reference=record.external_ref,
        company=company,
    )


def not_found_out(record: Record, company: str) -> StoppedMidway:
    """Say that it is not known whether a new key finds what the company has had stamped: nobody answered."""
    return StoppedMidway(
        N_("Whether the new key is of «{company}» could not be found out: nothing was said of {reference}."),
        repair=N_("Nothing was sent. Run the same command again."),
        reference=record.external_ref,
        company=company,
    )


def is_the_same(record: Record, answer: Answer) -> bool:
    """Whether an answer is about the ledger's document, and not about another company's of the same reference."""
    known = (record.answer.document_id.lower(), record.answer.generation_code.lower())
    said = (answer.document_id.lower(), answer.generation_code.lower())
    pairs = [(ours, theirs) for ours, theirs in zip(known, said, strict=True) if ours and theirs]
    return not pairs or any(ours == theirs for ours, theirs in pairs)


def _digest(salt: str, key: str) -> str:
    return hashlib.sha256(f"{salt}{key}".encode()).hexdigest()
