"""The provider: whether it answers and takes the key, what is left of the quota, and whose clock is right."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import Iterator

from batch_issuer.doctor.check import Check, Subject, ok, problem, stops, warn
from batch_issuer.messages import N_
from batch_issuer.model.documents import EL_SALVADOR
from batch_issuer.model.problems import Stop
from batch_issuer.provider.client import Client, NeverLeft, Sign, Uncertain, Withheld, open_transport
from batch_issuer.provider.quota import Quota

_CLOCK_MAY_DIFFER = 60
"""Seconds; the answer took some of them."""


def ask_provider(base_url: str, key: str) -> Sign | Stop | None:
    """Ask the provider one question; a `Stop` says why there is no answer."""
    # About a document that does not exist: 404 says that address and key are right, and nothing can be changed by it.

    async def ask() -> Sign | NeverLeft | Uncertain | Withheld:
        client = Client(base_url, key, quota=Quota(), transport=open_transport(base_url, 1))
        async with client:
            return await client.sign_of_life(f"batch-issuer-doctor-{secrets.token_hex(8)}")

    reply = asyncio.run(ask())
    if isinstance(reply, Sign):
        return reply
    detail = reply.detail if isinstance(reply, NeverLeft | Uncertain) else ""
    return Stop(
        N_("nothing answers at {url}: {detail}"),
        repair=N_("Everything else here was looked at without the network. Check the connection and the address."),
        url=base_url,
        detail=detail,
    )


def provider(subject: Subject, sign: Sign | Stop | None, *, asked: bool) -> Iterator[Check]:
    """Yield whether the provider answers and takes the key, and what is left of the quota."""
    if not asked:
        yield warn("provider", N_("not asked: there is no key"), N_("Set the key first."))
        return
    if not isinstance(sign, Sign):
        message, repair = (sign.message, sign.repair) if sign else (N_("no answer"), "")
        yield problem("provider", message, repair, **(sign.parameters if sign else {}))
        return
    yield _answered(subject, sign)
    if sign.left_minute is not None or sign.left_hour is not None:
        yield _quota(sign)
    else:
        yield warn(
            "quota", N_("the answer does not say what is left"), N_("Runs then go by the provider's usual limits.")
        )


def _answered(subject: Subject, sign: Sign) -> Check:
    """Return what the status of the answer says of address and key."""
    match sign.status:
        case 404 | 200:
            return ok("provider", N_("answers, and takes the key"))
        case 401:
            return stops(
                "provider",
                N_("refuses the key: {detail}"),
                N_("Check that the key is whole, active and of this company."),
                detail=sign.detail or "401",
            )
        case 429:
            return warn("provider", N_("answers, but the quota is used up"), N_("Wait a little."))
        case _:
            return problem(
                "provider",
                N_("answers {status} to a question about a document"),
                N_("Check the address {url}; if it is right, the provider is in trouble: try later."),
                status=sign.status,
                url=subject.base_url,
            )


def _quota(sign: Sign) -> Check:
    """Return what is left of the quota; a warning where less than a twentieth of the hour is."""
    values = {
        name: "?" if value is None else f"{value:,}"
        for name, value in (
            ("minute", sign.left_minute),
            ("per_minute", sign.per_minute),
            ("hour", sign.left_hour),
            ("per_hour", sign.per_hour),
        )
    }
    text = N_("{minute} of {per_minute} requests left this minute, {hour} of {per_hour} this hour")
    if sign.left_hour is not None and sign.per_hour and sign.left_hour < sign.per_hour // 20:
        return warn("quota", text, N_("The hour is nearly used up: a run will wait for the next."), **values)
    return ok("quota", text, **values)


def clock(sign: Sign | None) -> Check:
    """Return whether this machine's clock goes as the provider's, where that has answered."""
    now = dt.datetime.now(dt.UTC)
    here = now.astimezone()
    zone = f"UTC{here:%z}"
    shown = f"{now.astimezone(EL_SALVADOR):%d/%m/%Y %H:%M}"
    if sign is not None and sign.moment is not None:
        moment = sign.moment if sign.moment.tzinfo else sign.moment.replace(tzinfo=dt.UTC)
        wrong = round((now - moment).total_seconds())
        if abs(wrong) > _CLOCK_MAY_DIFFER:
            return problem(
                "clock",
                N_("{seconds} s away from the provider's clock"),
                N_("Set this machine's clock: days and deadlines are counted with it."),
                seconds=f"{wrong:+,}",
            )
        return ok(
            "clock", N_("as the provider's; in El Salvador it is {now} (this machine: {zone})"), now=shown, zone=zone
        )
    return ok(
        "clock", N_("not compared; in El Salvador it would be {now} (this machine: {zone})"), now=shown, zone=zone
    )
