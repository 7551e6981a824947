"""Packages that kgan's figures are held against."""

import functools
import sys
import types
import warnings

import pytest


@functools.cache
def torch_fidelity():
    """Return the package torch_fidelity, or skip the test where it or PyTorch is not installed.

    Of its modules there are `metric_fid`, `metric_isc`, `metric_kid`, `metric_prc`, `feature_extractor_inceptionv3` and
    `interpolate_compat_tensorflow`, as attributes. It imports torchvision for data sets and networks that no test uses:
    while it is imported, empty modules stand in for that.
    """
    pytest.importorskip("torch")
    names = "torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.transforms.functional"
    stand_ins = {name: types.ModuleType(name) for name in names}
    stand_ins["torchvision.datasets"].__dict__.update(CIFAR10=object, CIFAR100=object, STL10=object)
    before = {name: sys.modules[name] for name in names if name in sys.modules}
    sys.modules.update(stand_ins)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pytest.importorskip("torch_fidelity")
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules.update(before)
