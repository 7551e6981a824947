"""Versions, engine, devices and machine: what the results of a run depend on besides its recipe."""

import ctypes
import importlib.metadata
import os
import pathlib
import platform

from joblib import cpu_count

import kgan


def versions():
    """Versions of the packages that the results of a run depend on, by name."""
    found = {"kgan": kgan.__version__}
    for package in ("keras", "numpy", "tensorflow", "jax", "torch"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def engine():
    """The engine that trains: its name in Keras, and how many devices it uses."""
    from kgan import backend  # here, so that `kgan env` and lists load no framework

    return {"backend": backend.NAME, "devices": max(1, len(backend.devices()))}


def machine():
    """Python and the machine."""
    return {"python": platform.python_version(), "platform": platform.platform(), "cores": cpu_count()}


def memory_limit(root="/"):
    """The bytes of memory that this process may use: the machine's, or fewer if a container or a service is limited.

    Args:
        root: Path. The folder in which `proc` and `sys` are looked for.

    Returns:
        An integer: the smallest of the machine's memory and the limits of the process' control group and its parents.
    """
    return min([_machine_memory(), *_group_limits(pathlib.Path(root))]) // _processes_here()


def _processes_here():
    """How many processes of one training a launcher has started on this machine: torchrun, SLURM's srun, Open MPI."""
    names = "LOCAL_WORLD_SIZE", "SLURM_NTASKS_PER_NODE", "OMPI_COMM_WORLD_LOCAL_SIZE"
    return max(int(os.environ[name]) if os.environ.get(name, "").isdigit() else 1 for name in names)


def _machine_memory():
    """The bytes of the machine's memory; 4 GiB if that is not known."""
    try:
        known = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        known = 0
    if known <= 0 and hasattr(ctypes, "windll"):
        kilobytes = ctypes.c_ulonglong()
        ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))  # leaves 0 if it fails
        known = 1024 * kilobytes.value
    return known if known > 0 else 2**32


def _group_limits(root):
    """Yield the limits of the control groups that this process is in, of version 2 and 1, from the innermost outwards."""
    try:
        groups = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return  # not Linux
    for line in groups:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        mounted, file = (
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes") if controllers else ("sys/fs/cgroup", "memory.max")
        )
        group = pathlib.PurePosixPath(path)
        for folder in (
            group,
            *group.parents,
        ):  # in a container the path may be the host's, and only the last one is there
            try:
                yield int((root / mounted / folder.relative_to("/") / file).read_text())
            except (OSError, ValueError):  # not there, or "max"
                continue
