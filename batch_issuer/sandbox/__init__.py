"""A provider of our own, on a real socket: the API's documented behaviour, with faults, quota and doubts to order.

It knows nothing of the client. Nothing here is needed to issue; it is for trying, for tests, and for others' tests. It
shares no rule and no reader with what it tests, only the model's nouns: an error made twice would prove itself right.

- `hosting`, `server`: a sandbox in this process or as a program, on its socket.
- `stand_in`: the same without a socket, and the orders that it takes.
- `exchange`: one request and its answer: key, quota, faults, turns, then the register.
- `routing`, `payload`, `keys`, `quota`: what a request names, says, may, and how often.
- `register`, `store`: the documents, and what may become of them; on disk where it is to survive.
- `amounts`, `ministry`, `calendar`, `catalogs`: arithmetic, judgement, days and codes.
- `api`, `answers`, `files`, `wire`: what is answered, in which words, and how it is broken to order.
- `options`, `changes`: every behaviour that the provider's pages leave open, to choose.
- `faults`, `control`, `traffic`: what goes wrong to order, orders over HTTP, and what came in.

It may use `messages` and `model`, and reads the ministry's tables in `rules/data` as files; contracts in
`pyproject.toml` keep it from the client's code.
"""

from batch_issuer.sandbox.changes import changed, parse_changes, possible_values
from batch_issuer.sandbox.faults import KIND_HELP, Fault, FaultKind, parse_fault
from batch_issuer.sandbox.hosting import Running, running, serve
from batch_issuer.sandbox.options import SAMPLE_KEY, Key, SandboxOptions, described
from batch_issuer.sandbox.server import Sandbox
from batch_issuer.sandbox.store import Record, Standing, Violation
from batch_issuer.sandbox.traffic import Requests

__all__ = [
    "KIND_HELP",
    "SAMPLE_KEY",
    "Fault",
    "FaultKind",
    "Key",
    "Record",
    "Requests",
    "Running",
    "Sandbox",
    "SandboxOptions",
    "Standing",
    "Violation",
    "changed",
    "described",
    "parse_changes",
    "parse_fault",
    "possible_values",
    "running",
    "serve",
]
