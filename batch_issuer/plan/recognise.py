"""Which sales of the files the ledger has already: on another day, written otherwise, or under other references.

Nothing is guessed. Whatever could be a sale that was issued before, and could be another one, is asked about for all
files at once, before anything is planned, and the ledger remembers the answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple, Protocol

from batch_issuer.messages import N_, Terms
from batch_issuer.model.days import day_of
from batch_issuer.model.documents import SourceRows, State
from batch_issuer.model.identity import alike_key, alike_keys, differing
from batch_issuer.model.money import dollars
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import Kind, Like, NewEvent, Record
from batch_issuer.plan.files_again import comes_again
from batch_issuer.plan.plan import Candidate, Plan, make_plan
from batch_issuer.plan.prepare import Prepared
from batch_issuer.reading.batch import SourceFile
from batch_issuer.reading.own_sheets import is_fix_file
from batch_issuer.reading.sheets.numbering import TELLING, are_counted, propose_template, template_line

if TYPE_CHECKING:
    from batch_issuer.provider.client import Found

SAME, NEW = ANSWERS = ("same", "new")
"""What a person may say of sales that look like earlier ones: that they are those, or that they are others."""

_MOST_ALIKE = 5_000
"""The newest documents of the ledger among which equal sales are looked for."""


class Doubt(StrEnum):
    """Why a sale of the files may be one that the ledger has."""

    OTHER_DAY = "other-day"
    """The ledger has its reference with another date, branch or till."""
    NUMBERED_ANEW = "numbered-anew"
    """The ledger has its reference from another file, nothing but a small number tells them apart."""
    WRITTEN_OTHERWISE = "written-otherwise"
    """The ledger has a reference that a person would take for its own."""
    TWICE_IN_FILES = "twice-in-files"
    """The files have it under another reference that a person would take for its own, with everything else equal."""
    SAME_CONTENT = "same-content"
    """The ledger has a whole file of such sales under other references."""
    WITHDRAWN = "withdrawn"
    """Somebody said that it is not to be issued, and a file has it again."""


class Doubtful(NamedTuple):
    """A sale of the files, and the document of the ledger that may be the same sale."""

    candidate: Candidate
    record: Record
    doubt: Doubt


class Remembers(Protocol):
    """What is asked of a ledger."""

    def records(self, company: str, references: Sequence[str]) -> dict[str, Record]: ...

    def look_alikes(self, company: str, keys: Sequence[str]) -> Mapping[str, Sequence[Record]]:
        """Documents by the key of their reference (`identity.alike_key`)."""

    def like(self, company: str, likenesses: Sequence[str], most: int) -> Sequence[Like]:
        """Documents of these likenesses that are or may be issued, in the order in which they were planned."""

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
        """What to do with each sale, of those that are left after other looks; nothing with those in doubt."""
        doubted = {one.candidate.number for one in self.doubtful}
        return make_plan((prepared or self.prepared).candidates, self.records, doubted, self.left)

    def questions(self, answer: str = "") -> list[IdentityQuestion]:
        """What has to be answered before anything is sent, a question for each kind of doubt."""
        found: dict[Doubt, list[Doubtful]] = {}
        for one in self.doubtful:
            found.setdefault(one.doubt, []).append(one)
        return [_question(self.prepared, doubt, found[doubt], answer) for doubt in Doubt if doubt in found]


class IdentityQuestion(CannotStart):
    """Whether sales of the files are those that the ledger has. `line` of the settings would keep them apart."""

    line: str = ""
    choices: tuple[str, ...] = ANSWERS


def recognise(
    prepared: Prepared,
    ledger: Remembers | None,
    company: str,
    answer: str = "",
) -> Recognised:
    """Every sale of the files against what the ledger has; `answer` is what a person said of all that is in doubt."""
    if ledger is None:
        return Recognised(prepared=prepared, records={})
    references = [candidate.external_ref for candidate in prepared.candidates]
    records = ledger.records(company, references)
    looking = _Looking(prepared, ledger, company, answer, records)
    looking.at_known()
    looking.at_numbers()
    if answer != NEW:
        looking.doubtful += _twice_in_files(prepared, records, company)
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
        """Sales whose reference the ledger has."""
        for candidate in self.prepared.candidates:
            record = self.records.get(candidate.external_ref)
            if record is None:
                continue
            if record.withdrawn_at:
                self.ask_of_withdrawn(candidate, record)
            elif not _stands_alike(candidate, record) and not record.is_known_as(candidate.appearance):
                if self.answer == SAME:
                    self.say(candidate, record)
                else:
                    self.doubtful.append(Doubtful(candidate, record, Doubt.OTHER_DAY))

    def ask_of_withdrawn(self, candidate: Candidate, record: Record) -> None:
        """A sale that somebody has withdrawn, unless a person said already that this file may have it."""
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
        """Small numbers from 1 on that an earlier file had too, where not both say the day."""
        if self.answer == SAME:
            return
        for source, candidates in _by_source(self.prepared, self.prepared.candidates).items():
            known = [one for one in candidates if self.is_only_a_number(one)]
            if known and _are_counted(candidates) and self.is_another_file(source, known):
                self.doubtful += [Doubtful(one, self.records[one.external_ref], Doubt.NUMBERED_ANEW) for one in known]

    def is_only_a_number(self, candidate: Candidate) -> bool:
        record = self.records.get(candidate.external_ref)
        if record is None or record.withdrawn_at or not candidate.external_ref.isdecimal():
            return False
        return not (candidate.date and record.date)  # one branch and one till begin anew too

    def is_another_file(self, source: tuple[str, str], known: Sequence[Candidate]) -> bool:
        """Whether the file is neither one that was read before nor today's, corrected."""
        file = next((one for one in self.prepared.batch.sources if (one.path, one.sheet) == source), None)
        if file is None or is_fix_file([*file.ignored, *(one.heading for one in file.mapping)]):
            return False
        today = self.prepared.today.isoformat()
        records = [self.records[one.external_ref] for one in known]
        if all(one.source.file == file.path and day_of(one.updated_at) == today for one in records):
            return False
        return not self.ledger.has_read(self.company, file.path, file.sha256)

    def at_unknown(self) -> None:
        """Sales whose reference the ledger does not have."""
        twice = {one.candidate.number for one in self.doubtful}
        unknown = [
            one for one in self.prepared.candidates if one.external_ref not in self.records and one.number not in twice
        ]
        rest = self.under_a_template(self.written_otherwise(unknown)) if unknown else []
        likenesses = sorted({one.likeness for one in rest if one.likeness})
        if like := self.ledger.like(self.company, likenesses, _MOST_ALIKE):
            self.same_content(rest, like)

    def written_otherwise(self, unknown: Sequence[Candidate]) -> list[Candidate]:
        """Look for the ledger's way of writing each reference; those that have none."""
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
        """Look for sales whose number alone the ledger has, from before more was put into references; the others.

        Their content says nothing: it may have been corrected, and the day added, in the same file.
        """
        batch = self.prepared.batch
        made = {(one.path, one.sheet) for one in batch.sources if one.template}
        with_one = [one for one in unknown if batch.source(one.row) in made] if made else ()
        parts = {one.number: _parts(alike_key(one.external_ref)) for one in with_one}
        others = self.ledger.look_alikes(self.company, sorted({key for keys in parts.values() for key in keys}))
        rest = []
        for candidate in unknown:
            found = [one for key in parts.get(candidate.number, ()) for one in others.get(key, ())]
            if found := [one for one in found if _may_be(candidate, one)]:
                to_the_letter = [one for one in found if one.external_ref in _parts(candidate.external_ref)]
                self.take_for(candidate, to_the_letter or found, Doubt.WRITTEN_OTHERWISE)
            else:
                rest.append(candidate)
        return rest

    def take_for(self, candidate: Candidate, others: Sequence[Record], doubt: Doubt) -> None:
        """A sale that may be one of these documents."""
        known = [one for one in others if candidate.appearance in one.also]
        free = [one for one in known or others if one.external_ref not in self.taken]
        if len(free) == 1 and (known or self.answer == SAME):
            self.name(candidate, free[0], said=bool(known))
        elif self.answer != NEW:
            self.doubtful.append(Doubtful(candidate, others[0], doubt))

    def name(self, candidate: Candidate, record: Record, *, said: bool) -> None:
        """From now on the sale goes by the ledger's reference."""
        self.taken.add(record.external_ref)
        self.records[record.external_ref] = record
        self.named[candidate.number] = record.external_ref
        if not said:
            self.say(candidate, record)

    def same_content(self, unknown: Sequence[Candidate], like: Sequence[Like]) -> None:
        """Sales that the ledger has under references that say more or less, and files that it has under others."""
        free: dict[str, list[Like]] = {}
        for one in like:
            if one.external_ref not in self.taken:
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
            parts = [one for one in same if candidate.date and _is_part_of(one.external_ref, candidate.external_ref)]
            if known:
                self.take_for(candidate, known, Doubt.WRITTEN_OTHERWISE)
            elif parts:
                records = self.ledger.records(self.company, [one.external_ref for one in parts])
                self.take_for(candidate, list(records.values()), Doubt.WRITTEN_OTHERWISE)
            else:
                rest.append(candidate)
        self.same_files(rest, free)

    def same_files(self, unknown: Sequence[Candidate], free: Mapping[str, Sequence[Like]]) -> None:
        """Files whose new sales are those of an earlier file under other references."""
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
        """Each sale of a file for the next one of the earlier file that is like it."""
        left: dict[str, list[str]] = {}
        for one in file:
            left.setdefault(one.likeness, []).append(one.external_ref)
        pairs = [(one, left[one.likeness].pop(0)) for one in candidates if left.get(one.likeness)]
        records = self.ledger.records(self.company, [reference for _, reference in pairs])
        for candidate, reference in pairs:
            self.take_for(candidate, [records[reference]], Doubt.SAME_CONTENT)


def _twice_in_files(prepared: Prepared, records: Mapping[str, Record], company: str) -> list[Doubtful]:
    """Sales that stand in the files twice: references written otherwise, and everything else equal."""
    candidates = [one for one in prepared.candidates if one.likeness]
    equal: dict[tuple[str, str], list[Candidate]] = {}
    for candidate, key in zip(candidates, alike_keys([one.external_ref for one in candidates]), strict=True):
        equal.setdefault((key, candidate.likeness), []).append(candidate)
    found = []
    for same in equal.values():
        first = next((one for one in same if one.external_ref in records), same[0])
        before = records.get(first.external_ref) or unsent_record(company, first)
        again = [one for one in same if one is not first and one.external_ref not in records]
        found += [Doubtful(one, before, Doubt.TWICE_IN_FILES) for one in again]
    return found


_when_planned = attrgetter("content_seq")


def _earlier_files(like: Sequence[Like]) -> list[list[Like]]:
    """Documents as they stood in files: another file, or rows that begin from above again, is another reading."""
    found: list[list[Like]] = []
    for one in like:
        before = found[-1][-1] if found else None
        if before is None or before.source != one.source or one.first_row < before.first_row:
            found.append([])
        found[-1].append(one)
    return found


def _stands_alike(candidate: Candidate, record: Record) -> bool:
    """The usual case, told quickly: the same reference with the same day, branch and till."""
    return (candidate.date, candidate.branch, candidate.till, candidate.written_ref) == (
        record.date, record.branch, record.till, "",
    )  # fmt: skip


def _by_source(prepared: Prepared, candidates: Sequence[Candidate]) -> dict[tuple[str, str], list[Candidate]]:
    """The candidates of each file and sheet, in their order."""
    sources = prepared.batch.sources
    if len(sources) == 1:
        return {(sources[0].path, sources[0].sheet): list(candidates)}
    found: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(prepared.batch.source(candidate.row), []).append(candidate)
    return found


def _are_counted(candidates: Sequence[Candidate]) -> bool:
    numbers = [int(one.external_ref) for one in candidates if one.external_ref.isdecimal()]
    return len(numbers) == len(candidates) and are_counted(numbers)


def _is_part_of(one: str, other: str) -> bool:
    """Whether one reference stands at the end or the beginning of the other, cut off by a sign."""
    short, long = sorted((alike_key(one), alike_key(other)), key=len)
    rest = long.removesuffix(short) if long.endswith(short) else long.removeprefix(short)
    return rest != long and bool(short) and not (rest[-1:] if long.endswith(short) else rest[:1]).isalnum()


def _parts(text: str) -> list[str]:
    """What stands at the end or the beginning of a reference, cut off by a sign."""
    signs = [at for at, letter in enumerate(text) if not letter.isalnum()]
    return [part for at in signs for part in (text[at + 1 :], text[:at]) if part]


def _may_be(candidate: Candidate, record: Record) -> bool:
    """Whether neither day, branch nor till speaks against one sale; none was planned before its day."""
    if differing(record.appearance, candidate.appearance):
        return False
    return bool(record.date) or candidate.date <= day_of(record.first_sent_at or record.updated_at)


def _question(prepared: Prepared, doubt: Doubt, found: Sequence[Doubtful], answer: str) -> IdentityQuestion:
    """One question about all sales that are in doubt for the same reason."""
    first = found[0]
    candidate, record = first.candidate, first.record
    differs = sorted(
        {name for one in found for name in differing(one.record.appearance, one.candidate.appearance)},
        key=("branch", "till", "date").index,
    )
    sources = {prepared.batch.source(one.candidate.row) for one in found}
    with_such = [one for one in prepared.batch.sources if (one.path, one.sheet) in sources]
    line = _line(prepared, with_such, differs or TELLING)
    question = IdentityQuestion(
        _MESSAGES[doubt],
        repair=_repair(doubt, line, answer),
        count=f"{len(found):,}",
        reference=candidate.appearance.external_ref,
        other=record.external_ref,
        state=Terms((_STATES[record.state],)),
        before=_where_and_when(record.date or day_of(record.updated_at), record.branch, record.till),
        now=_where_and_when(candidate.date, candidate.branch, candidate.till) or "–",
        gross=dollars(record.expected_gross),
        now_gross=dollars(candidate.gross),
        file=record.source.file,
        now_file=prepared.batch.source(candidate.row)[0],
        line=line or _example(prepared, "Fecha" if not candidate.date else "Sucursal"),
    )
    question.line = line
    question.choices = _CHOICES.get(doubt, (SAME,) if doubt in _NEED_A_NAME and not line else ANSWERS)
    return question


_CHOICES: Mapping[Doubt, tuple[str, ...]] = {Doubt.TWICE_IN_FILES: (NEW,)}
"""One of two rows has to go out of the file: which one, only a person can say there."""
_NEED_A_NAME = (Doubt.OTHER_DAY, Doubt.NUMBERED_ANEW)
"""Doubts about one reference of two sales: as long as both have it, only one of them can be issued."""


def _line(prepared: Prepared, sources: Iterable[SourceFile], differs: Sequence[str]) -> str:
    """The line of settings that keeps sales of these sheets apart, where all of them have the same one."""
    template = prepared.settings.source.external_ref
    proposals = {
        _more_in(template, source, differs) if template else propose_template(source, differs) for source in sources
    }
    return proposals.pop() if len(proposals) == 1 else ""


def _more_in(template: str, source: SourceFile, differs: Sequence[str]) -> str:
    """A template with what it leaves out of day, branch and till, as far as the sheet has them; empty for nothing."""
    headings = {one.field: one.heading for one in source.mapping}
    more = [f"{{{headings[name]}}}" for name in TELLING if name in differs and name in headings]
    new = [part for part in more if part not in template]
    return template_line("-".join([*new, template])) if new else ""


def _example(prepared: Prepared, heading: str) -> str:
    """A line of settings with a column that the file does not have yet, before what its reference is made of now."""
    headings = [
        one.heading for source in prepared.batch.sources for one in source.mapping if one.field == "external_ref"
    ]
    template = prepared.settings.source.external_ref or f"{{{headings[0] if headings else 'Número'}}}"
    return template_line(f"{{{heading}}}-{template}")


def _where_and_when(date: str, branch: str, till: str) -> str:
    day = f"{dt.date.fromisoformat(date):%d/%m/%Y}" if date else ""
    return ", ".join(filter(None, (day, branch, till)))


def _repair(doubt: Doubt, line: str, answer: str) -> str:
    if doubt in _NEED_A_NAME:
        if answer == NEW:
            return _TEMPLATE_WANTED if line else _OWN_NAME_WANTED
        return _SAME_OR_TEMPLATE if line else _SAME_OR_COLUMN
    return {Doubt.WITHDRAWN: _WITHDRAWN, Doubt.TWICE_IN_FILES: _ONE_TOO_MANY}.get(doubt, _SAME_OR_NEW)


def unsent_record(company: str, candidate: Candidate) -> Record:
    """A sale that the ledger does not have, as it would have it: to ask the provider about."""
    return Record(
        company=company, external_ref=candidate.external_ref, doc_type=candidate.doc_type, state=State.PLANNED,
        fingerprint=candidate.fingerprint, expected_gross=candidate.gross, source=SourceRows(file=""),
    )  # fmt: skip


def known_to_provider(
    prepared: Prepared, known: Sequence[tuple[Candidate, Found]], asked: int, answer: str
) -> IdentityQuestion:
    """The question about sales that the provider has, and that this ledger never sent."""
    candidate, found = known[0]
    gross = found.answer.amounts.gross
    line = _line(prepared, prepared.batch.sources, _OF_SHOPS)
    question = IdentityQuestion(
        N_(
            "The provider already has sales of these files that this ledger never sent: {count} of the {asked} that "
            "were looked up. For example «{reference}», {now_gross} in {now_file}: the provider has it for {gross} "
            "({state}). The same sales, of a ledger that was lost or replaced by an older copy; or numbers of other "
            "sales, of another shop or another time?"
        ),
        repair=_repair(Doubt.NUMBERED_ANEW, line, answer)
        if answer == NEW
        else _LOST_OR_OTHERS
        if line
        else _LOST_OR_COLUMN,
        count=f"{len(known):,}",
        asked=f"{asked:,}",
        reference=candidate.appearance.external_ref,
        now_gross=dollars(candidate.gross),
        now_file=prepared.batch.source(candidate.row)[0],
        gross="–" if gross is None else dollars(gross),
        state=Terms((_STATES[found.state],)),
        line=line or _example(prepared, "Sucursal"),
    )
    question.line = line
    question.choices = ANSWERS if line else (SAME,)
    return question


_OF_SHOPS = ("branch", "till")
"""What tells the sales of one shop from those of another on the same day."""
_LOST_OR_COLUMN = N_(
    "If they are the same sales, say --alike same: each is looked up before it is sent, and what the provider has with "
    "the same content is recorded. If they are others, add a column to the file that names the shop, and make the "
    "reference of both in the settings:\n[source]\n{line}\nNothing was sent."
)
_LOST_OR_OTHERS = N_(
    "If they are the same sales, say --alike same: each is looked up before it is sent, and what the provider has with "
    "the same content is recorded. If they are others, let more than the number tell sales apart, in the settings:\n"
    "[source]\n{line}\nNothing was sent."
)


_MESSAGES: Mapping[Doubt, str] = {
    Doubt.OTHER_DAY: N_(
        "References that the ledger has with another day, branch or till: {count}. For example «{reference}»: in the "
        "ledger it is of {before}, {gross} ({state}); in {now_file} it is of {now}, {now_gross}. "
        "The same sale, or a number that began anew?"
    ),
    Doubt.NUMBERED_ANEW: N_(
        "References that the ledger has from another file: {count}. For example «{reference}»: {gross} in {file} "
        "({before}, {state}), {now_gross} in {now_file}. They are small numbers, and no date, branch or till tells "
        "them apart. The same sales, or numbers that began anew?"
    ),
    Doubt.TWICE_IN_FILES: N_(
        "Sales that the files have twice, with the reference written otherwise and everything else equal: {count}. For "
        "example «{reference}», {now_gross}, in {now_file}, and «{other}». One sale, or two?"
    ),
    Doubt.WRITTEN_OTHERWISE: N_(
        "References that the ledger has written otherwise: {count}. For example «{reference}», {now_gross}, in "
        "{now_file}: the ledger has «{other}» of {before}, {gross} ({state}). The same sale?"
    ),
    Doubt.SAME_CONTENT: N_(
        "Sales of a file that the ledger has under other references: {count}. For example «{reference}», "
        "{now_gross}, in {now_file}: the ledger has «{other}» of {before}, {gross} ({state}). The same sales?"
    ),
    Doubt.WITHDRAWN: N_(
        "Sales that somebody has withdrawn and that the files have again: {count}. For example «{reference}», "
        "{now_gross}, in {now_file}. Are they to be issued after all?"
    ),
}
_SAME_OR_TEMPLATE = N_(
    "If numbers began anew, let more than the number tell sales apart, in the settings:\n"
    "[source]\n{line}\n"
    "If they are the same sales, say so with --alike same. Nothing was sent."
)
_SAME_OR_COLUMN = N_(
    "If numbers began anew, add a column to the file that tells the sales apart (the date, the branch or the till), "
    "and make the reference of both in the settings:\n[source]\n{line}\n"
    "If they are the same sales, say so with --alike same. Nothing was sent."
)
_TEMPLATE_WANTED = N_(
    "New sales need references of their own: the provider knows a sale by its reference. Say in the settings what "
    "tells them apart:\n[source]\n{line}\nNothing was sent."
)
_OWN_NAME_WANTED = N_(
    "New sales need references of their own: the provider knows a sale by its reference. Add a column that tells them "
    "apart (the date, the branch or the till), and make the reference of both in the settings:\n"
    "[source]\n{line}\nNothing was sent."
)
_SAME_OR_NEW = N_(
    "If they are the same, say so with --alike same: nothing is issued a second time, and the ledger remembers it. If "
    "they are other sales, say --alike new: they are issued under their own references. Nothing was sent."
)
_ONE_TOO_MANY = N_(
    "If it is one sale, take one of both out of the files, or name only one of the files. If they are two, say "
    "--alike new: both are issued. Nothing was sent."
)
_WITHDRAWN = N_(
    "If they are to be issued, say --alike new; to leave them alone, --alike same, or take them out of the file. "
    "Nothing was sent."
)
_STATES: Mapping[State, str] = {
    State.STAMPED: N_("issued"),
    State.CONTINGENCY: N_("issued, in contingency"),
    State.REJECTED: N_("refused by the ministry"),
    State.INVALID: N_("refused by the provider"),
    State.UNSURE: N_("perhaps issued"),
    State.SENDING: N_("perhaps issued"),
    State.PLANNED: N_("not sent yet"),
    State.CANCELLED: N_("cancelled"),
}
