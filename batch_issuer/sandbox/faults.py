"""Faults to order: what goes wrong, for which requests, how often; and the drawing of them, repeatable by seed."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from random import Random
from types import MappingProxyType
from typing import Any

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox.routing import ROUTES, UNKNOWN


class FaultKind(StrEnum):
    """What goes wrong. `before` and `after` mean before and after the document was registered."""

    DELAY = "delay"
    HANG_BEFORE = "hang-before"
    HANG_AFTER = "hang-after"
    RESET_BEFORE = "reset-before"
    RESET_AFTER = "reset-after"
    ERROR_BEFORE = "error-before"
    ERROR_AFTER = "error-after"
    TRUNCATE = "truncate"
    HTML_BEFORE = "html-before"
    HTML_AFTER = "html-after"
    SLOW = "slow"
    OUTAGE = "outage"
    CLOSED = "closed"
    TOO_MANY = "429"
    FLAGS = "flags"
    NO_STAMP = "no-stamp"
    CENT = "cent"
    STRANGER = "stranger"


KIND_HELP: Mapping[FaultKind, str] = MappingProxyType(
    {
        FaultKind.DELAY: N_("waits `seconds` before looking at the request"),
        FaultKind.HANG_BEFORE: N_("does nothing until released, then goes on"),
        FaultKind.HANG_AFTER: N_("registers, and answers only when released"),
        FaultKind.RESET_BEFORE: N_("resets the connection; nothing was registered"),
        FaultKind.RESET_AFTER: N_("registers, then resets the connection"),
        FaultKind.ERROR_BEFORE: N_("answers `status` (500); nothing was registered"),
        FaultKind.ERROR_AFTER: N_("registers, then answers `status` (500)"),
        FaultKind.TRUNCATE: N_("registers, sends half the answer and closes"),
        FaultKind.HTML_BEFORE: N_("answers 200 with a page; nothing was registered"),
        FaultKind.HTML_AFTER: N_("registers, then answers 200 with a page"),
        FaultKind.SLOW: N_("resets the connection; the document appears `seconds` later"),
        FaultKind.OUTAGE: N_("answers every request with `status` (503) for `seconds`"),
        FaultKind.CLOSED: N_("drops every connection and refuses new ones for `seconds`"),
        FaultKind.TOO_MANY: N_("answers 429 with Retry-After `seconds`; nothing was registered"),
        FaultKind.FLAGS: N_("answers with `flags` for success, dte_success, contingency, rejected, such as TTTF"),
        FaultKind.NO_STAMP: N_("answers with an empty reception_stamp"),
        FaultKind.CENT: N_("answers with amounts one cent too high"),
        FaultKind.STRANGER: N_("answers with another document's reference"),
    }
)
_DEFAULT_SECONDS = {FaultKind.OUTAGE: 5.0, FaultKind.CLOSED: 5.0, FaultKind.TOO_MANY: 1.0}
_DEFAULT_STATUS = {FaultKind.OUTAGE: 503}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One order. `route` and `ref` are patterns with * and ?; `ref` is what the request says, decoded."""

    kind: FaultKind
    route: str = "*"
    ref: str = "*"
    probability: float = 1.0
    after: int = 0
    """How many matching requests pass unharmed first."""
    count: int | None = None
    """How many are harmed; None is all."""
    seconds: float = 1.0
    status: int = 500
    flags: str = ""

    @property
    def text(self) -> str:
        """Return the compact form, as `parse_fault` reads it."""
        plain = default_of(self.kind)
        said = [
            f"{_SHORT.get(item.name, item.name)}={getattr(self, item.name)}"
            for item in fields(self)
            if item.name != "kind" and getattr(self, item.name) != getattr(plain, item.name)
        ]
        return f"{self.kind.value}:{','.join(said)}" if said else self.kind.value


_SHORT = {"probability": "p"}
_LONG = {"p": "probability", "n": "count"}
_NAMES = tuple(item.name for item in fields(Fault) if item.name != "kind")


def default_of(kind: FaultKind) -> Fault:
    """Return the fault of a kind with nothing else said."""
    return Fault(kind=kind, seconds=_DEFAULT_SECONDS.get(kind, 1.0), status=_DEFAULT_STATUS.get(kind, 500))


def parse_fault(text: str) -> Fault:
    """Read `kind:name=value,…`, for example `reset-after:route=invoice,ref=A-*,count=2,p=0.1`.

    Raises `CannotStart` naming the part that is wrong.
    """
    name, _, rest = text.strip().partition(":")
    return fault_of(name.strip(), dict(_pair(text, part) for part in rest.split(",") if part.strip()), text)


def fault_of(name: str, said: Mapping[str, str], text: str = "") -> Fault:
    """Return the fault of a kind's name and its parts by name, as texts; `text` is quoted in complaints.

    Raises `CannotStart` naming the part that is wrong.
    """
    # An object over HTTP brings its parts apart: they are held against the same names as those of a text.
    for part in said:
        _pair(text or name, f"{part}=")
    kinds = [kind.value for kind in FaultKind]
    if name not in kinds:
        raise CannotStart(
            N_("There is no fault «{name}»."),
            repair=N_("Did you mean «{near}»? Known: {known}."),
            name=name,
            near=difflib.get_close_matches(name, kinds, n=1, cutoff=0)[0],
            known=", ".join(kinds),
        )
    plain = default_of(FaultKind(name))
    fault = Fault(
        kind=plain.kind,
        route=said.get("route", plain.route),
        ref=said.get("ref", plain.ref),
        probability=_number(text, "p", said.get("probability"), plain.probability),
        after=int(_number(text, "after", said.get("after"), plain.after)),
        count=int(_number(text, "count", said["count"], 0)) if said.get("count", "None") != "None" else None,
        seconds=_number(text, "seconds", said.get("seconds"), plain.seconds),
        status=int(_number(text, "status", said.get("status"), plain.status)),
        flags=said.get("flags", ""),
    )
    _check(text, fault)
    return fault


def fault_from(order: Any) -> Fault:
    """Read one order: the compact text, an object around it, or an object of a fault's parts. Raises `CannotStart`."""
    if isinstance(order, str):
        return parse_fault(order)
    if isinstance(order, dict) and isinstance(order.get("fault"), str):
        return parse_fault(order["fault"])
    if isinstance(order, dict) and isinstance(order.get("kind"), str):
        said = {name: str(value) for name, value in order.items() if name != "kind" and value is not None}
        return fault_of(order["kind"], said, json.dumps(order, ensure_ascii=False))
    raise CannotStart(
        N_("«{text}» is not a fault."),
        repair=N_("Send an object with fault: «reset-after:route=invoice,count=1», or a list of such."),
        text=order,
    )


def _pair(text: str, part: str) -> tuple[str, str]:
    """Read one `name=value` of a fault. Raises `CannotStart` for a name that is not known."""
    name, equals, value = part.partition("=")
    name = _LONG.get(name.strip(), name.strip())
    if not equals or name not in _NAMES:
        raise CannotStart(
            N_("The fault «{text}» has a part that is not known: «{part}»."),
            repair=N_("Write name=value with one of: {known}."),
            text=text,
            part=part.strip(),
            known=", ".join(_SHORT.get(known, known) for known in _NAMES),
        )
    return name, value.strip()


def _number(text: str, name: str, value: str | None, default: float) -> float:
    """Read a number of a fault, whole where it counts something. Raises `CannotStart`."""
    if value is None:
        return default
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    whole = name in ("after", "count", "status")
    if not 0 <= number < float("inf") or (whole and number != int(number)) or (name == "p" and number > 1):
        raise CannotStart(
            N_("The fault «{text}» has «{value}» for {name}."),
            repair=N_("It must be a number; p lies between 0 and 1."),
            text=text,
            value=value,
            name=name,
        )
    return number


def _check(text: str, fault: Fault) -> None:
    """Raise `CannotStart` for a fault that could strike nothing, or not as it is meant."""
    if fault.kind is FaultKind.FLAGS and (len(fault.flags) != 4 or set(fault.flags) - set("TF")):
        raise CannotStart(
            N_("The fault «{text}» needs flags of four letters T or F."),
            repair=N_("For example flags:flags=TTTF, in the order success, dte_success, contingency, rejected."),
            text=text,
        )
    if not any(fnmatchcase(route, fault.route) for route in (*ROUTES, UNKNOWN)):
        raise CannotStart(
            N_("The fault «{text}» has «{value}» for {name}."),
            repair=N_("There is no such route. Known: {known}."),
            text=text,
            value=fault.route,
            name="route",
            known=", ".join(ROUTES),
        )
    if not 200 <= fault.status <= 599:
        raise CannotStart(
            N_("The fault «{text}» has «{value}» for {name}."),
            repair=N_("It must be an HTTP status from 200 to 599."),
            text=text,
            value=fault.status,
            name="status",
        )


class Faults:
    """The orders in force, and how often each has matched and struck."""

    def __init__(self, faults: Iterable[Fault] = (), *, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._orders: list[_Order] = []
        for fault in faults:
            self.order(fault)

    def order(self, fault: Fault) -> None:
        """Add an order behind those in force."""
        self._orders.append(_Order(fault))

    def clear(self) -> None:
        """Withdraw every order."""
        self._orders.clear()

    def draw(self, route: str, ref: str) -> tuple[Fault, ...]:
        """Return the faults that strike this request, in the order in which they were ordered."""
        if not self._orders:
            return ()
        return tuple(order.fault for order in self._orders if order.strikes(route, ref, self._random))

    def struck(self) -> tuple[tuple[Fault, int], ...]:
        """Return every order with how many requests it has struck."""
        return tuple((order.fault, order.struck) for order in self._orders)


class _Order:
    """A fault in force, with what it has met so far."""

    __slots__ = ("fault", "passed", "struck")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.passed = 0
        self.struck = 0

    def strikes(self, route: str, ref: str, random: Random) -> bool:
        """Whether the fault harms this request; both counts go on with it."""
        fault = self.fault
        if fault.count is not None and self.struck >= fault.count:
            return False
        if not (fnmatchcase(route, fault.route) and fnmatchcase(ref, fault.ref)):
            return False
        self.passed += 1  # `after` counts matching requests, whatever chance says of them
        if self.passed <= fault.after or (fault.probability < 1 and random.random() >= fault.probability):
            return False
        self.struck += 1
        return True
