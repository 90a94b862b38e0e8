"""The control plane: orders and questions over HTTP, for tests and other processes. No key, no quota, not counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox import answers
from batch_issuer.sandbox.answers import Answer
from batch_issuer.sandbox.faults import fault_from
from batch_issuer.sandbox.options import SandboxOptions
from batch_issuer.sandbox.stand_in import StandIn

if TYPE_CHECKING:
    from aiohttp import web

CONTROL_PATH = "/_sandbox/"
_JSON_LINES = "application/x-ndjson"


async def control(sandbox: StandIn, request: web.BaseRequest) -> Answer:
    """Answer a request under `/_sandbox/`, with 400 and a sentence where it asks for the impossible.

    An address without a name tells what there is.
    """
    name = request.path[len(CONTROL_PATH) :].strip("/")
    found = _ROUTES.get((request.method, name))
    if found is None:
        known = [f"{method} {CONTROL_PATH}{path}" for method, path in _ROUTES]
        return answers.as_json({"base_url": sandbox.base_url, "control": known}, 404 if name else 200)
    body = await request.read()
    try:
        return found(sandbox, _Asked(dict(request.query), json.loads(body) if body.strip() else {}))
    except (json.JSONDecodeError, UnicodeDecodeError):
        return answers.as_json({"detail": str(CannotStart(N_("The body is not JSON.")))}, 400)
    except CannotStart as error:  # in English, as is everything that programs read here
        return answers.as_json({"detail": str(error)}, 400)


class _Asked:
    """The query and body of a control request."""

    def __init__(self, query: Mapping[str, str], body: Any) -> None:
        self.query = query
        self.body = body

    def get(self, name: str, default: Any = None) -> Any:
        """Return what the body says, else what the query says."""
        found = self.body.get(name) if isinstance(self.body, dict) else None
        return self.query.get(name, default) if found is None else found


_Route = Callable[[StandIn, _Asked], Answer]
_ROUTES: dict[tuple[str, str], _Route] = {}


def _at(method: str, path: str) -> Callable[[_Route], _Route]:
    """Answer requests of this method and path with the function below."""

    def kept(function: _Route) -> _Route:
        _ROUTES[method, path] = function
        return function

    return kept


@_at("GET", "documents")
def documents(sandbox: StandIn, asked: _Asked) -> Answer:
    """Return the documents, or those of one reference; as JSON Lines with `format=jsonl`."""
    found = [record.as_json() for record in sandbox.documents() if asked.query.get("ref", record.ref) == record.ref]
    if asked.query.get("format") == "jsonl":
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in found)
        return Answer(body=lines.encode(), media_type=_JSON_LINES)
    return answers.as_json(found)


@_at("GET", "customers")
def customers(sandbox: StandIn, _: _Asked) -> Answer:
    """Return the customers that the provider would have stored."""
    return answers.as_json([dict(customer) for customer in sandbox.customers()])


@_at("GET", "requests")
def requests(sandbox: StandIn, _: _Asked) -> Answer:
    """Return what came in so far: counts, refusals, violations."""
    return answers.as_json(sandbox.requests().as_json())


@_at("GET", "faults")
def faults(sandbox: StandIn, _: _Asked) -> Answer:
    """Return the faults that are ordered, and how often each struck."""
    return answers.as_json(sandbox.requests().as_json()["faults"])


@_at("POST", "faults")
def order(sandbox: StandIn, asked: _Asked) -> Answer:
    """Order one fault or several. Raises `CannotStart` for what is none."""
    # All are read before one is ordered: a list with a mistake in it changes nothing.
    orders = asked.body if isinstance(asked.body, list) else [asked.body]
    sandbox.order(*[fault_from(order) for order in orders])
    return faults(sandbox, asked)


@_at("DELETE", "faults")
def clear_faults(sandbox: StandIn, _: _Asked) -> Answer:
    """Take back every fault."""
    sandbox.clear_faults()
    return answers.as_json([])


@_at("POST", "resolve")
def resolve(sandbox: StandIn, asked: _Asked) -> Answer:
    """Settle documents in contingency. Raises `CannotStart` for an end that there is not."""
    to, refs = asked.get("to", "stamped"), asked.get("refs", ["*"])
    if to not in ("stamped", "rejected"):
        raise CannotStart(N_("A contingency ends stamped or rejected, not «{value}»."), value=to)
    patterns = [refs] if isinstance(refs, str) else [str(ref) for ref in refs]
    return answers.as_json({"resolved": sandbox.resolve(to, patterns)})


@_at("POST", "contingency")
def contingency(sandbox: StandIn, asked: _Asked) -> Answer:
    """Begin or end a contingency of the whole ministry."""
    return _shown(sandbox.change(contingency=asked.get("on", True)))


@_at("GET", "options")
def options(sandbox: StandIn, _: _Asked) -> Answer:
    """Return the options in force."""
    return _shown(sandbox.options)


@_at("POST", "options")
def change(sandbox: StandIn, asked: _Asked) -> Answer:
    """Change options while it runs. Raises `CannotStart` for impossible ones."""
    changes = asked.body if isinstance(asked.body, dict) else {}
    return _shown(sandbox.change(**{**asked.query, **changes}))


@_at("POST", "release")
def release(sandbox: StandIn, _: _Asked) -> Answer:
    """Let every hanging request go on."""
    sandbox.release()
    return answers.as_json({"released": True})


def _shown(options: SandboxOptions) -> Answer:
    return answers.as_json(options.as_json())
