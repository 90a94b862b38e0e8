"""The stand-in for the provider, without a socket: what can be ordered of it and asked about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox.changes import changed
from batch_issuer.sandbox.exchange import Exchange
from batch_issuer.sandbox.faults import Fault, Faults
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.register import Register
from batch_issuer.sandbox.store import Customer, Record, Store
from batch_issuer.sandbox.traffic import Requests

_AT_START = ("ref_case_sensitive", "shared_namespace", "first_number", "keepalive_seconds", "max_body", "seed")
_QUOTA = (
    "minute_limit", "hour_limit", "minute_seconds", "hour_seconds", "window", "reset_rounding", "hour_retry_after",
    "refused_count", "others_per_second",
)  # fmt: skip


class StandIn:
    """Register, store and exchange of one sandbox, and the orders that they take while it runs.

    `close_for` drops every connection and refuses new ones for some seconds; whoever has the socket gives it.
    """

    def __init__(
        self,
        options: SandboxOptions,
        *,
        faults: Iterable[Fault],
        clock: Callable[[], float],
        close_for: Callable[[float], None],
    ) -> None:
        self._store = Store(
            fold_case=not options.ref_case_sensitive, shared=options.shared_namespace, first_number=options.first_number
        )
        self._register = Register(options, self._store, clock)
        self._exchange = Exchange(self._register, Faults(faults, seed=options.seed), clock=clock, close_for=close_for)

    @property
    def options(self) -> SandboxOptions:
        """Return the options in force."""
        return self._register.options

    @property
    def base_url(self) -> str:
        """Return what `--base-url` of a client takes; empty before the start."""
        return self._exchange.base_url

    def documents(self) -> tuple[Record, ...]:
        """Return everything registered, with what the provider's worker has done by now."""
        return tuple(self._register.settled(record) for record in tuple(self._store))

    def customers(self) -> list[Customer]:
        """Return the customers that the provider stores."""
        return self._store.customers()

    def order(self, *faults: Fault) -> None:
        """Order faults, behind those in force."""
        for fault in faults:
            self._exchange.faults.order(fault)

    def clear_faults(self) -> None:
        """Withdraw every fault and end an outage."""
        self._exchange.faults.clear()
        self._exchange.end_outage()

    def resolve(self, to: str = "stamped", refs: Iterable[str] = ("*",)) -> int:
        """Settle documents in contingency with references like these, `stamped` or `rejected`; return how many."""
        return self._register.resolve(tuple(refs), to)

    def change(self, **changes: object) -> SandboxOptions:
        """Change options while it runs. Raises `CannotStart` for impossible ones."""
        options = changed(self.options, changes)
        differing = {name for name in (*_AT_START, *_QUOTA) if getattr(options, name) != getattr(self.options, name)}
        for name in differing.intersection(_AT_START):
            raise CannotStart(
                N_("The sandbox option {name} can only be chosen when it starts."),
                repair=N_("Stop the sandbox and start it with the option."),
                name=name,
            )
        if differing:  # of the quota: a window keeps the limits that it began with
            self._exchange.forget_quotas()
        self._register.options = options
        return options

    def requests(self) -> Requests:
        """Return what came in so far."""
        faults = tuple((fault.text, struck) for fault, struck in self._exchange.faults.struck())
        return self._exchange.traffic.requests(faults, tuple(self._register.violations))

    def release(self) -> None:
        """Let every hanging request go on."""
        self._exchange.release()
