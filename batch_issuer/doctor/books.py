"""The ledger: whether it opens and is sound, who writes in it, what it leaves open, and what it knows of the key."""

from __future__ import annotations

from collections.abc import Iterator

from batch_issuer.doctor.check import Check, Subject, ok, stopped, stops, warn
from batch_issuer.doctor.machine import size_text
from batch_issuer.ledger import lock, schema
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.ledger.store import Ledger
from batch_issuer.ledger.verify import verify_end
from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart, Stop
from batch_issuer.model.states import IN_DOUBT, State
from batch_issuer.send.keys import key_in

_EVENTS_CHECKED = 2000
"""The newest ones: a diagnosis has to be quick, and `ledger verify` checks them all."""


def ledger(subject: Subject, key: str) -> Iterator[Check]:
    """Yield what is to be said of the ledger; nothing more than its trouble where it cannot be opened."""
    folder = subject.ledger.resolve().parent
    if not folder.is_dir():
        yield stops(
            "ledger",
            N_("there is no folder {folder}"),
            N_("Make it, or name another place with --ledger."),
            folder=folder,
        )
        return
    if not schema.exists(subject.ledger):
        text = N_("{path} does not exist yet: the first issue makes it")
        yield ok("ledger", text, path=subject.ledger.resolve())
        return
    try:
        ledger = open_to_read(subject.ledger)
    except CannotStart as stop:
        yield stopped("ledger", stop)
        return
    try:
        yield from _opened(subject, ledger, key)
    except Stop as stop:
        yield stopped("ledger", stop)
    finally:
        ledger.close()


def _opened(subject: Subject, ledger: Ledger, key: str) -> Iterator[Check]:
    """Yield what an open ledger says of itself, its lock, documents and key. Raises `Stop` for damaged pages."""
    # Larger ones take too long for a first look: `ledger verify` checks them whole.
    ledger.check_pages(largest=schema.CHECKED_WHOLE_BELOW)
    damage = verify_end(ledger, _EVENTS_CHECKED)
    if damage is not None:
        yield stops(
            "ledger",
            N_("{path} is damaged at event {seq}"),
            N_("Run: batch-issuer ledger verify"),
            path=subject.ledger,
            seq=damage.seq,
        )
        return
    events, _ = ledger.head()
    yield ok(
        "ledger",
        N_("{path}: {events} events, {size}, journal {journal}; its pages and newest events are sound"),
        path=subject.ledger.resolve(),
        events=f"{events:,}",
        size=size_text(subject.ledger.stat().st_size),
        journal=ledger.journal(),
    )
    held, holder = lock.is_held(subject.ledger, subject.company.code)
    pid, host = holder or ("?", "?")
    writes, repair = N_("a run is writing now: process {pid} on {host}"), N_("Another run has to wait until it ends.")
    yield warn("lock", writes, repair, pid=pid, host=host) if held else ok("lock", N_("no run is writing now"))
    yield _documents(ledger, subject.company.code)
    if key:
        yield _environment(subject, ledger, key)


def _documents(ledger: Ledger, company: str) -> Check:
    """Return how many documents there are, and how many of them a run has still to do something about."""
    counts = ledger.count_states(company)
    doubtful = sum(counts.get(state, 0) for state in IN_DOUBT)
    waiting, unsent = counts.get(State.CONTINGENCY, 0), counts.get(State.PLANNED, 0)
    total = f"{sum(counts.values()):,}"
    if doubtful or unsent:
        return warn(
            "documents",
            N_("{total}, of which {doubtful} in doubt, {unsent} not sent yet and {waiting} in contingency"),
            N_("Run batch-issuer refresh, then batch-issuer retry."),
            total=total,
            doubtful=f"{doubtful:,}",
            unsent=f"{unsent:,}",
            waiting=f"{waiting:,}",
        )
    return ok("documents", N_("{total}, none in doubt; {waiting} in contingency"), total=total, waiting=f"{waiting:,}")


def _environment(subject: Subject, ledger: Ledger, key: str) -> Check:
    """Return which environment the ledger knows the key for, and whether it is the expected one."""
    try:
        environment = key_in(ledger, subject.company, key).environment
    except Stop as stop:
        return stopped("environment", stop)
    expected = subject.company.expect_environment
    # A key of the wrong environment issues real documents as tests, or tests as real ones: no run starts with it.
    if environment and expected and environment != expected:
        return stops(
            "environment",
            N_("this key issues in the {found} environment, and {expected} is expected"),
            N_("Use the key of the {expected} environment, or change expect_environment."),
            found=environment,
            expected=expected,
        )
    if environment:
        return ok("environment", N_("{found}, as a signed document of this key has proven"), found=environment)
    return ok("environment", N_("not proven yet for this key: --expect-environment proves it with the first document"))
