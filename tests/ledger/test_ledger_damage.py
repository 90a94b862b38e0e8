from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batch_issuer.ledger.opening import open_to_write
from batch_issuer.ledger.verify import verify
from batch_issuer.model.problems import CannotStart, Stop
from batch_issuer.model.records import Kind
from batch_issuer.model.states import State
from tests.ledger.histories import COMPANY, SMALL, Told, reading, sending, told, write


class Small:
    """A small ledger to hurt, and what it told when it was sound."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        write(self.path, SMALL)
        self.bytes = self.path.read_bytes()
        with reading(self.path) as ledger:
            self.told: Told = told(ledger)

    def hurt(self, content: bytes) -> None:
        for left in self.path.parent.iterdir():
            left.unlink()
        self.path.write_bytes(content)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    return Small(tmp_path_factory.mktemp("small"))


def verdict(small: Small) -> str:
    """What `ledger verify` comes to: sound, or what it complains about. Sound must mean that nothing is different."""
    try:
        with reading(small.path) as ledger:
            damages = verify(ledger).damages
            if damages:
                return damages[0].message
            assert told(ledger) == small.told, "a ledger that tells something else was called sound"
    except CannotStart as stop:
        sentence = str(stop)
        assert not re.search(r"\{[a-z]+\}", sentence), sentence
        return sentence
    return "sound"


def use(small: Small) -> None:
    """What a run does with it: every failure is one of our sentences."""
    try:
        with open_to_write(small.path, COMPANY, create=True) as ledger:
            list(ledger.all_records())
            ledger.in_states(COMPANY, list(State))
            ledger.last_stamped(COMPANY)
            ledger.last_body(COMPANY, Kind.KEY_SEEN)
            for run in ledger.runs():
                ledger.run(run.run)
            known = ledger.records(COMPANY, ["A-1", "A-2", "A-3", "A-4"])
            ledger.bodies(list(known.values()))
            for reference in known:
                ledger.story(COMPANY, reference)
            new = [sending(reference) for reference in known]
            ledger.append(COMPANY, ledger.begin_run(COMPANY, "issue").run, new)
    except Stop:
        return


def boundaries(small: Small) -> Iterator[int]:
    yield from range(0, len(small.bytes), 512)
    yield from (1, 15, 16, 99, 100, len(small.bytes) - 1)


def test_a_ledger_that_is_cut_off_says_so(small: Small) -> None:
    """At every boundary of a sector or page, wherever a disk may have stopped."""
    for length in boundaries(small):
        small.hurt(small.bytes[:length])
        assert verdict(small) != "sound", length
        use(small)


@settings(max_examples=60)
@given(st.data())
def test_a_ledger_cut_at_any_byte_says_so(small: Small, data: st.DataObject) -> None:
    """Never a traceback, and never called sound."""
    small.hurt(small.bytes[: data.draw(st.integers(0, len(small.bytes) - 1))])
    assert verdict(small) != "sound"
    use(small)


@settings(max_examples=100)
@given(st.data())
def test_one_flipped_bit_is_harmless_or_found(small: Small, data: st.DataObject) -> None:
    """Wherever it is: either everything is told as before, or `ledger verify` complains."""
    position = data.draw(st.integers(0, 8 * len(small.bytes) - 1))
    content = bytearray(small.bytes)
    content[position // 8] ^= 1 << position % 8
    small.hurt(bytes(content))
    verdict(small)
    use(small)


def test_flipped_bits_in_what_is_used_are_found(small: Small) -> None:
    """In the parts of the file that hold something, most of them; the pages are not simply skipped."""
    chance = random.Random(7)
    used = [number for number, byte in enumerate(small.bytes) if byte and number >= 100]
    found = 0
    for _ in range(100):
        content = bytearray(small.bytes)
        content[chance.choice(used)] ^= 1 << chance.randrange(8)
        small.hurt(bytes(content))
        found += verdict(small) != "sound"
    assert found > 80


@settings(max_examples=50)
@given(st.data())
def test_a_lost_sector_is_found(small: Small, data: st.DataObject) -> None:
    """512 bytes of zeros in the place of what was there."""
    start = 512 * data.draw(st.integers(0, len(small.bytes) // 512 - 1))
    lost = small.bytes[:start] + bytes(512) + small.bytes[start + 512 :]
    small.hurt(lost)
    if lost != small.bytes:
        verdict(small)
        use(small)


@settings(max_examples=30)
@given(st.binary(max_size=300))
def test_whatever_is_written_over_the_beginning_is_a_sentence(small: Small, beginning: bytes) -> None:
    """Headers that are no headers."""
    small.hurt(beginning + small.bytes[len(beginning) :])
    verdict(small)
    use(small)


def test_a_body_that_is_not_what_was_planned_is_never_sent(small: Small) -> None:
    """One changed digit in the content of a sale, which no page check can see."""
    content = small.bytes.replace(b'"body":"{}"', b'"body":"[]"')
    assert content != small.bytes
    small.hurt(content)
    with open_to_write(small.path, COMPANY, create=False) as ledger:
        records = ledger.in_states(COMPANY, [State.PLANNED])
        with pytest.raises(CannotStart, match="is damaged: A-4: event 7"):
            ledger.bodies(records)
