"""Whence the processes come that tests kill."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.promises.kill.shop import Nursery


@pytest.fixture(scope="package")
def nursery() -> Iterator[Nursery]:
    """Started once for all tests of the folder."""
    nursery = Nursery()
    yield nursery
    nursery.stop()
