"""Starts a command and reports its cost: a process of its own, because a process inherits the peak memory of its parent.

Usage: launch.py REPORT_FILE COMMAND...
"""

import json
import os
import sys
import time


def main(report: str, *command: str) -> None:
    began = time.monotonic()
    child = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(child, 0)
    figures = {
        "began": began,
        "wall_seconds": time.monotonic() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
    }
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123  pathlib costs memory, which children inherit
        json.dump(figures, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
