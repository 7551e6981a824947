"""How far exports are from their generators: the table of docs/sharing.md.

python -m docs.exports      # twenty minutes on two cores; needs kgan[onnx], kgan[litert], kgan[openvino] and PyTorch

Every family of generators, small and with random weights, in every format, run by that format's own runtime.
"""

import pathlib
import tempfile

from kgan.exports import FORMATS, export
from tests.exported import GANS, made

PAGE = pathlib.Path(__file__).parent / "sharing" / "formats.md"


def main():
    formats = [name for name, form in FORMATS.items() if not form.weights_alone]
    lines = [f"| generator | {' | '.join(formats)} |", "|---" * (1 + len(formats)) + "|"]
    for name in GANS:
        gan, cells = made(name), []
        for form in formats:
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "made"
                record = export(gan, path, form, domain="b" if name == "two domains" else None)
            cells.append(f"{record['compared']['largest_difference']:.0e}")
            print(name, form, cells[-1], flush=True)
        lines.append(f"| {name} | {' | '.join(cells)} |")
    PAGE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
