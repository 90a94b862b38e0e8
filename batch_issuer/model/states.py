"""The states of a document, and one table of what each means: for a run, at the provider, in a report, to a person.

The named groups below the table (`ISSUED`, `REFUSED`, …) are read off its columns. No other module makes a group of
states of its own: two groups with one name and two meanings are how a sale is counted twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from batch_issuer.messages import N_


class State(StrEnum):
    """What is known about a document. The order is that of the JSON; reports go by the order of `MEANINGS`."""

    PLANNED = "planned"
    SENDING = "sending"
    STAMPED = "stamped"
    CONTINGENCY = "contingency"
    REJECTED = "rejected"
    INVALID = "invalid"
    UNSURE = "unsure"
    CANCELLED = "cancelled"


class Action(StrEnum):
    """What a run does with a document."""

    ISSUE = "issue"
    ASK = "ask"
    """It may exist at the provider: ask by reference; what is found is recorded, 404 means issue."""
    WATCH = "watch"
    """In contingency: ask, and never send again."""
    NOTHING = "nothing"
    """Settled, or refused and unchanged since."""
    CONFLICT = "conflict"
    """Issued, and the file says something else now: never sent, shown with both versions."""
    QUESTION = "question"
    """Perhaps a sale that the ledger has, perhaps another one: nothing is done before a person says which."""


class There(Enum):
    """What the provider has of a document."""

    NO = auto()
    PERHAPS = auto()
    """It was sent, or is about to be, and no answer proves what came of it."""
    VALID = auto()
    """Registered, and neither rejected nor cancelled."""
    REJECTED = auto()
    """Registered and numbered, and rejected by the ministry afterwards."""
    CANCELLED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One row of the table: what a state means."""

    name: str
    """Catalog text, as reports and the screen call it."""
    same: Action
    """What a run does with it where the file says what it said when it was sent."""
    changed: Action
    """What a run does with it where the file says something else now."""
    there: There
    settled: bool
    """An answer has said what it is; the ledger keeps the moment."""
    urgency: int
    """Which is looked at first in lists of what is open, 1 before all others; 0: nothing is left to do or wait for."""
    compared: bool
    """Whether the provider's amounts, where it gave some, are held against ours."""
    always_shown: bool
    """Whether a report has a line for it where no document is in it."""


# A row as one line, so that a column can be read from top to bottom.
# fmt: off
MEANINGS: Mapping[State, Meaning] = {
    state: Meaning(name=name, same=same, changed=changed, there=there, settled=settled, urgency=urgency,
                   compared=compared, always_shown=shown)
    for state, name, same, changed, there, settled, urgency, compared, shown in (
        (State.STAMPED, N_("Stamped"), Action.NOTHING, Action.CONFLICT, There.VALID, True, 0, True, True),
        (State.CONTINGENCY, N_("In contingency"), Action.WATCH, Action.CONFLICT, There.VALID, False, 6, True, True),
        (State.REJECTED, N_("Rejected"), Action.NOTHING, Action.ISSUE, There.REJECTED, True, 4, False, True),
        (State.INVALID, N_("Invalid"), Action.NOTHING, Action.ISSUE, There.NO, True, 5, False, True),
        (State.UNSURE, N_("Unsure"), Action.ASK, Action.ASK, There.PERHAPS, False, 1, True, True),
        (State.SENDING, N_("Sent, no answer recorded"), Action.ASK, Action.ASK, There.PERHAPS, False, 2, False, False),
        (State.PLANNED, N_("Not sent yet"), Action.ISSUE, Action.ISSUE, There.NO, False, 3, False, False),
        (State.CANCELLED, N_("Cancelled"), Action.NOTHING, Action.CONFLICT, There.CANCELLED, True, 0, True, False),
    )
}
# fmt: on

STATE_NAMES: Mapping[State, str] = {state: meaning.name for state, meaning in MEANINGS.items()}
"""In the order in which reports list them."""

_ROWS = MEANINGS.items()

ISSUED = tuple(state for state, row in _ROWS if row.there is There.VALID)
"""The provider registered it, and it is valid as far as is known: it counts as a sale, and its proofs are its own."""
WERE_ISSUED = tuple(state for state, row in _ROWS if row.there in (There.VALID, There.CANCELLED))
"""Issued, or issued and cancelled afterwards: there are files of it."""
WERE_STAMPED = tuple(state for state, row in _ROWS if row.settled and row.there in (There.VALID, There.CANCELLED))
"""A stamp was proven; what came after it, if anything, is a cancellation."""
MAY_BE_ISSUED = tuple(state for state, row in _ROWS if row.there in (There.VALID, There.PERHAPS))
"""Issued, or perhaps so: a credit note in these takes from what is left of its receipt."""
IN_DOUBT = tuple(state for state, row in _ROWS if row.there is There.PERHAPS)
"""It may have left, and no answer proves what came of it. What was proven never to have left is planned."""
NEVER_THERE = tuple(state for state, row in _ROWS if row.there is There.NO)
"""The provider has nothing of it."""
REFUSED = tuple(state for state, row in _ROWS if row.same is Action.NOTHING and row.changed is Action.ISSUE)
"""Sent again only when its data has been corrected."""
GIVEN_UP = tuple(state for state, row in _ROWS if row.settled and row.there is not There.VALID)
"""The sale may be issued under another reference."""
SETTLED = tuple(state for state, row in _ROWS if row.settled)
"""An answer has said what it is, for as long as its content stays."""
SENT = tuple(state for state in MEANINGS if state is not State.PLANNED)
"""The intent to send it is written, or an answer is: the parts into which a report divides what was sent."""
COMPARED = tuple(state for state, row in _ROWS if row.compared)
"""The provider's amounts are held against ours."""
ALWAYS_SHOWN = tuple(state for state, row in _ROWS if row.always_shown)

OPEN = tuple(sorted((state for state, row in _ROWS if row.urgency), key=lambda state: MEANINGS[state].urgency))
"""Somebody has still to settle it or to wait for it; the most urgent first, as in all groups that follow."""
NEEDS_PERSON = tuple(state for state in OPEN if state not in ISSUED)
"""Its state alone means that somebody has to look at it: all that is open but what waits for its stamp."""
UNFINISHED = tuple(state for state in OPEN if MEANINGS[state].same in (Action.ISSUE, Action.ASK))
"""`retry` takes it up as it is: it sends it, or asks first."""
ONLY_PROVIDER_SETTLES = tuple(state for state in OPEN if MEANINGS[state].same in (Action.ASK, Action.WATCH))
"""The provider has it, or may have it, without a stamp that was seen: `refresh` asks how it stands."""
WITHDRAWABLE = tuple(state for state in OPEN if state not in MAY_BE_ISSUED)
"""A person may say that it is not to be issued: the provider does not have it as a valid one."""


def rejects_late(before: State, now: State) -> bool:
    """Whether an answer makes a document a late rejection: its `reason` has to say so from then on.

    See `Record.is_late_rejection`: a customer may hold what was accepted in contingency.
    """
    return before is State.CONTINGENCY and now is State.REJECTED
