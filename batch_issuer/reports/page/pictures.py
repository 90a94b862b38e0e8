"""Where the bars of the page's pictures stand. Shapes only: the template draws them, and says the same in words."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate

from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.states import State
from batch_issuer.reconcile import Reconciliation
from batch_issuer.reports.figures import share
from batch_issuer.reports.wording import HELD_BACK, MISSING

WIDTH = 1000
"""Units across a picture; the page stretches them to what it has."""
_LEAST = 4
"""Units that even one document among thousands gets, so that it can be seen."""
_STEPS = (
    dt.timedelta(seconds=1),
    dt.timedelta(seconds=5),
    dt.timedelta(seconds=15),
    dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(minutes=15), dt.timedelta(hours=1),
    dt.timedelta(hours=6), dt.timedelta(days=1), dt.timedelta(days=7),
)  # fmt: skip
_MOST_COLUMNS = 48
_FEWEST_COLUMNS = 3
_FROM_THE_FOOT: list[str] = [State.STAMPED, *(state for state in State if state is not State.STAMPED)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One part of a bar, from the left."""

    key: str
    x: int
    width: int
    number: int
    share: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The documents of one state within a column, from the top of the picture: `y` and `height` are 0 to 100."""

    key: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a chart over time, the stamped at its foot."""

    x: float
    number: int
    begins: dt.datetime
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Documents over the time of their first sending, by their state now. `width` is that of one column."""

    columns: tuple[Column, ...]
    width: float
    step: dt.timedelta

    @property
    def clock(self) -> str:
        """Return the form of a column's time, with seconds where the steps are shorter than a minute."""
        return "%H:%M" if self.step >= dt.timedelta(minutes=1) else "%H:%M:%S"

    @property
    def span(self) -> str:
        """Return the length of a step: `15 s`, `5 min`, `1 h`, `1 d`."""
        seconds = int(self.step.total_seconds())
        for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
            if seconds >= length:
                return f"{seconds // length} {unit}"
        return f"{seconds} s"

    @property
    def busiest(self) -> Column:
        """Return the column with most documents, the first of these."""
        return max(self.columns, key=lambda column: column.number)


def state_bar(reconciliation: Reconciliation) -> tuple[Segment, ...]:
    """Return documents by state, in the order of the bridge, what was not sent first."""
    parts = {HELD_BACK: len(reconciliation.held_back), MISSING: len(reconciliation.missing)}
    parts |= {state.value: total.documents for state, total in reconciliation.states.items()}
    parts = {key: number for key, number in parts.items() if number}
    everything = sum(parts.values())
    widths = [max(_LEAST, round(WIDTH * number / everything)) for number in parts.values()]
    if widths:
        # Rounding and the least width make the sum a few units more or less: the widest can spare them unseen.
        widest = max(range(len(widths)), key=widths.__getitem__)
        widths[widest] += WIDTH - sum(widths)
    starts = accumulate(widths, initial=0)
    return tuple(
        Segment(key=key, x=x, width=width, number=number, share=share(number, everything))
        for (key, number), x, width in zip(parts.items(), starts, widths, strict=False)
    )


def length_of(amount: Decimal, longest: Decimal) -> int:
    """Return the units of a bar beside others of which the longest takes the whole width."""
    if amount <= 0 or longest <= 0:
        return 0
    return max(_LEAST, round(WIDTH * amount / longest))


def hours(sent: Iterable[tuple[str, str]]) -> Hours | None:
    """Return columns over the time in which documents were sent, in steps that suit its length.

    `sent` are moments of the ledger and the state of each document now. None: too few columns to show anything.
    """
    times = sorted((dt.datetime.fromisoformat(text), state) for text, state in sent if text)
    if not times:
        return None
    length = times[-1][0] - times[0][0]
    step = next((step for step in _STEPS if length / step < _MOST_COLUMNS), _STEPS[-1])
    # Columns begin at full steps of the clock in El Salvador: an axis of 08:00, 08:15 can be read, 08:03 cannot.
    begins = times[0][0].astimezone(EL_SALVADOR)
    midnight = begins.replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight + (begins - midnight) // step * step
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for time, state in times:
        counts[(time - first) // step][state] += 1
    last = max(counts)
    if last < _FEWEST_COLUMNS - 1:  # one or two bars say nothing that the totals do not
        return None
    most, width = max(one.total() for one in counts.values()), WIDTH / (last + 1)
    columns = tuple(
        Column(
            x=round(at * width, 2),
            number=counts[at].total(),
            begins=first + at * step,
            blocks=tuple(_blocks(counts[at], most)),
        )
        for at in range(last + 1)
    )
    return Hours(columns=columns, width=round(width, 2), step=step)


def _blocks(counts: Counter[str], most: int) -> Iterator[Block]:
    foot = 100.0
    for state in sorted(counts, key=_FROM_THE_FOOT.index):
        height = 100 * counts[state] / most
        foot -= height
        yield Block(key=state, y=round(foot, 2), height=round(height, 2))
