"""Which sales of the files the ledger has already: on another day, written otherwise, or under other references.

Nothing is guessed. Whatever could be a sale that was issued before, and could be another one, is asked about for all
files at once, before anything is planned, and the ledger remembers the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Protocol

from batch_issuer.model.days import day_of
from batch_issuer.model.documents import SourceRows
from batch_issuer.model.identity import alike_key, alike_keys, differing
from batch_issuer.model.records import Kind, Like, NewEvent, Record
from batch_issuer.model.states import State
from batch_issuer.plan.doubts import NEW, SAME, Doubt, Doubtful, IdentityQuestion, question_about
from batch_issuer.plan.files_again import comes_again
from batch_issuer.plan.plan import Candidate, Plan, make_plan
from batch_issuer.plan.prepare import Prepared
from batch_issuer.reading.own_sheets import is_fix_file
from batch_issuer.reading.sheets.numbering import are_counted

_MOST_ALIKE = 5_000
"""The newest documents of the ledger among which equal sales are looked for."""


class Remembers(Protocol):
    """What is asked of a ledger."""

    def records(self, company: str, references: Sequence[str]) -> dict[str, Record]: ...

    def look_alikes(self, company: str, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Return documents by the key of their reference (`identity.alike_key`)."""

    def like(self, company: str, likenesses: Sequence[str], most: int) -> Sequence[Like]:
        """Return documents of these likenesses that are or may be issued, in the order in which they were planned."""

    def has_read(self, company: str, path: str, sha256: str) -> bool:
        """Whether a run has read this very file: another one may say the same of another day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The sales of the files, each under the reference that the ledger has for it, and what has to be asked first."""

    prepared: Prepared
    records: Mapping[str, Record]
    """What the ledger has of them."""
    doubtful: tuple[Doubtful, ...] = ()
    said: tuple[NewEvent, ...] = ()
    """What a person's answer tells the ledger."""
    left: frozenset[int] = frozenset()
    """Numbers of candidates that a person wants left alone."""

    def plan(self, prepared: Prepared | None = None) -> Plan:
        """Return what to do with each sale, of `prepared` if it is given; about those in doubt a person is asked."""
        doubted = {one.candidate.number for one in self.doubtful}
        return make_plan((prepared or self.prepared).candidates, self.records, doubted, self.left)

    def questions(self, answer: str = "") -> list[IdentityQuestion]:
        """Return what has to be answered before anything is sent, a question for each kind of doubt."""
        found: dict[Doubt, list[Doubtful]] = {}
        for one in self.doubtful:
            found.setdefault(one.doubt, []).append(one)
        return [question_about(self.prepared, doubt, found[doubt], answer) for doubt in Doubt if doubt in found]


def recognise(
    prepared: Prepared,
    ledger: Remembers | None,
    company: str,
    answer: str = "",
) -> Recognised:
    """Look for every sale of the files in the ledger. `answer` is what a person said of all that is in doubt."""
    if ledger is None:
        return Recognised(prepared=prepared, records={})
    references = [candidate.external_ref for candidate in prepared.candidates]
    records = ledger.records(company, references)
    looking = _Looking(prepared, ledger, company, answer, records)
    looking.at_known()
    looking.at_numbers()
    if answer != NEW:
        looking.at_repeated()
    looking.at_unknown()
    return looking.found()


class _Looking:
    """One look at all sales of the files."""

    def __init__(
        self, prepared: Prepared, ledger: Remembers, company: str, answer: str, records: dict[str, Record]
    ) -> None:
        self.prepared = prepared
        self.ledger = ledger
        self.company = company
        self.answer = answer
        self.records = records
        self.taken = {candidate.external_ref for candidate in prepared.candidates}
        self.doubtful: list[Doubtful] = []
        self.said: list[NewEvent] = []
        self.left: set[int] = set()
        self.named: dict[int, str] = {}
        """References that the ledger has for candidates, by their number."""

    def found(self) -> Recognised:
        prepared = self.prepared.renamed(self.named) if self.named else self.prepared
        self.doubtful.sort(key=lambda one: one.candidate.number)
        return Recognised(
            prepared=prepared,
            records=self.records,
            doubtful=tuple(self.doubtful),
            said=tuple(self.said),
            left=frozenset(self.left),
        )

    def at_known(self) -> None:
        """Look at sales whose reference the ledger has."""
        for candidate in self.prepared.candidates:
            record = self.records.get(candidate.external_ref)
            if record is None:
                continue
            if record.withdrawn_at:
                self.ask_of_withdrawn(candidate, record)
                continue
            # Quicker than `is_known_as`, and so in nearly all cases: the same reference, day, branch and till.
            said = (candidate.date, candidate.branch, candidate.till, candidate.written_ref)
            if said == (record.date, record.branch, record.till, "") or record.is_known_as(candidate.appearance):
                continue
            if self.answer == SAME:
                self.say(candidate, record)
            else:
                self.doubtful.append(Doubtful(candidate, record, Doubt.OTHER_DAY))

    def ask_of_withdrawn(self, candidate: Candidate, record: Record) -> None:
        """Ask about a sale that somebody has withdrawn, unless a person said already that this file may have it."""
        if candidate.appearance in record.also and self.answer != NEW:
            self.left.add(candidate.number)
        elif self.answer == SAME:
            self.left.add(candidate.number)
            self.say(candidate, record)
        elif self.answer != NEW:
            self.doubtful.append(Doubtful(candidate, record, Doubt.WITHDRAWN))

    def say(self, candidate: Candidate, record: Record) -> None:
        appearance = candidate.appearance
        self.said.append(NewEvent(kind=Kind.RECOGNISED, external_ref=record.external_ref, body=appearance._asdict()))

    def at_numbers(self) -> None:
        """Look at small numbers from 1 on that an earlier file had too, where not both say the day."""
        if self.answer == SAME:
            return
        for source, candidates in _by_source(self.prepared, self.prepared.candidates).items():
            known = [one for one in candidates if self.is_only_a_number(one)]
            numbers = [int(one.external_ref) for one in candidates if one.external_ref.isdecimal()]
            counted = len(numbers) == len(candidates) and are_counted(numbers)
            if known and counted and self.is_another_file(source, known):
                self.doubtful += [Doubtful(one, self.records[one.external_ref], Doubt.NUMBERED_ANEW) for one in known]

    def is_only_a_number(self, candidate: Candidate) -> bool:
        record = self.records.get(candidate.external_ref)
        if record is None or record.withdrawn_at or not candidate.external_ref.isdecimal():
            return False
        return not (candidate.date and record.date)  # one branch and one till begin anew too

    def is_another_file(self, source: tuple[str, str], known: Sequence[Candidate]) -> bool:
        """Whether the file is neither one that was read before nor today's, corrected."""
        # A file of corrections has the numbers of the file that it corrects; so has today's own, saved again.
        file = next((one for one in self.prepared.batch.sources if (one.path, one.sheet) == source), None)
        if file is None or is_fix_file([*file.ignored, *(one.heading for one in file.mapping)]):
            return False
        today = self.prepared.today.isoformat()
        records = [self.records[one.external_ref] for one in known]
        if all(one.source.file == file.path and day_of(one.updated_at) == today for one in records):
            return False
        return not self.ledger.has_read(self.company, file.path, file.sha256)

    def at_repeated(self) -> None:
        """Look at sales that stand in the files twice: references written otherwise, and everything else equal."""
        candidates = [one for one in self.prepared.candidates if one.likeness]
        equal: dict[tuple[str, str], list[Candidate]] = {}
        for candidate, key in zip(candidates, alike_keys([one.external_ref for one in candidates]), strict=True):
            equal.setdefault((key, candidate.likeness), []).append(candidate)
        for same in equal.values():
            first = next((one for one in same if one.external_ref in self.records), same[0])
            before = self.records.get(first.external_ref) or unsent_record(self.company, first)
            again = [one for one in same if one is not first and one.external_ref not in self.records]
            self.doubtful += [Doubtful(one, before, Doubt.TWICE_IN_FILES) for one in again]

    def at_unknown(self) -> None:
        """Look at sales whose reference the ledger does not have."""
        # Each sale is asked about once, for the first reason that was found.
        twice = {one.candidate.number for one in self.doubtful}
        unknown = [
            one for one in self.prepared.candidates if one.external_ref not in self.records and one.number not in twice
        ]
        rest = self.under_a_template(self.written_otherwise(unknown)) if unknown else []
        likenesses = sorted({one.likeness for one in rest if one.likeness})
        like = self.ledger.like(self.company, likenesses, _MOST_ALIKE)
        if free := [one for one in like if one.external_ref not in self.taken]:
            self.same_content(rest, free)

    def written_otherwise(self, unknown: Sequence[Candidate]) -> list[Candidate]:
        """Look for each reference as the ledger writes it. Return the sales that it does not have."""
        keys = alike_keys([one.external_ref for one in unknown])
        others = self.ledger.look_alikes(self.company, keys)
        rest = []
        for candidate, key in zip(unknown, keys, strict=True):
            if found := others.get(key):
                self.take_for(candidate, found, Doubt.WRITTEN_OTHERWISE)
            else:
                rest.append(candidate)
        return rest

    def under_a_template(self, unknown: Sequence[Candidate]) -> list[Candidate]:
        """Look for sales of which the ledger has the number alone, from before a template. Return the others.

        Their content says nothing: it may have been corrected, and the day added, in the same file.
        """
        alone = self.with_a_part_of(unknown)
        rest = []
        for candidate in unknown:
            # Neither day, branch nor till may speak against it, and no sale was planned before its day.
            found = [
                one
                for one in alone.get(candidate.number, ())
                if not differing(one.appearance, candidate.appearance)
                and (one.date or candidate.date <= day_of(one.first_sent_at or one.updated_at))
            ]
            if found:
                to_the_letter = [one for one in found if one.external_ref in _parts(candidate.external_ref)]
                self.take_for(candidate, to_the_letter or found, Doubt.WRITTEN_OTHERWISE)
            else:
                rest.append(candidate)
        return rest

    def with_a_part_of(self, unknown: Sequence[Candidate]) -> dict[int, list[Record]]:
        """Return documents whose reference is a part of one that a template made, by the number of the candidate."""
        batch = self.prepared.batch
        made = {(one.path, one.sheet) for one in batch.sources if one.template}
        with_one = [one for one in unknown if batch.source(one.row) in made] if made else ()
        parts = {one.number: _parts(alike_key(one.external_ref)) for one in with_one}
        others = self.ledger.look_alikes(self.company, sorted({key for keys in parts.values() for key in keys}))
        return {number: [one for key in keys for one in others.get(key, ())] for number, keys in parts.items()}

    def take_for(self, candidate: Candidate, others: Sequence[Record], doubt: Doubt) -> None:
        """Name a sale that is one of these documents for certain, or ask about it."""
        # What a person said once is not asked again.
        known = [one for one in others if candidate.appearance in one.also]
        # One document of the ledger is one sale: what another candidate was taken for is no longer to be had.
        free = [one for one in known or others if one.external_ref not in self.taken]
        if len(free) == 1 and (known or self.answer == SAME):
            self.name(candidate, free[0], said=bool(known))
        elif self.answer != NEW:
            self.doubtful.append(Doubtful(candidate, others[0], doubt))

    def name(self, candidate: Candidate, record: Record, *, said: bool) -> None:
        """Let the sale go by the ledger's reference from now on."""
        self.taken.add(record.external_ref)
        self.records[record.external_ref] = record
        self.named[candidate.number] = record.external_ref
        if not said:
            self.say(candidate, record)

    def same_content(self, unknown: Sequence[Candidate], like: Sequence[Like]) -> None:
        """Look for sales under references that say more or less, and for whole files under others."""
        free: dict[str, list[Like]] = {}
        for one in like:
            free.setdefault(one.likeness, []).append(one)
        named = self.ledger.records(self.company, [one.external_ref for one in like if one.has_other_names])
        rest = []
        for candidate in unknown:
            same = free.get(candidate.likeness, ())
            known = [
                record
                for one in same
                if (record := named.get(one.external_ref)) and candidate.appearance in record.also
            ]
            # Without a day of its own, half of a shop's numbers would be part of others.
            references = [one.external_ref for one in same if candidate.date]
            parts = [one for one in references if _is_part_of(one, candidate.external_ref)]
            if known:
                self.take_for(candidate, known, Doubt.WRITTEN_OTHERWISE)
            elif parts:
                records = self.ledger.records(self.company, parts)
                self.take_for(candidate, list(records.values()), Doubt.WRITTEN_OTHERWISE)
            else:
                rest.append(candidate)
        self.same_files(rest, free)

    def same_files(self, unknown: Sequence[Candidate], free: Mapping[str, Sequence[Like]]) -> None:
        """Look for files whose new sales are those of an earlier file under other references."""
        for candidates in _by_source(self.prepared, unknown).values():
            both = [one for one in candidates if one.likeness in free]
            wanted = {one.likeness for one in both}
            earlier = _earlier_files(sorted((one for name in wanted for one in free[name]), key=_when_planned))
            new = [one.likeness for one in both]
            for file in earlier:
                if comes_again(new, [one.likeness for one in file], of=len(candidates), files=len(earlier)):
                    self.take_file_for(both, file)
                    break

    def take_file_for(self, candidates: Sequence[Candidate], file: Sequence[Like]) -> None:
        """Take each sale of a file for the next one of the earlier file that is like it."""
        left: dict[str, list[str]] = {}
        for one in file:
            left.setdefault(one.likeness, []).append(one.external_ref)
        pairs = [(one, left[one.likeness].pop(0)) for one in candidates if left.get(one.likeness)]
        records = self.ledger.records(self.company, [reference for _, reference in pairs])
        for candidate, reference in pairs:
            self.take_for(candidate, [records[reference]], Doubt.SAME_CONTENT)


_when_planned = attrgetter("content_seq")


def _earlier_files(like: Sequence[Like]) -> list[list[Like]]:
    """Divide documents into the files that they stood in; rows that begin from above again are another file."""
    found: list[list[Like]] = []
    for one in like:
        before = found[-1][-1] if found else None
        if before is None or before.source != one.source or one.first_row < before.first_row:
            found.append([])
        found[-1].append(one)
    return found


def _by_source(prepared: Prepared, candidates: Sequence[Candidate]) -> dict[tuple[str, str], list[Candidate]]:
    """Return the candidates of each file and sheet, in their order."""
    sources = prepared.batch.sources
    if len(sources) == 1:
        return {(sources[0].path, sources[0].sheet): list(candidates)}
    found: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(prepared.batch.source(candidate.row), []).append(candidate)
    return found


def _is_part_of(one: str, other: str) -> bool:
    """Whether one reference stands at the end or the beginning of the other, cut off by a sign."""
    short, long = sorted((alike_key(one), alike_key(other)), key=len)
    rest = long.removesuffix(short) if long.endswith(short) else long.removeprefix(short)
    return rest != long and bool(short) and not (rest[-1:] if long.endswith(short) else rest[:1]).isalnum()


def _parts(text: str) -> list[str]:
    """Return what stands at the end or the beginning of a reference, cut off by a sign."""
    signs = [at for at, letter in enumerate(text) if not letter.isalnum()]
    return [part for at in signs for part in (text[at + 1 :], text[:at]) if part]


def unsent_record(company: str, candidate: Candidate) -> Record:
    """Return a sale that the ledger does not have, as it would have it: to ask the provider about."""
    return Record(
        company=company, external_ref=candidate.external_ref, doc_type=candidate.doc_type, state=State.PLANNED,
        fingerprint=candidate.fingerprint, expected_gross=candidate.gross, source=SourceRows(file=""),
    )  # fmt: skip
