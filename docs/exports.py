"""How far exports are from their generators: the table of docs/sharing.md.

python -m docs.exports      # twenty minutes on two cores; needs kgan[onnx], kgan[litert], kgan[openvino] and PyTorch

Every family of generators, small and with random weights, in every format, run by that format's own runtime. What the page
has already is not made again.
"""

import pathlib
import tempfile

from kgan.exports import FORMATS, export
from tests.exported import GANS, made

PAGE = pathlib.Path(__file__).parent / "sharing" / "formats.md"


def main():
    formats = [name for name, form in FORMATS.items() if not form.weights_alone]
    lines = [f"| generator | {' | '.join(formats)} |", "|---" * (1 + len(formats)) + "|"]
    there = PAGE.read_text().splitlines() if PAGE.exists() else []
    known = {line.split(" | ")[0].removeprefix("| "): line for line in there[2:]}
    for name in GANS:
        lines.append(known.get(name) or f"| {name} | {' | '.join(apart(name, form) for form in formats)} |")
        PAGE.write_text("\n".join(lines) + "\n")


def apart(name, form):
    """The largest difference of a generator's export in that format."""
    with tempfile.TemporaryDirectory() as folder:
        record = export(made(name), pathlib.Path(folder) / "made", form, domain="b" if name == "two domains" else None)
    said = f"{record['compared']['largest_difference']:.0e}"
    print(name, form, said, flush=True)
    return said


if __name__ == "__main__":
    main()
