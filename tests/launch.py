"""Starts trainings of `tests.together` on several devices and in several processes, and compares what they leave."""

import os
import pathlib
import socket
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent


def environment(engine, devices=1, **more):
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    of_jax = {"JAX_NUM_CPU_DEVICES": str(devices)} if devices > 1 else {}
    return {**os.environ, "KERAS_BACKEND": engine, **of_jax, **quiet, **more}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def torchrun(*command):
    """The command that starts two processes on PyTorch."""
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *command]


def started(commands, environments, **options):
    return [
        subprocess.Popen(command, env=one, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
        for command, one in zip(commands, environments, strict=True)
    ]


def of_two_processes(port):
    """What tells each of two processes on JAX that they belong together."""
    common = {"KERAS_DISTRIBUTION_JOB_ADDRESSES": f"127.0.0.1:{port}", "KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}
    return [environment("jax", **common, KERAS_DISTRIBUTION_PROCESS_ID=str(index)) for index in range(2)]


def start(folder, cases, engine, devices=1, processes=1, options=()):
    words = ["-m", "tests.together", str(folder), *cases, *options]
    if engine == "torch" and processes > 1:
        return started([torchrun(*words)], [environment(engine)])
    command = [sys.executable, *words, "--devices", str(devices)]
    if processes > 1:
        return started([command] * processes, of_two_processes(free_port()))
    return started([command], [environment(engine, devices)])


def train(folder, cases, *args, **kwargs):
    """Train cases in new processes; return all variables of each, a dict by the case and the variable's name."""
    said = [(one.communicate()[0], one.returncode) for one in start(folder, cases, *args, **kwargs)]
    assert not any(code for _, code in said), "\n".join(text for text, _ in said)
    return read(folder, cases)


def read(folder, names):
    found = {}
    for name in names:
        with np.load(folder / f"{name}.npz") as arrays:
            found[name] = dict(arrays)
    return found


def difference(found, wanted):
    """The largest difference of any variable, as a share of the variable's largest value, and its name."""
    assert found.keys() == wanted.keys()
    return max(
        (float(np.abs(found[name] - one).max() / max(np.abs(one).max(), 1e-30)), name)
        for name, one in wanted.items()
        if one.size
    )


def identical(found, wanted):
    return all(np.array_equal(found[name], one) for name, one in wanted.items())


def of_two_on_torch(port):
    """The same for PyTorch, as torchrun says it, for processes that are started without it."""
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return [environment("torch", **common, RANK=str(index), LOCAL_RANK=str(index)) for index in range(2)]


def two_processes(engine, *arguments, cwd):
    """Start `kgan` with the same arguments in two processes that train together."""
    environments = {"jax": of_two_processes, "torch": of_two_on_torch}[engine](free_port())
    return started([[sys.executable, "-m", "kgan", *map(str, arguments)]] * 2, environments, cwd=cwd)
