"""Which sales of the files the ledger has already: on another day, written otherwise, or under other references.

Nothing is guessed. Whatever could be a sale that was issued before, and could be another one, is asked about for all
files at once, before anything is planned, and the ledger remembers the answer.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

from batch_issuer.days import day_of
from batch_issuer.documents import SourceRows, State
from batch_issuer.identity import alike_key, alike_keys, differing
from batch_issuer.ledger.records import Kind, NewEvent, Record
from batch_issuer.messages import N_, Terms
from batch_issuer.planning.plan import Candidate, Plan, make_plan
from batch_issuer.planning.preparing import Prepared
from batch_issuer.problems import CannotStart
from batch_issuer.reading.fixes import is_fix_file
from batch_issuer.reading.numbering import TELLING, propose_template

if TYPE_CHECKING:
    from batch_issuer.provider.client import Found

SAME, NEW = ANSWERS = ("same", "new")
"""What a person may say of sales that look like earlier ones: that they are those, or that they are others."""

_TELLING = 3
"""So many sales that are like nothing else have to come again before a file is taken for an earlier one."""
_MOST_OF = 0.6
"""Share of the telling sales of a file, and of all its new ones, that has to come again."""
_IN_ORDER = 0.8
"""Share of them that has to stand one after the other as before."""
_MOST_ALIKE = 5_000
"""Equal sales in the ledger beyond which they say nothing."""
_NEARLY_ALL = 1.2
"""Numbers that begin at 1 and leave out less than a sixth of what follows."""


class Doubt(StrEnum):
    """Why a sale of the files may be one that the ledger has."""

    OTHER_DAY = "other-day"
    """The ledger has its reference with another date, branch or till."""
    NUMBERED_ANEW = "numbered-anew"
    """The ledger has its reference from another file, nothing but a small number tells them apart."""
    WRITTEN_OTHERWISE = "written-otherwise"
    """The ledger has a reference that a person would take for its own."""
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

    def like(self, company: str, likenesses: Sequence[str], most: int) -> Mapping[str, Sequence[str]]:
        """References of documents that are or may be issued, by likeness, in the order in which they were planned."""

    def has_read(self, company: str, sha256: str) -> bool:
        """Whether a run has read this very file."""


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
        if self.answer == SAME:
            self.left.add(candidate.number)
        elif self.answer != NEW:
            self.doubtful.append(Doubtful(candidate, record, Doubt.WITHDRAWN))

    def say(self, candidate: Candidate, record: Record) -> None:
        appearance = candidate.appearance
        self.said.append(NewEvent(kind=Kind.RECOGNISED, external_ref=record.external_ref, body=appearance._asdict()))

    def at_numbers(self) -> None:
        """Small numbers from 1 on that an earlier file had too, where neither says day, branch or till."""
        if self.answer == SAME:
            return
        for source, candidates in _by_source(self.prepared).items():
            known = [one for one in candidates if self.is_only_a_number(one)]
            if known and _begin_at_one(candidates) and self.is_another_file(source, known):
                self.doubtful += [Doubtful(one, self.records[one.external_ref], Doubt.NUMBERED_ANEW) for one in known]

    def is_only_a_number(self, candidate: Candidate) -> bool:
        record = self.records.get(candidate.external_ref)
        if record is None or record.withdrawn_at or not candidate.external_ref.isdecimal():
            return False
        said = zip(candidate.appearance[1:], record.appearance[1:], strict=True)
        return not any(mine and theirs for mine, theirs in said)

    def is_another_file(self, source: tuple[str, str], known: Sequence[Candidate]) -> bool:
        """Whether the file is neither one that was read before nor today's, corrected."""
        file = next((one for one in self.prepared.batch.sources if (one.path, one.sheet) == source), None)
        if file is None or is_fix_file([*file.ignored, *(one.heading for one in file.mapping)]):
            return False
        today = self.prepared.today.isoformat()
        records = [self.records[one.external_ref] for one in known]
        if all(one.source.file == file.path and day_of(one.updated_at) == today for one in records):
            return False
        return not self.ledger.has_read(self.company, file.sha256)

    def at_unknown(self) -> None:
        """Sales whose reference the ledger does not have."""
        unknown = [one for one in self.prepared.candidates if one.external_ref not in self.records]
        rest = self.written_otherwise(unknown) if unknown else []
        like = self.ledger.like(self.company, sorted({one.likeness for one in rest if one.likeness}), _MOST_ALIKE)
        if like:
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

    def take_for(self, candidate: Candidate, others: Sequence[Record], doubt: Doubt) -> None:
        """A sale that may be one of these documents."""
        known = [one for one in others if any(said == candidate.appearance for said in one.also)]
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

    def same_content(self, unknown: Sequence[Candidate], like: Mapping[str, Sequence[str]]) -> None:
        """Sales that the ledger has under references that say more or less, and files that it has under others."""
        free = {likeness: [ref for ref in references if ref not in self.taken] for likeness, references in like.items()}
        records = self.ledger.records(self.company, sorted({ref for references in free.values() for ref in references}))
        rest = []
        for candidate in unknown:
            same = [records[ref] for ref in free.get(candidate.likeness, ()) if ref in records]
            known = [one for one in same if any(said == candidate.appearance for said in one.also)]
            parts = [one for one in same if candidate.date and _is_part_of(one.external_ref, candidate.external_ref)]
            if known or parts:
                self.take_for(candidate, known or parts, Doubt.WRITTEN_OTHERWISE)
            elif same:
                rest.append(candidate)
        if rest:
            self.same_files(rest, unknown, free, records)

    def same_files(
        self,
        like: Sequence[Candidate],
        unknown: Sequence[Candidate],
        free: Mapping[str, Sequence[str]],
        records: Mapping[str, Record],
    ) -> None:
        """Files of which most new sales are in the ledger, in the same order, under other references."""
        new = Counter(self.prepared.batch.source(one.row) for one in unknown)
        times = Counter(one.likeness for one in self.prepared.candidates)
        by_source: dict[tuple[str, str], list[Candidate]] = {}
        for candidate in like:
            by_source.setdefault(self.prepared.batch.source(candidate.row), []).append(candidate)
        for source, candidates in by_source.items():
            telling = [one for one in candidates if times[one.likeness] == 1 and len(free[one.likeness]) == 1]
            of_file = [
                one for one in unknown if times[one.likeness] == 1 and self.prepared.batch.source(one.row) == source
            ]
            places = [records[free[one.likeness][0]].content_seq for one in telling]
            in_order = sum(one < other for one, other in pairwise(places))
            if (
                len(telling) >= _TELLING
                and len(telling) >= _MOST_OF * len(of_file)
                and len(candidates) >= _MOST_OF * new[source]
                and in_order >= _IN_ORDER * (len(places) - 1)
            ):
                self.take_file_for(candidates, free, records)

    def take_file_for(
        self, candidates: Sequence[Candidate], free: Mapping[str, Sequence[str]], records: Mapping[str, Record]
    ) -> None:
        """Each sale of a file for the next one of the ledger that is like it."""
        for candidate in candidates:
            left = [ref for ref in free[candidate.likeness] if ref not in self.taken]
            if left:
                self.take_for(candidate, [records[left[0]]], Doubt.SAME_CONTENT)


def _stands_alike(candidate: Candidate, record: Record) -> bool:
    """The usual case, told quickly: the same reference with the same day, branch and till."""
    return (candidate.date, candidate.branch, candidate.till, candidate.written_ref) == (
        record.date, record.branch, record.till, "",
    )  # fmt: skip


def _by_source(prepared: Prepared) -> dict[tuple[str, str], list[Candidate]]:
    """The candidates of each file and sheet, in their order."""
    sources = prepared.batch.sources
    if len(sources) == 1:
        return {(sources[0].path, sources[0].sheet): list(prepared.candidates)}
    found: dict[tuple[str, str], list[Candidate]] = {}
    for candidate in prepared.candidates:
        found.setdefault(prepared.batch.source(candidate.row), []).append(candidate)
    return found


def _begin_at_one(candidates: Sequence[Candidate]) -> bool:
    """Whether the references are small whole numbers that begin at 1 and leave out few."""
    numbers = [int(one.external_ref) for one in candidates if one.external_ref.isdecimal()]
    return len(numbers) == len(candidates) and min(numbers) == 1 and max(numbers) <= _NEARLY_ALL * len(numbers) + 1


def _is_part_of(one: str, other: str) -> bool:
    """Whether one reference stands at the end or the beginning of the other, cut off by a sign."""
    short, long = sorted((alike_key(one), alike_key(other)), key=len)
    rest = long.removesuffix(short) if long.endswith(short) else long.removeprefix(short)
    return rest != long and bool(short) and not (rest[-1:] if long.endswith(short) else rest[:1]).isalnum()


def _question(prepared: Prepared, doubt: Doubt, found: Sequence[Doubtful], answer: str) -> IdentityQuestion:
    """One question about all sales that are in doubt for the same reason."""
    first = found[0]
    candidate, record = first.candidate, first.record
    differs = sorted(
        {name for one in found for name in differing(one.record.appearance, one.candidate.appearance)},
        key=("branch", "till", "date").index,
    )
    line = _line(prepared, found, differs or TELLING)
    question = IdentityQuestion(
        _MESSAGES[doubt],
        repair=_repair(doubt, line, answer),
        count=f"{len(found):,}",
        reference=candidate.appearance.external_ref,
        other=record.external_ref,
        state=Terms((_STATES[record.state],)),
        before=_where_and_when(record.date or day_of(record.updated_at), record.branch, record.till),
        now=_where_and_when(candidate.date, candidate.branch, candidate.till) or "–",
        gross=f"${record.expected_gross:,.2f}",
        now_gross=f"${candidate.gross:,.2f}",
        file=record.source.file,
        now_file=prepared.batch.source(candidate.row)[0],
        line=line,
    )
    question.line = line
    question.choices = (SAME,) if doubt in _NEED_A_NAME and not line else ANSWERS
    return question


_NEED_A_NAME = (Doubt.OTHER_DAY, Doubt.NUMBERED_ANEW)
"""Doubts about one reference of two sales: as long as both have it, only one of them can be issued."""


def _line(prepared: Prepared, found: Iterable[Doubtful], differs: Sequence[str]) -> str:
    sources = {prepared.batch.source(one.candidate.row) for one in found}
    proposals = {
        propose_template(source, differs) for source in prepared.batch.sources if (source.path, source.sheet) in sources
    }
    return proposals.pop() if len(proposals) == 1 else ""


def _where_and_when(date: str, branch: str, till: str) -> str:
    day = f"{dt.date.fromisoformat(date):%d/%m/%Y}" if date else ""
    return ", ".join(filter(None, (day, branch, till)))


def _repair(doubt: Doubt, line: str, answer: str) -> str:
    if doubt in _NEED_A_NAME:
        if answer == NEW:
            return _TEMPLATE_WANTED if line else _OWN_NAME_WANTED
        return _SAME_OR_TEMPLATE if line else _SAME_OR_COLUMN
    return _WITHDRAWN if doubt is Doubt.WITHDRAWN else _SAME_OR_NEW


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
    proposals = {propose_template(source, TELLING) for source in prepared.batch.sources}
    line = proposals.pop() if len(proposals) == 1 else ""
    question = IdentityQuestion(
        N_(
            "The provider already has sales of these files that this ledger never sent: {count} of the {asked} that "
            "were looked up. For example «{reference}», {now_gross} in {now_file}: the provider has it for {gross} "
            "({state}). The same sales, of a ledger that was lost or replaced by an older copy; or numbers of other "
            "sales, of another shop or another time?"
        ),
        repair=_repair(Doubt.NUMBERED_ANEW, line, answer) if answer == NEW else _LOST_OR_OTHERS,
        count=f"{len(known):,}",
        asked=f"{asked:,}",
        reference=candidate.appearance.external_ref,
        now_gross=f"${candidate.gross:,.2f}",
        now_file=prepared.batch.source(candidate.row)[0],
        gross="–" if gross is None else f"${gross:,.2f}",
        state=Terms((_STATES[found.state],)),
        line=line or 'external_ref = "{Sucursal}-{Número}"',
    )
    question.line = line
    question.choices = ANSWERS if line else (SAME,)
    return question


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
    Doubt.WRITTEN_OTHERWISE: N_(
        "References that the ledger has written otherwise: {count}. For example «{reference}», {now_gross}, in "
        "{now_file}: the ledger has «{other}» of {before}, {gross} ({state}). The same sale?"
    ),
    Doubt.SAME_CONTENT: N_(
        "Sales that the ledger has under other references, in the same order: {count}. For example «{reference}», "
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
    'and make the reference of both in the settings:\n[source]\nexternal_ref = "{{Fecha}}-{{Número}}"\n'
    "If they are the same sales, say so with --alike same. Nothing was sent."
)
_TEMPLATE_WANTED = N_(
    "New sales need references of their own: the provider knows a sale by its reference. Say in the settings what "
    "tells them apart:\n[source]\n{line}\nNothing was sent."
)
_OWN_NAME_WANTED = N_(
    "New sales need references of their own: the provider knows a sale by its reference. Add a column that tells them "
    "apart (the date, the branch or the till), and make the reference of both in the settings:\n"
    '[source]\nexternal_ref = "{{Fecha}}-{{Número}}"\nNothing was sent.'
)
_SAME_OR_NEW = N_(
    "If they are the same, say so with --alike same: nothing is issued a second time, and the ledger remembers it. If "
    "they are other sales, say --alike new: they are issued under their own references. Nothing was sent."
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
