"""An event loop whose clock jumps to the next timer whenever nothing else is left to do: hours pass in milliseconds."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Answered = TypeVar("Answered")


class _JumpingSelector(selectors.SelectSelector):
    """Looks at the sockets without waiting, and moves the clock by what it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits for something that never happens"
            self.now += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Seconds that begin at `start` and pass only while everyone sleeps.

    What would be done in another thread is done at once, as time must not pass before it is.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._jumping = _JumpingSelector()
        self._jumping.now = start
        super().__init__(self._jumping)
        self._clock_resolution = 1e-6  # near 2e9 two neighbouring floats lie further apart than the real clock's ticks

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(self, _executor: Any, function: Any, *arguments: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        done = self.create_future()
        try:
            done.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - as a thread does
            done.set_exception(error)
        return done


def run_virtually(coroutine: Coroutine[Any, Any, Answered], *, start: float = 0.0) -> Answered:
    """What the coroutine returns, at no cost in real time."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(start)) as runner:
        return runner.run(coroutine)
