"""The control plane: orders and questions over HTTP, for tests and other processes. No key, no quota, not counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from batch_issuer.messages import N_
from batch_issuer.model.problems import CannotStart
from batch_issuer.sandbox import answers
from batch_issuer.sandbox.answers import Answer
from batch_issuer.sandbox.faults import Fault, fault_of, parse_fault
from batch_issuer.sandbox.options import SandboxOptions

if TYPE_CHECKING:
    from aiohttp import web

    from batch_issuer.sandbox.server import Sandbox

CONTROL_PATH = "/_sandbox/"
_JSON_LINES = "application/x-ndjson"


async def control(sandbox: Sandbox, request: web.BaseRequest) -> Answer:
    """The answer to a request under `/_sandbox/`; 400 with a sentence when it asks for the impossible.

    An address without a name tells what there is.
    """
    name = request.path[len(CONTROL_PATH) :].strip("/")
    found = _ROUTES.get((request.method, name))
    if found is None:
        known = [f"{method} {CONTROL_PATH}{path}" for method, path in _ROUTES]
        return answers.as_json({"base_url": sandbox.base_url, "control": known}, 404 if name else 200)
    try:
        return found(sandbox, _Asked(dict(request.query), _parsed(await request.read())))
    except CannotStart as error:
        return answers.as_json({"detail": str(error)}, 400)


class _Asked:
    """The query and body of a control request."""

    def __init__(self, query: Mapping[str, str], body: Any) -> None:
        self.query = query
        self.body = body

    def get(self, name: str, default: Any = None) -> Any:
        found = self.body.get(name) if isinstance(self.body, dict) else None
        return self.query.get(name, default) if found is None else found


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body.strip() else {}
    except ValueError:
        raise CannotStart(N_("The body is not JSON.")) from None


def _documents(sandbox: Sandbox, asked: _Asked) -> Answer:
    found = [record.as_json() for record in sandbox.documents() if asked.query.get("ref", record.ref) == record.ref]
    if asked.query.get("format") == "jsonl":
        lines = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in found)
        return Answer(body=lines.encode(), media_type=_JSON_LINES)
    return answers.as_json(found)


def _customers(sandbox: Sandbox, _: _Asked) -> Answer:
    return answers.as_json([dict(customer) for customer in sandbox.customers()])


def _requests(sandbox: Sandbox, _: _Asked) -> Answer:
    return answers.as_json(sandbox.requests().as_json())


def _faults(sandbox: Sandbox, _: _Asked) -> Answer:
    return answers.as_json(sandbox.requests().as_json()["faults"])


def _order(sandbox: Sandbox, asked: _Asked) -> Answer:
    orders = asked.body if isinstance(asked.body, list) else [asked.body]
    sandbox.order(*[_fault(order) for order in orders])
    return _faults(sandbox, asked)


def _fault(order: Any) -> Fault:
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


def _clear(sandbox: Sandbox, _: _Asked) -> Answer:
    sandbox.clear_faults()
    return answers.as_json([])


def _resolve(sandbox: Sandbox, asked: _Asked) -> Answer:
    to, refs = asked.get("to", "stamped"), asked.get("refs", ["*"])
    if to not in ("stamped", "rejected"):
        raise CannotStart(N_("A contingency ends stamped or rejected, not «{value}»."), value=to)
    patterns = [refs] if isinstance(refs, str) else [str(ref) for ref in refs]
    return answers.as_json({"resolved": sandbox.resolve(to, patterns)})


def _contingency(sandbox: Sandbox, asked: _Asked) -> Answer:
    return _shown(sandbox.change(contingency=asked.get("on", True)))


def _options(sandbox: Sandbox, _: _Asked) -> Answer:
    return _shown(sandbox.options)


def _change(sandbox: Sandbox, asked: _Asked) -> Answer:
    changes = asked.body if isinstance(asked.body, dict) else {}
    return _shown(sandbox.change(**{**asked.query, **changes}))


def _release(sandbox: Sandbox, _: _Asked) -> Answer:
    sandbox.release()
    return answers.as_json({"released": True})


def _shown(options: SandboxOptions) -> Answer:
    return answers.as_json(options.as_json())


_Route = Callable[["Sandbox", _Asked], Answer]
_ROUTES: Mapping[tuple[str, str], _Route] = {
    ("GET", "documents"): _documents,
    ("GET", "customers"): _customers,
    ("GET", "requests"): _requests,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _order,
    ("DELETE", "faults"): _clear,
    ("POST", "resolve"): _resolve,
    ("POST", "contingency"): _contingency,
    ("GET", "options"): _options,
    ("POST", "options"): _change,
    ("POST", "release"): _release,
}
