"""The formats of exports: which engine makes each, what it needs, and the script that runs it without kgan."""

import importlib.metadata
import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        file: The name of the file or folder.
        engine: The engine that writes it, as Keras calls it; `None` for weights alone, which any does.
        needs: Modules that must be installed, by the name under which Python imports them.
        imports: What `infer.py` imports besides numpy.
        script: What it does: `images(**inputs)`, or for weights alone `weights()`.
        any_size: Whether its files take images of any height and width.
    """

    file: str
    engine: str | None
    needs: tuple[str, ...]
    imports: str
    script: str
    any_size: bool = True

    @property
    def weights_alone(self):
        return self.engine is None


FORMATS = {
    "onnx": Format(
        "generator.onnx",
        "tensorflow",
        ("tensorflow", "tf2onnx", "onnx", "onnxruntime"),
        "import onnxruntime",
        """session = onnxruntime.InferenceSession(HERE / "generator.onnx")


def images(**inputs):
    return session.run(["images"], inputs)[0]
""",
    ),
    "saved_model": Format(
        "saved_model",
        "tensorflow",
        ("tensorflow",),
        "import tensorflow as tf",
        """serve = tf.saved_model.load(HERE / "saved_model").signatures["serving_default"]


def images(**inputs):
    return serve(**{name: tf.constant(value) for name, value in inputs.items()})["images"].numpy()
""",
    ),
    "litert": Format(
        "generator.tflite",
        "tensorflow",
        ("tensorflow", "ai_edge_litert"),
        "from ai_edge_litert.interpreter import Interpreter",
        """run = Interpreter(str(HERE / "generator.tflite")).get_signature_runner()


def images(**inputs):
    return run(**inputs)["images"]
""",
    ),
    "openvino": Format(
        "generator.xml",
        "tensorflow",
        ("tensorflow", "openvino"),
        "import openvino",
        """model = openvino.Core().compile_model(HERE / "generator.xml", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def images(**inputs):
    return model(inputs)["images"]
""",
    ),
    "pt2": Format(
        "generator.pt2",
        "torch",
        ("torch",),
        "import torch",
        """module = torch.export.load(HERE / "generator.pt2").module()


def images(**inputs):
    with torch.no_grad():
        return module({name: torch.from_numpy(value) for name, value in inputs.items()})["images"].numpy()
""",
        any_size=False,  # what PyTorch traces of a U-Net holds for the sizes that it was traced with alone
    ),
    "npz": Format(
        "generator.npz",
        None,
        (),
        "",
        """def weights():
    with np.load(HERE / "generator.npz", allow_pickle=False) as file:
        return dict(file)
""",
    ),
    "safetensors": Format(
        "generator.safetensors",
        None,
        ("safetensors",),
        "from safetensors.numpy import load_file",
        """def weights():
    return load_file(HERE / "generator.safetensors")
""",
    ),
}


def versions(name):
    """The versions of the packages that a format needs, by name; those of one module may have several names."""
    packages = importlib.metadata.packages_distributions()
    found = sorted({package for module in FORMATS[name].needs for package in packages.get(module, ())})
    return {package: importlib.metadata.version(package) for package in found}


def check_installed(name):
    """Raise ValueError if a module that a format needs is not installed."""
    away = [module for module in FORMATS[name].needs if importlib.util.find_spec(module) is None]
    if away:
        raise ValueError(f"The format {name} needs {' and '.join(away)}: pip install 'kgan[{name}]'")
