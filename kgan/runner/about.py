"""What `kgan env` says: versions, engine, devices, memory, disks and what is not installed, for reports of bugs."""

import importlib.metadata
import os
import pathlib
import shutil

from packaging.requirements import Requirement

from kgan import environment

VARIABLES = ("KERAS_", "KGAN_", "JAX_", "XLA_", "TF_CPP_", "TF_ENABLE_", "TF_XLA_", "CUDA_", "OMP_NUM_THREADS")
NOT_FOR_USERS = ("dev", "docs", "notebooks", "test")  # extras of who develops kgan


def described():
    """A dict of everything, for JSON."""
    from kgan import backend  # here, since the engine may be the problem

    engine = environment.engine()
    return {
        "versions": environment.versions(),
        **environment.machine(),
        "engine": engine["backend"],
        "devices": backend.devices() or ["cpu:0"],
        "memory": environment.memory_limit(),
        "free": {str(path): shutil.disk_usage(path).free for path in _folders()},
        "variables": {name: value for name, value in sorted(os.environ.items()) if name.startswith(VARIABLES)},
        "missing": missing(),
    }


def _folders():
    """The folders that kgan writes to, or the first of their parents that is there."""
    home = pathlib.Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    for path in (pathlib.Path.cwd(), home):
        yield next(one for one in (path, *path.parents) if one.exists())


def missing():
    """For each extra the packages that are not installed."""
    found: dict[str, list[str]] = {}
    metadata = importlib.metadata.metadata("kgan")
    requirements = [Requirement(text) for text in importlib.metadata.requires("kgan") or ()]
    for extra in metadata.get_all("Provides-Extra") or ():
        if extra in NOT_FOR_USERS:
            continue
        for one in requirements:
            if one.marker and one.marker.evaluate({"extra": extra}) and not one.marker.evaluate({"extra": ""}):
                try:
                    importlib.metadata.version(one.name)
                except importlib.metadata.PackageNotFoundError:
                    found.setdefault(extra, []).append(one.name)
    return found


def text(found):
    """The same as a list in Markdown."""
    versions = dict(found["versions"])
    engine = found["engine"]
    lines = [f"kgan {versions.pop('kgan', '?')}, Keras {versions.pop('keras')} on {engine} {versions.pop(engine, '?')}"]
    lines.append("devices: " + ", ".join(found["devices"]))
    lines.append(f"Python {found['python']}, {found['platform']}, {found['cores']} cores")
    lines.append("other packages: " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    lines.append(f"memory that a run may use: {found['memory'] / 2**30:.1f} GiB")
    lines.append("free: " + ", ".join(f"{free / 2**30:.1f} GiB in {path}" for path, free in found["free"].items()))
    if found["variables"]:
        lines.append("variables: " + ", ".join(f"{name}={value}" for name, value in found["variables"].items()))
    for extra, names in found["missing"].items():
        lines.append(f"not installed, of kgan[{extra}]: {', '.join(names)}")
    return "\n".join(f"- {line}" for line in lines)
