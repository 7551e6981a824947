"""How good the images are after so many seconds: the documents' hand-written loops, and recipes of kgan.

python -m tests.benchmarks.time_to_quality mnist --data mnist.npz            # an hour on two cores
python -m tests.benchmarks.time_to_quality fashion --marks 10 20 --seeds 1 --samples 1000    # the short form
python -m tests.benchmarks.time_to_quality pictures --data twitter --judge cifar10/train     # three hours

Each training has a process of its own, one after the other on all cores, or with --side-by-side as many at once as there are
cores, each on one; the seconds count from its start, imports and compilation
too, and stop while images are generated for a mark. A training that has ended keeps its last images. All images are scored
alike in the end, against 10,000 training images: Frechet distance, precision and recall, seen with kgan's classifier of the
data, and with --judge also with a classifier of other pictures in folders of classes; nothing looks at the test split.
The recipe of that name in version 0.1.0 is in tests/benchmarks/before.
"""

import argparse
import functools
import json
import pathlib
import sys
import time

import numpy as np
from matplotlib.figure import Figure

from kgan import pictures
from kgan.runner.build import ENDLESS
from tests.benchmarks import cores
from tests.benchmarks.marks import BEGAN, Clock
from tests.command_line import KGAN

SHORT = [10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 450, 600]
# recipe: data, the documents' loops, marks, marks whose images are drawn
CASES = {
    "mnist": ("mnist", ["dcgan", "wgan-gp"], SHORT, [20, 60, 180, 600]),
    "fashion": ("fashion_mnist", ["dense", "wgan-gp"], SHORT, [20, 60, 180, 600]),
    "cifar10": ("cifar10", [], SHORT, [60, 180, 300, 600]),
    "pictures": (None, ["tensorflow", "torch"], [120, 300, 600, 1200, 1800], [120, 300, 600, 1800]),
}
METRICS = ["frechet_distance", "precision_recall"]
BEFORE = pathlib.Path(__file__).with_name("before")


def loop(name, data, path):
    """A function that takes a step, a function from latents to images, and the number of latents."""
    if data is None:
        from tests.benchmarks import dcgan64

        images = pictures_in(path)
        return *getattr(dcgan64, f"{name}_loop")(images), dcgan64.LATENT_DIM
    import keras

    from tests.benchmarks.subjects import tape_loop, wgan_gp_loop

    if path:
        images = np.load(path)["x_train"]
    else:
        (images, _), _ = getattr(keras.datasets, data).load_data()
    images = images[..., None]
    run, generator = wgan_gp_loop(images) if name == "wgan-gp" else tape_loop(name, images, 1)
    return run, lambda latents: generator.predict(latents, batch_size=256, verbose=0), generator.input_shape[1]


def pictures_in(path):
    """The pictures of a folder, all in memory, in the size that the recipe `pictures` trains on."""
    import kgan

    return np.asarray(kgan.data.load(path=path, size=64, channels=3).images)


def train_loop(name, data, path, folder, marks, samples):
    """Train a hand-written loop to the last mark, in this process."""
    run, generate, latent_dim = loop(name, data, path)
    latents = np.random.default_rng(0).normal(size=(samples, latent_dim)).astype("float32")
    clock = Clock(folder, marks, lambda: generate(latents))
    while not clock.over():
        run()


def train_all(arguments, data, out):
    """Train the loops once and the recipe with each seed; return the folders of images by what made them."""
    marks = [str(mark) for mark in arguments.marks]
    loop = [sys.executable, "-m", "tests.benchmarks.time_to_quality", arguments.case, "--marks", *marks]
    loop += ["--samples", str(arguments.samples), *(["--data", arguments.data] if arguments.data else [])]
    found, commands = {}, {}
    for name in arguments.loops:
        folder = out / f"{name}-loop"
        found[f"{name} loop"], commands[folder] = [folder], [*loop, "--loop", name, "--out", str(folder)]
    runs = {"recipe of 0.1.0": [(BEFORE / f"{arguments.case}.yaml", 0, out / "before-0")]} if arguments.before else {}
    recipe = arguments.recipe or arguments.case
    runs["kgan"] = [(recipe, seed, out / f"kgan-{seed}") for seed in range(arguments.seeds)]
    for name, trainings in runs.items():
        found[name] = [folder / "marks" for _, _, folder in trainings]
        commands |= {one[-1]: _command(arguments, *one) for one in trainings}
    jobs = [functools.partial(_run, command, folder) for folder, command in commands.items()]
    if arguments.side_by_side:
        cores.side_by_side(jobs)
    else:
        for job in jobs:
            job()
    return found


def _command(arguments, recipe, seed, folder):
    """The command that trains a recipe."""
    marks = ", ".join(map(str, arguments.marks))
    command = [*KGAN, "train", str(recipe), "--out", str(folder)]
    command += ["--plugin", str(pathlib.Path(__file__).with_name("marks.py"))]
    settings = [f"callbacks=[{{name: marks, seconds: [{marks}], samples: {arguments.samples}}}]", f"seed={seed}"]
    if recipe != "pictures":  # which has a length of its own, for which its rates are made
        settings += ["epochs=null", f"steps={ENDLESS}"]
    settings += [f"data.path={arguments.data}"] if arguments.data else []
    return [*command, *(word for one in settings for word in ("--set", one))]


def _run(command, folder, core=None):
    """Run a training whose images are not there yet."""
    if (folder / "done").exists():
        return
    print(" ".join(command), file=sys.stderr)
    # oneDNN for the loops as well: what is compared is how they train
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1", BEGAN: str(time.time())}
    cores.run(command, folder.with_suffix(".log"), core, variables)
    (folder / "done").touch()


def score_all(folders, data, path, marks, extractor="auto"):
    """From what made the images to an array of Frechet distance, precision and recall, `(runs, marks, 3)`."""
    import kgan

    if data is None:
        images, labels = pictures_in(path), None
    else:
        found = kgan.data.load(data, path=path)
        images, labels = found.images, found.labels
    scorer = kgan.scores.Scorer(images, labels, extractor, name=data or path)
    return {
        name: np.array(
            [
                [[score.value for score in scorer(np.load(folder / f"{mark:06.0f}.npy"), METRICS)] for mark in marks]
                for folder in runs
            ]
        )
        for name, runs in folders.items()
    }


def short(value):
    """Three digits, and no power of ten."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def table(scores, marks):
    """Markdown: a row for each mark, and how long the recipe takes to the loops' last scores."""
    names = list(scores)
    lines = ["| seconds | " + " | ".join(f"{name}: distance | recall" for name in names) + " |"]
    lines.append("|---" * (1 + 2 * len(names)) + "|")
    for index, mark in enumerate(marks):
        cells = [f"{mark:g}"]
        for name in names:
            distance, _, recall = scores[name][:, index].T
            spread = f" ({short(distance.min())} to {short(distance.max())})" if len(distance) > 1 else ""
            cells += [short(distance.mean()) + spread, f"{recall.mean():.2g}"]
        lines.append("| " + " | ".join(cells) + " |")
    ours = scores["kgan"][:, :, 0].max(0)  # the worst seed
    for name in names[:-1]:
        last = scores[name][0, -1, 0]
        passed = np.flatnonzero(ours <= last)
        when = (
            f"at {marks[passed[0]]:g} s, a speed of {marks[-1] / marks[passed[0]]:.3g}"
            if len(passed)
            else "not reached"
        )
        final = scores["kgan"][:, -1, 0].mean()
        lines.append(
            f"\nThe distance of the {name} at {marks[-1]:g} s, {short(last)}, by every seed of kgan: {when}. "
            f"kgan's at {marks[-1]:g} s is {short(final)}, {last / final:.3g} times less."
        )
    return "\n".join(lines)


def draw(scores, marks, path):
    """The curves of distance and recall against time."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    for axes, column, label in zip(figure.subplots(1, 2), (0, 2), ("Frechet distance", "recall"), strict=True):
        for name, runs in scores.items():
            values = runs[:, :, column]
            axes.fill_between(marks, values.min(0), values.max(0), alpha=0.25, linewidth=0)
            axes.plot(marks, values.mean(0), marker=".", label=name)
        axes.set(xscale="log", xlabel="seconds since the start of the process", ylabel=label)
        ticks = marks[:: -(-len(marks) // 6)]
        axes.set_xticks(ticks, [f"{mark:g}" for mark in ticks])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    figure.axes[0].set_yscale("log")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=len(scores))
    figure.savefig(path, dpi=100)


def show(folders, marks, shown, path):
    """What the images look like at some of the marks: a row for each maker, its first run's first images."""
    chosen = [mark for mark in shown if mark in marks] or [marks[0], marks[-1]]
    size = 2.2 * len(chosen), 2.4 * len(folders)
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subplots(len(folders), len(chosen), squeeze=False)
    for row, (name, runs) in zip(places, folders.items(), strict=True):
        for axes, mark in zip(row, chosen, strict=True):
            images = np.load(runs[0] / f"{mark:06.0f}.npy")[:36]
            axes.imshow(pictures.grid(images / 127.5 - 1.0), cmap="gray", interpolation="nearest")
            axes.set(xticks=[], yticks=[], title=f"{name}, {mark:g} s")
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--recipe", help="another recipe than that of the name")
    parser.add_argument("--loops", nargs="*", help="the documents' by default")
    parser.add_argument("--before", action=argparse.BooleanOptionalAction, default=True, help="the recipe of 0.1.0 too")
    parser.add_argument("--marks", nargs="+", type=float)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--data", help="a file where nothing can be downloaded, or the folder of pictures")
    parser.add_argument("--judge", help="a folder of classes of pictures, for a second extractor")
    parser.add_argument("--side-by-side", action="store_true", help="as many trainings at once as cores, each on one")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("time-to-quality"))
    parser.add_argument("--loop", help=argparse.SUPPRESS)  # to train it in this process
    arguments = parser.parse_args()
    data, loops, marks, shown = CASES[arguments.case]
    arguments.marks = arguments.marks or marks
    if arguments.loop:
        train_loop(arguments.loop, data, arguments.data, arguments.out, arguments.marks, arguments.samples)
        return
    arguments.loops = loops if arguments.loops is None else arguments.loops
    arguments.out.mkdir(parents=True, exist_ok=True)
    folders = train_all(arguments, data, arguments.out)
    show(folders, arguments.marks, shown, arguments.out / "images.png")
    extractors = {"": "auto"}
    if arguments.judge:
        import kgan

        others = kgan.data.load(path=arguments.judge)
        extractors["-judge"] = kgan.extractors.classifier(others.images, others.labels)
    for name, extractor in extractors.items():
        scores = score_all(folders, data, arguments.data, arguments.marks, extractor)
        text = table(scores, arguments.marks)
        print(text)
        (arguments.out / f"table{name}.md").write_text(text + "\n")
        draw(scores, arguments.marks, arguments.out / f"curves{name}.png")
        plain = {name: values.tolist() for name, values in scores.items()}
        (arguments.out / f"scores{name}.json").write_text(json.dumps({"marks": arguments.marks, **plain}, indent=1))


if __name__ == "__main__":
    main()
