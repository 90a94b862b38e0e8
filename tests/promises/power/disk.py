"""A disk that is cut off from power: what a program wrote, in order, and what may be left of it at any moment."""

from __future__ import annotations

import random
import struct
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
"""What a disk writes whole or not at all."""
_HEAD = struct.Struct("=cIQQI")


class Done(NamedTuple):
    """Something that the program did; `disk.c` says what the letters mean."""

    what: str
    name: str
    inode: int
    at: int
    data: bytes


def read_log(path: Path) -> Iterator[Done]:
    """What was recorded, in order."""
    log, start = path.read_bytes(), 0
    while start < len(log):
        what, names, inode, at, size = _HEAD.unpack_from(log, start)
        start += _HEAD.size
        name, data = log[start : start + names], log[start + names : start + names + size]
        start += names + size
        yield Done(what.decode(), name.decode(), inode, at, data)


@dataclass
class Disk:
    """The files of one folder: what is durable, and what is only on its way.

    A sync of a file makes its content durable, and a sync of the folder the names in it; nothing else does, and no
    order is kept between what was not synced.
    """

    folder: Path
    contents: dict[int, bytearray] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=dict)
    written: dict[int, list[Done]] = field(default_factory=lambda: defaultdict(list))
    renamed: list[Done] = field(default_factory=list)
    lost: int = 0
    """Writes that some power cut has lost or torn."""

    @classmethod
    def of(cls, folder: Path) -> Disk:
        """As a folder stands, all of it durable."""
        disk = cls(folder)
        for path in folder.iterdir():
            if path.is_file():
                inode = path.stat().st_ino
                disk.names[str(path)] = inode
                disk.contents[inode] = bytearray(path.read_bytes())
        return disk

    def take(self, done: Done) -> None:
        """One more thing that the program did."""
        if done.what in "WT":
            self.written[done.inode].append(done)
        elif done.what in "CLRU":
            self.renamed.append(done)
        elif done.what == "S" and done.inode == self.folder.stat().st_ino:
            for one in self.renamed:
                _rename(self.names, one)
            self.renamed.clear()
        elif done.what == "S":
            content = self.contents.setdefault(done.inode, bytearray())
            for one in self.written.pop(done.inode, ()):
                _write(content, one)

    def cut(self, chance: random.Random, into: Path) -> None:
        """Write into a folder what may be left when the power is gone now.

        What is synced is there. Of the rest each write, each sector of it and each name is there or not: the disk has
        written them in any order. `chance` of 0 to 1 decides how much came through.
        """
        share = chance.choice((0.0, 0.0, 0.3, 0.7, 1.0))
        names = dict(self.names)
        for one in self.renamed:
            if chance.random() < share:
                _rename(names, one)
        for path, inode in names.items():
            content = bytearray(self.contents.get(inode, b""))
            for one in self.written.get(inode, ()):
                for part in _sectors(one):
                    if chance.random() < share:
                        _write(content, part)
                    else:
                        self.lost += 1
            into.joinpath(Path(path).name).write_bytes(content)


def _sectors(done: Done) -> Iterator[Done]:
    """The parts of a write that a disk writes whole."""
    if done.what == "T":
        yield done
        return
    at, end = done.at, done.at + len(done.data)
    while at < end:
        after = min(end, (at // SECTOR + 1) * SECTOR)
        yield done._replace(at=at, data=done.data[at - done.at : after - done.at])
        at = after


def _write(content: bytearray, done: Done) -> None:
    size = done.at if done.what == "T" else max(len(content), done.at + len(done.data))
    del content[size:]
    content.extend(bytes(size - len(content)))
    if done.what == "W":
        content[done.at : done.at + len(done.data)] = done.data


def _rename(names: dict[str, int], done: Done) -> None:
    if done.what == "U":
        names.pop(done.name, None)
    else:
        names[done.name] = done.inode
    if done.what == "R":
        names.pop(done.data.decode(), None)
