"""Weight files of PyTorch as numpy arrays, on any engine."""

import pathlib


def read(path):
    """Read a state dict.

    Args:
        path: Path of a file that `torch.save(model.state_dict(), path)` wrote. No code in it is run.

    Returns:
        A dict of numpy arrays by name.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if PyTorch is not installed.
        ValueError: if it is not such a file.
    """
    path = pathlib.Path(path)
    try:
        import torch
    except ImportError:
        raise ImportError(f"PyTorch is needed to read {path}: pip install 'kgan[torch]'") from None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return {name: value.detach().numpy() for name, value in state.items()}
    except OSError:
        raise
    except Exception:  # a pickle, a zip archive, a truncated file: each raises its own error
        raise ValueError(f"`path` must be a PyTorch state dict, a file of tensors by name. Received: {path}") from None
