"""What good looks like: pictures of docs/recipes/pictures.md after some minutes of a training.

python -m docs.walk NAME RUN

The run was made with `--plugin tests/benchmarks/marks.py --set 'callbacks=[{name: marks, seconds: [600, 1800, 7200]}]'`.
"""

import pathlib
import sys

import numpy as np

from kgan import pictures

HERE = pathlib.Path(__file__).parent / "recipes" / "pictures"
ROWS, COLUMNS = 3, 16


def main(name, run):
    for path in sorted((run / "marks").glob("*.npy")):
        images = np.load(path, mmap_mode="r")[: ROWS * COLUMNS]
        minutes = round(int(path.stem) / 60)
        pictures.save(pictures.picture(images / 127.5 - 1.0, COLUMNS), HERE / f"{name}-{minutes}-minutes.png")


if __name__ == "__main__":
    main(sys.argv[1], pathlib.Path(sys.argv[2]))
