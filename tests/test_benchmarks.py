from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.parts import PARTS
from benchmarks.processes import PYTHON, Failed, Variant, run_process


def test_every_benchmark_still_runs(root: Path, tmp_path: Path) -> None:
    """Tiny sizes: each part starts its processes, gets its figures and writes its table."""
    results = tmp_path / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks", "--smoke", "--folder", str(tmp_path), "--output", str(results)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = results.read_text(encoding="utf-8")
    assert text.count("\n## ") >= len(PARTS)
    assert "nan" not in text


def test_what_is_measured_is_the_process_and_not_who_started_it(tmp_path: Path) -> None:
    held = bytearray(200 << 20)
    held[:: 1 << 10] = b"1" * len(held[:: 1 << 10])
    small = run_process(Variant(command=(PYTHON, "-c", "print(1)")), tmp_path)
    large = run_process(Variant(command=(PYTHON, "-c", "print(len(b'1' * (100 << 20)))")), tmp_path)
    assert small.said == "1\n"
    assert small.mebibytes < 60
    assert 100 < large.mebibytes < 200
    assert small.cpu > 0


def test_a_process_that_ends_otherwise_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="ended with 1:\nno room"):
        run_process(Variant(command=(PYTHON, "-c", "import sys; sys.exit('no room')")), tmp_path)
