"""The symptoms that docs/reading_losses.md shows: the doctor's table in words, with a picture of each disease.

python -m docs.symptoms                # the text alone
python -m docs.symptoms sick-runs      # pictures too, from what `python -m tests.sick_runs` left in that folder
"""

import pathlib
import sys

from kgan.doctor import BEFORE, RULES, VALUES
from tests.sick_runs.cases import CASES, PLUGIN

OUT = pathlib.Path(__file__).parent / "symptoms"
SIGNS = {"<": "below", ">": "above", "=": "is"}
IMAGES = 36


def text():
    """Markdown: a section for each rule, then what can be told before a training."""
    sections = [section(rule) for rule in RULES]
    rows = ["| level | what is told | where | try |", "|---|---|---|---|"]
    for rule in BEFORE:
        told = plain(rule.sentence)
        rows.append(f"| {rule.level} | {told} | {conditions(rule)} | {remedies(rule)} |")
    return "\n\n".join([*sections, "## Before a training", "\n".join(rows)]) + "\n"


def section(rule):
    lines = [f"### {rule.id}", f"{rule.level.capitalize()}. {plain(rule.sentence)}"]
    if (OUT / f"{rule.id}.png").exists():
        made = " ".join(f"`{one}`" for one in CASES[rule.id].settings if not one.startswith(("epochs", "steps")))
        lines.append(f"```{{image}} symptoms/{rule.id}.png\n:alt: Images of a training with {rule.id}\n```")
        lines.append(f"*`{CASES[rule.id].recipe}` with {made}.*")
    after = f", not before {rule.after} updates of the generator" if rule.after else ""
    times = f" in {rule.visits} visits one after the other{after}" if rule.visits > 1 else after
    lines.append(f"Found where {conditions(rule)}{times}. Try {remedies(rule)}. Source: {rule.source}.")
    known = [f"- `{name}`: {VALUES[name]}" for name in dict.fromkeys(name for name, *_ in rule.when)]
    lines.append("\n".join(known))
    return "\n\n".join(lines)


def plain(sentence):
    """The sentence with the names of values instead of numbers."""
    for name in VALUES | {"real_high": "", "step": "", "steps": ""}:
        for form in ("", ":.0%", ":.1%", ":.2f", ":.1f", ":.0f", ":.1g", ":.2g", ":g"):
            sentence = sentence.replace(f"{{{name}{form}}}", f"`{name}`")
    return sentence


def conditions(rule):
    return " and ".join(
        f"`{name}` {'is' if how == '=' else f'is {SIGNS[how]}'} {limit:g}" for name, how, limit in rule.when
    )


def remedies(rule):
    return ", ".join(f"`{one}`" if "=" in one else one for one in rule.remedies)


def draw(runs):
    """A grid of each sick run's images, of its newest checkpoint."""
    from kgan.runner import plugins, sampling

    plugins.load(PLUGIN)
    for name in CASES:
        run = runs / name / "seed-0"
        if (run / "checkpoints").exists() and any((run / "checkpoints").iterdir()):
            sampling.write(run, IMAGES, 0, OUT / f"{name}.png")


def main():
    OUT.mkdir(exist_ok=True)
    if len(sys.argv) > 1:
        runs = pathlib.Path(sys.argv[1])
        draw(runs)
        (OUT / "sick-runs.md").write_text((runs / "sick.md").read_text("utf-8"), "utf-8")
        if (runs / "healthy.md").exists():
            (OUT / "healthy.md").write_text((runs / "healthy.md").read_text("utf-8"), "utf-8")
    (OUT / "symptoms.md").write_text(text(), "utf-8")


if __name__ == "__main__":
    main()
