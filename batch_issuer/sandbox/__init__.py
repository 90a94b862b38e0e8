"""A provider of our own, on a real socket: the API's documented behaviour, with faults, quota and doubts to order.

It knows nothing of the client. Nothing here is needed to issue; it is for trying, for tests, and for others' tests.
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
