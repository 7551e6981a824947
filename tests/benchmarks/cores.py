"""Processes side by side, as many at once as there are cores, each on a core of its own."""

import concurrent.futures
import os
import queue
import subprocess


def run(command, log, core=None, environment=None, may_fail=False):
    """Run a command, on one core if it is given, and write what it says to `log`.

    Raises:
        SystemExit: if it fails, and is not one that may.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    held = core is not None and hasattr(os, "sched_setaffinity")
    with log.open("w") as file:
        done = subprocess.run(
            command,
            env={**os.environ, **(environment or {})},
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=(lambda: os.sched_setaffinity(0, {core})) if held else None,
        )
    if done.returncode and not may_fail:
        raise SystemExit(f"A training failed; see {log}.")


def side_by_side(jobs):
    """Call each of these functions of a core, as soon as one is free."""
    cores: queue.SimpleQueue[int] = queue.SimpleQueue()
    for core in range(os.cpu_count() or 1):
        cores.put(core)

    def one(job):
        core = cores.get()
        try:
            job(core)
        finally:
            cores.put(core)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for task in [pool.submit(one, job) for job in jobs]:
            task.result()
