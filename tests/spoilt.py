"""Real images spoilt step by step, as generators fail, and what each metric says of them.

python -m tests.spoilt docs/what_metrics_see.md
"""

import pathlib
import sys

import numpy as np

STEPS = {
    "noise": ("none", "sigma 20", "sigma 40", "sigma 80 of 255"),
    "blur": ("none", "3 x 3 mean", "twice", "three times"),
    "missing classes": ("none", "3 of 10", "6 of 10", "9 of 10"),
    "copies of one image": ("none", "30 %", "60 %", "all"),
}


def digits(images, labels):
    """From a fault to four sets of images, each of them half as many as there are, the first one as it was."""
    draw = np.random.default_rng(0)
    clean = images[::2]
    noise = draw.normal(size=clean.shape)

    def noisy(strength):
        return np.clip(np.rint(clean + strength * noise), 0, 255).astype("uint8")

    def blurred(times):
        blurry = clean.astype("float64")
        for _ in range(times):
            padded = np.pad(blurry, ((0, 0), (1, 1), (1, 1), (0, 0)), "edge")
            blurry = sum(padded[:, i : i + 8, j : j + 8] for i in range(3) for j in range(3)) / 9
        return np.rint(blurry).astype("uint8")

    def without(classes):
        kept = images[labels >= classes]
        return kept[np.arange(len(clean)) % len(kept)]

    def copies(share):
        return np.where((np.arange(len(clean)) < share * len(clean))[:, None, None, None], clean[:1], clean)

    return {
        "noise": [noisy(strength) for strength in (0, 20, 40, 80)],
        "blur": [blurred(times) for times in (0, 1, 2, 3)],
        "missing classes": [without(classes) for classes in (0, 3, 6, 9)],
        "copies of one image": [copies(share) for share in (0, 0.3, 0.6, 1.0)],
    }


def table():
    """Every metric of every fault and step, in Markdown; a metric sees a fault if it never gets better and ends worse."""
    from kgan import data, scores

    images, labels = data.digits()
    scorer = scores.Scorer(images, labels, name="digits")
    lines = []
    for fault, sets in digits(images, labels).items():
        scores = [scorer(some, scorer.suitable) for some in sets]
        lines += [f"| {fault} | {' | '.join(STEPS[fault])} | sees it |", "|---|---|---|---|---|---|"]
        for column in zip(*scores, strict=True):
            values = [score.value if score.better == "min" else -score.value for score in column]
            sees = values == sorted(values) and values[-1] > values[0]
            shown = " | ".join(f"{score.value:.3g}" for score in column)
            lines.append(f"| {column[0].title} | {shown} | {'**yes**' if sees else 'no'} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    pathlib.Path(sys.argv[1]).write_text(table())
