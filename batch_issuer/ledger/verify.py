"""Whether the ledger is what was written: the chain of hashes, and the state that must follow from the events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from batch_issuer.ledger.records import FIRST_HASH, Event, Kind, Record, fold, hash_after
from batch_issuer.ledger.store import Ledger
from batch_issuer.messages import N_

_OF_RUNS = frozenset({Kind.RUN_STARTED, Kind.RUN_READ, Kind.RUN_ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """The first thing that is not as it was written. `seq` is the event, 0 where the state differs."""

    seq: int
    message: str
    external_ref: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was looked at; `damages` is empty for a sound ledger."""

    events: int
    documents: int
    head: str
    """The hash of the last event: keep it elsewhere to prove that nothing was cut off since."""
    damages: tuple[Damage, ...] = ()


def verify(ledger: Ledger) -> Verified:
    """Check every event against the one before, and the state against the events. Stops at the first bad event."""
    replayed = _Replay()
    for damage in replayed.run(ledger.every_event()):
        return Verified(events=replayed.events, documents=len(replayed.records), head=replayed.head, damages=(damage,))
    return Verified(
        events=replayed.events,
        documents=len(replayed.records),
        head=replayed.head,
        damages=tuple(_differences(ledger, replayed.records)),
    )


def rebuild(ledger: Ledger) -> Verified:
    """Write the state anew from the events; a chain that is broken is left as it is and reported."""
    replayed = _Replay()
    damages = tuple(replayed.run(ledger.every_event()))
    if not damages:
        ledger.replace_state(replayed.records, replayed.runs)
    return Verified(events=replayed.events, documents=len(replayed.records), head=replayed.head, damages=damages)


class _Replay:
    """Reads the chain from its beginning."""

    def __init__(self) -> None:
        self.events = 0
        self.head = FIRST_HASH
        self.records: dict[tuple[str, str], Record] = {}
        self.runs: list[tuple[Event, Mapping[str, Any]]] = []

    def run(self, events: Iterator[Event]) -> Iterator[Damage]:
        """The first damage, if there is one."""
        for event in events:
            if event.seq != self.events + 1:
                yield Damage(seq=self.events + 1, message=N_("an event is missing"))
                return
            if event.hash != hash_after(self.head, event):
                message = N_("the event was changed after it was written")
                yield Damage(seq=event.seq, message=message, external_ref=event.external_ref)
                return
            self.events, self.head = event.seq, event.hash
            self._take(event)

    def _take(self, event: Event) -> None:
        body = json.loads(event.body)
        if event.external_ref:
            key = (event.company, event.external_ref)
            self.records[key] = fold(self.records.get(key), event, body)
        elif event.kind in _OF_RUNS:
            self.runs.append((event, body))


def _differences(ledger: Ledger, replayed: Mapping[tuple[str, str], Record]) -> Iterator[Damage]:
    left = dict(replayed)
    for record in ledger.all_records():
        if left.pop((record.company, record.external_ref), None) != record:
            yield Damage(
                seq=0, message=N_("the state does not follow from the events"), external_ref=record.external_ref
            )
    for _, reference in left:
        yield Damage(seq=0, message=N_("the state of this document is missing"), external_ref=reference)
