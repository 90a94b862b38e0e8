"""Starts one process from a small one, and says what it used: seconds, exit code, CPU, the most memory.

Linux counts the most that whoever starts a process ever held as the process's own; here that is less than what Python
takes by itself. `python -I -S launch.py SAID TOLD COMMAND …`, where the first two are files for the output.
"""

import json
import os
import sys
import time

said, told, *command = sys.argv[1:]
files = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for path in (said, told)]
began = time.perf_counter()
process = os.posix_spawnp(
    command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, file, at) for at, file in enumerate(files, 1)]
)
_, status, used = os.wait4(process, 0)
seconds = time.perf_counter() - began
json.dump([seconds, os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss], sys.stdout)
