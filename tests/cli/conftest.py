"""A desk per test: a folder, the program, and a sandbox as ordered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from batch_issuer.sandbox import Running, SandboxOptions, changed, running
from tests.cli.desk import Desk, Open
from tests.promises.kill.shop import Nursery


@pytest.fixture(scope="package")
def nursery() -> Iterator[Nursery]:
    """Whence processes come that begin at once; started once for all tests of the folder."""
    nursery = Nursery()
    yield nursery
    nursery.stop()


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Open]:
    """Opens desks with sandbox options by name and faults in their compact form; no quota unless ordered."""
    with ExitStack() as stack:

        def open_one(*faults: str, documents: int = 3, **options: object) -> tuple[Desk, Running]:
            chosen = changed(SandboxOptions(minute_limit=None, hour_limit=None), options)
            sandbox = stack.enter_context(running(chosen, faults=faults))
            desk = Desk(tmp_path, sandbox.base_url)
            desk.fill(documents)
            return desk, sandbox

        yield open_one
