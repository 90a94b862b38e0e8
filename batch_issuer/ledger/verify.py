"""Whether the ledger is what was written: the chain of hashes, and the state that must follow from the events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batch_issuer.ledger.rows import run_change
from batch_issuer.ledger.store import Ledger, Replayed
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.model.records import FIRST_HASH, Event, Kind, Record, fold, hash_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """The first thing that is not as it was written. `seq` is the event, 0 where the state differs."""

    seq: int
    message: str
    external_ref: str = ""
    """The document, or the id of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at; `damages` is empty for a sound ledger."""

    events: int
    documents: int
    head: str
    """The hash of the last event: keep it elsewhere to prove that nothing was cut off since."""
    damages: tuple[Damage, ...] = ()


def verify(ledger: Ledger) -> Verified:
    """Check every event against the one before, and the state against the events. Stops at the first bad event.

    A run may go on writing meanwhile.

    Raises: `CannotStart` where the file itself is damaged.
    """
    ledger.check_pages()
    newest, runs = ledger.run_rows()
    replay = _Replay(runs_until=newest)
    damage = replay.take(ledger.every_event())
    return replay.verified([damage] if damage else list(_differences(ledger, replay, runs)))


def verify_end(ledger: Ledger, count: int) -> Damage | None:
    """Check the newest events against each other: quick, whatever the ledger's size.

    Raises: `CannotStart` where they cannot be read.
    """
    previous: Event | None = None
    for event in ledger.last_events(count):
        if previous is not None and event.seq != previous.seq + 1:
            return Damage(seq=previous.seq + 1, message=N_("an event is missing"))
        if previous is not None and event.hash != hash_after(previous.hash, event):
            return Damage(seq=event.seq, message=N_("the event was changed after it was written"))
        previous = event
    return None


def rebuild(ledger: Ledger) -> Verified:
    """Write the state anew from the events; a chain that is broken is left as it is and reported.

    Raises: `Stop` where the file cannot be read or written.
    """
    replay = _Replay()
    damages: list[Damage] = []

    def state(events: Iterator[Event]) -> Replayed | None:
        if damage := replay.take(events):
            damages.append(damage)
            return None
        return Replayed(records=replay.records, runs=replay.runs)

    ledger.rewrite_state(state)
    return replay.verified(damages)


class _Replay:
    """Reads the chain from its beginning. Runs are taken up to one event, documents to the last."""

    def __init__(self, runs_until: int | None = None) -> None:
        self.events = 0
        self.head = FIRST_HASH
        self.records: dict[tuple[str, str], Record] = {}
        self.runs: dict[str, dict[str, Any]] = {}
        self._runs_until = runs_until

    def take(self, events: Iterator[Event]) -> Damage | None:
        """Follow the events. Return the first damage, if there is one."""
        for event in events:
            if event.seq != self.events + 1:
                return Damage(seq=self.events + 1, message=N_("an event is missing"))
            if event.hash != hash_after(self.head, event):
                message = N_("the event was changed after it was written")
                return Damage(seq=event.seq, message=message, external_ref=str(event.external_ref))
            try:
                self.follow(event, json.loads(event.body))
            except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
                message = N_("the event is none that this program writes")
                return Damage(seq=event.seq, message=message, external_ref=str(event.external_ref))
            self.events, self.head = event.seq, event.hash
        return None

    def verified(self, damages: Sequence[Damage]) -> Verified:
        """Return what was looked at, with these damages."""
        return Verified(events=self.events, documents=len(self.records), head=self.head, damages=tuple(damages))

    def follow(self, event: Event, body: Mapping[str, Any]) -> None:
        """Take over what one event says.

        Raises: `ValueError`, `KeyError`, `TypeError`, `AttributeError` or `ArithmeticError` for one of no known kind.
        """
        if event.external_ref:
            key = (event.company, event.external_ref)
            self.records[key] = fold(self.records.get(key), event, body)
        elif event.kind not in _WITHOUT_DOCUMENT:
            raise ValueError(event.kind)
        elif self._runs_until is None or event.seq <= self._runs_until:
            change = run_change(event, body)
            if event.run or change:
                self.runs[event.run] = {**self.runs.get(event.run, {}), **change}


_WITHOUT_DOCUMENT = frozenset(
    {
        Kind.RUN_STARTED,
        Kind.RUN_READ,
        Kind.RUN_ENDED,
        Kind.KEY_SEEN,
        Kind.KEY_TRIED,
        Kind.SETTINGS_ACCEPTED,
        Kind.NOTED,
        Kind.SIGNED,
        Kind.RESTORED,
    }
)


def _differences(ledger: Ledger, replay: _Replay, runs: Mapping[str, Mapping[str, Any]]) -> Iterator[Damage]:
    """Yield where the state that is stored, of runs and of documents, is not what follows from the events."""
    for run in sorted({*replay.runs, *runs}):
        if replay.runs.get(run) != runs.get(run):
            yield Damage(seq=0, message=N_("the record of a run does not follow from the events"), external_ref=run)
    left = dict(replay.records)
    try:
        for record in ledger.all_records():
            replayed = left.pop((record.company, record.external_ref), None)
            if replayed != record and not (record.last_seq > replay.events and _follows(ledger, record)):
                message = N_("the state does not follow from the events")
                yield Damage(seq=0, message=message, external_ref=record.external_ref)
    except CannotStart:
        yield Damage(seq=0, message=N_("the state of the documents cannot be read"))
        return
    for _, reference in left:
        yield Damage(seq=0, message=N_("the state of this document is missing"), external_ref=reference)


def _follows(ledger: Ledger, record: Record) -> bool:
    """Whether a document that a run has touched since is what its events say."""
    replay = _Replay()
    for event in ledger.story(record.company, record.external_ref):
        if event.seq <= record.last_seq:
            replay.follow(event, json.loads(event.body))
    return replay.records.get((record.company, record.external_ref)) == record
