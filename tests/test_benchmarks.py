from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.parts import PARTS


def test_every_benchmark_still_runs(root: Path, tmp_path: Path) -> None:
    """Tiny sizes: each part starts its processes, gets its figures and writes its table."""
    results = tmp_path / "RESULTS.md"
    command = [sys.executable, "-m", "benchmarks", "--smoke", "--folder", str(tmp_path), "--output", str(results)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    text = results.read_text(encoding="utf-8")
    assert text.count("\n## ") >= len(PARTS)
    assert "nan" not in text
