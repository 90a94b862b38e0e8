"""Work that is done in a copy of the process: what it gives, what goes wrong in it, and what is done without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from batch_issuer.forking import Beside, can_fork
from batch_issuer.problems import StoppedMidway

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")

SCRIPT = """
import os, threading
from batch_issuer.forking import Beside
from batch_issuer.problems import StoppedMidway

def where():
    return os.getpid()

def die():
    if os.getpid() != ours:
        os.kill(os.getpid(), 9)
    return "done here"

def fail():
    raise StoppedMidway("The disk {name} is full.", repair="Make room.", name="D")

ours = os.getpid()
many = len(os.sched_getaffinity(0)) > 1
with Beside(where) as work, Beside(where, worth=False) as here:
    assert (work.result() != ours) is many
    assert here.result() == ours
with Beside(die) as work:
    assert work.result() == "done here"
with Beside(fail) as work:
    try:
        work.result()
    except StoppedMidway as stop:
        print(stop)
        assert not many or "in fail" in stop.__notes__[0]
with Beside(where) as work:
    pass
end = threading.Event()
threading.Thread(target=end.wait).start()
with Beside(where) as work:
    assert work.result() == ours
end.set()
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("no children left")
"""


def test_a_copy_works_beside_us() -> None:
    """Its result and its exceptions come back; killed, or with other threads about, the work is done here."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "The disk D is full.\nMake room.\nno children left\n"


def test_interruptions_are_not_the_copys_affair() -> None:
    """Ctrl-C reaches every process of the terminal; who waits for the copy decides."""

    def interrupted() -> str:
        os.kill(os.getpid(), signal.SIGTERM)
        return "still here"

    copied = os.fork()
    if copied == 0:
        if not can_fork():
            os._exit(0)
        with Beside(interrupted) as work:
            os._exit(work.result() != "still here")
    assert os.waitpid(copied, 0)[1] == 0


def test_what_stops_it_keeps_its_words() -> None:
    """Exceptions of ours travel with their parameters."""

    def fail() -> None:
        raise StoppedMidway("No room in {path}.", path="reports")

    with Beside(fail) as work, pytest.raises(StoppedMidway, match="No room in reports"):
        work.result()
