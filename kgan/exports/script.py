"""`infer.py`, which runs an export without kgan."""

from kgan.exports.sampler import LABELS, LATENTS


def script(form, sampler):
    """The text of `infer.py`.

    Args:
        form: `kgan.exports.formats.Format`.
        sampler: `kgan.exports.sampler.Sampler`.
    """
    what = "The weights" if form.weights_alone else "Images"
    said = f"{what} of {form.file}, written by kgan: export.json says which inputs there are."
    top = [f'"""{said}"""', "", "import pathlib", "", "import numpy as np", *filter(None, [form.imports])]
    top += ["", "HERE = pathlib.Path(__file__).parent"]
    if form.script.startswith("def"):
        top += ["", ""]
    end = ["", "", 'if __name__ == "__main__":']
    if form.weights_alone:
        end += ["    for name, values in weights().items():", "        print(name, values.shape, values.dtype)"]
    else:
        names = ", ".join(f"{one.name}={one.name}" for one in sampler.inputs)
        end += [f"    {line}" for one in sampler.inputs for line in _example(one, sampler)]
        end += [f'    np.save("images.npy", images({names}))']
    return "\n".join([*top, form.script.rstrip("\n"), *end]) + "\n"


def _example(one, sampler):
    """Lines that make an input."""
    count = 1 if sampler.condition.gives_images else 16
    if one.name == LATENTS:
        if sampler.latents == "uniform":
            return [f'latents = np.random.uniform(-1, 1, ({count}, {one.shape[0]})).astype("float32")']
        lines = [f'latents = np.random.standard_normal(({count}, {one.shape[0]})).astype("float32")']
        if sampler.latents not in ("normal", "sphere"):
            lines[0] += "  # in place of its own distribution"
        if sampler.latents == "sphere":
            lines.append("latents /= np.sqrt(np.mean(latents**2, axis=1, keepdims=True))")
        return lines
    if one.name == LABELS:
        return [f'labels = np.arange({count}, dtype="int32") % {len(sampler.condition.classes)}']
    shape = (count, *(sampler.sizes[0] or one.shape[:2]), one.shape[-1]) if len(one.shape) == 3 else (count, *one.shape)
    return [f'given = np.zeros({shape}, "{one.dtype}")  # in its place: {one.meaning}']
