"""What a run has done so far, for whoever watches it: counted by who sends, shown by the command line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from batch_issuer.model.states import State


@dataclass(slots=True)
class Progress:
    """Counts of one run. `done` of `total` documents or files have come to their end in it."""

    total: int = 0
    done: int = 0
    posts: int = 0
    asks: int = 0
    states: Counter[State] = field(default_factory=Counter)
    late_rejections: list[str] = field(default_factory=list)
    """References of documents that were in contingency and turned out rejected."""
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    """Both versions of documents that the provider has otherwise than they were sent, as a run's record has them."""
    retries: int = 0

    def and_then(self, later: Progress) -> Progress:
        """Return this with what a later run has sent and asked; its documents are among these, and counted already."""
        return Progress(
            total=self.total,
            done=self.done,
            posts=self.posts + later.posts,
            asks=self.asks + later.asks,
            retries=self.retries + later.retries,
            late_rejections=[*self.late_rejections, *later.late_rejections],
        )

    def count(self, state: State) -> None:
        """Count a document whose turn in this run has ended in this state."""
        self.done += 1
        self.states[state] += 1
