"""Asking again until everything is settled: a short run a round, so that in between others may use the ledger.

Pauses grow, because the ministry is back in a minute or in a day. It ends when nothing is open any more, when its time
is up, or when somebody interrupts; what is known by then is in the ledger.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from batch_issuer.ledger.lock import Occupied
from batch_issuer.ledger.opening import open_to_read
from batch_issuer.messages import N_
from batch_issuer.model.problems import Interrupted, StoppedMidway, Unreachable
from batch_issuer.model.states import ONLY_PROVIDER_SETTLES
from batch_issuer.send.cancel import is_under_way
from batch_issuer.send.run import Outcome, chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    """Seconds between two rounds: the first, how much longer each next one is, and the longest."""

    first: float = 5.0
    factor: float = 2.0
    longest: float = 600.0


def still_open(ledger_path: Path, company: str, only: Sequence[str] = ()) -> int:
    """Count the documents and cancellations that are not settled."""
    ledger = open_to_read(ledger_path)
    try:
        documents = chosen(ledger.in_states(company, ONLY_PROVIDER_SETTLES), only=only)
        cancelled = chosen([one for one in ledger.cancellations(company) if is_under_way(one)], only=only)
    finally:
        ledger.close()
    return len(documents) + len(cancelled)


def watch(
    *,
    look: Callable[[], Outcome],
    count_open: Callable[[], int],
    rest: Callable[[float, int], None],
    longest: float = math.inf,
    pauses: Pauses = Pauses(),
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Look, rest and look again; return the outcome of all rounds, under the name of the first.

    `rest` waits so many seconds while so many documents are open. A provider that cannot be reached, or a ledger that
    another run holds, costs a round, but not the first. `longest` is for all of it, in seconds.
    """
    ends = clock() + longest
    outcome, pause = look(), pauses.first
    while outcome.stopped is None and (left := count_open()):
        if (remaining := ends - clock()) <= 0:
            over = StoppedMidway(
                N_("The time of --max-wait is over, and {count} are not settled yet."),
                repair=N_("What is known is in the ledger. Run the same command again to go on."),
                count=f"{left:,}",
            )
            return replace(outcome, stopped=over)
        try:
            rest(min(pause, remaining), left)
        except (KeyboardInterrupt, Interrupted) as interruption:
            # 130 is what shells give a program that ended by SIGINT.
            code = interruption.exit_code if isinstance(interruption, Interrupted) else 130
            return replace(outcome, stopped=Interrupted(code))
        pause = min(pause * pauses.factor, pauses.longest)
        try:
            now = look()
        except Occupied:  # somebody issues meanwhile, which is what the pauses between rounds are for
            continue
        stopped = None if isinstance(now.stopped, Unreachable) else now.stopped  # an outage is waited for, too
        seconds = round(outcome.seconds + now.seconds, 3)
        outcome = replace(outcome, progress=outcome.progress.and_then(now.progress), seconds=seconds, stopped=stopped)
    return outcome
