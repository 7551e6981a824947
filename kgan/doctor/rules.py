"""All symptoms that the doctor knows: what is measured, the threshold, how often it must be seen, and what to try.

A rule speaks of the values of a visit, which `kgan.doctor.history` computes. It holds when all its conditions hold, in so
many visits one after the other, of those that have its values; so a rule some of whose values are not known in a run does
not apply to it. The page docs/reading_losses.md is made from this table.
"""

import dataclasses
import operator

# what the rules speak of; images are at most 64 generated and as many real ones
VALUES = {
    "finite": "1 if all losses, weights and images are finite, 0 if not",
    "real_low": "the smallest value of the real images, as the discriminator sees them",
    "range_low": "the lower end of the generator's range, -1 or 0",
    "growth": "root mean square of a player's kernels, divided by that at the beginning; the larger of both players'",
    "growth_power": "the logarithm of `growth`, divided by that of the step: 0.5 for a random walk",
    "d_real_accuracy": "share of the real images that the discriminator calls real",
    "d_fake_accuracy": "share of the generated images that the discriminator calls generated",
    "g_accuracy": "share of the generated images that the discriminator calls real",
    "d_best": "the largest mean of both accuracies so far",
    "slope_left": "norm of the gradient of the generator's loss with respect to an image, divided by the largest so far",
    "overfit": "(D(seen) - D(unseen)) / (D(seen) - D(generated)), of real images; needs validation data",
    "spread": "mean distance of two generated images, divided by that of two real ones; within classes, if there are some",
    "spread_left": "`spread`, divided by the largest so far",
    "spread_best": "the largest `spread` so far",
    "recall_lost": "how much recall is below its best where precision was at least 0.8 of what it is; needs the score "
    "`precision_recall`",
    "duplicates": "share of the generated images that are nearer to another one than half the distance of the two nearest "
    "real ones",
    "copied": "median distance of a generated image to its nearest training image, divided by that of a real one",
    "swing": "how often the generator's loss turns, times the mean change, divided by its mean size; over 8 visits",
    "saturated": "share of the generated values that lie at an end of the range",
    "saturated_more": "`saturated`, divided by that of real images",
    "still": "share of an image's values that are the same in all generated images",
    "still_real": "the same of real images",
    "checkerboard_more": "share of the details that alternate from pixel to pixel, divided by that of real images",
    "behind": "distance of the averaged generator's images to the trained one's, divided by that of two real images",
    "augment_p": "the probability of ADA's augmentation",
    "at_bound": "share of the discriminator's weights that lie at the bound of the clipping",
    "class_gap": "distance of two images of the same latents and two classes, divided by that of other latents, one class",
    "d_rate": "the discriminator's learning rate, of optimizers that divide by the gradient's size",
    "g_rate": "the generator's",
    "ema_reach": "five times the steps that the average reaches back, divided by those of the training",
    "packs": "how many packs of images a batch has",
    "uneven_kernels": "number of transposed convolutions whose stride does not divide the size of their kernel",
    "r1_ratio": "the weight of R1, divided by 1 for 32 x 32 pixels in batches of 32, in proportion to pixels / batch",
}

COMPARE = {"<": operator.lt, ">": operator.gt, "=": operator.eq}

ADA = "Karras et al., arXiv:2006.06676"
R1 = "Mescheder et al., arXiv:1801.04406"
GANHACKS = "Chintala et al., How to Train a GAN, https://github.com/soumith/ganhacks"
PROBLEMS = "https://developers.google.com/machine-learning/gan/problems"


@dataclasses.dataclass(frozen=True)
class Rule:
    """One symptom.

    Attributes:
        id: Its name.
        level: `"info"`, `"warning"` or `"error"`.
        when: Tuples of the name of a value, one of `<`, `>`, `=`, and the threshold.
        visits: Integer. In how many visits one after the other.
        sentence: What it means, with the names of values in braces.
        remedies: What to try, as keys of a recipe.
        source: Where the symptom, its threshold and its remedy come from; "measured" where the threshold was chosen on
            kgan's own runs, see `tests/sick_runs`.
        after: Integer. The number of the generator's updates before which it does not apply.
    """

    id: str
    level: str
    when: tuple
    visits: int
    sentence: str
    remedies: tuple[str, ...]
    source: str
    after: int = 0

    def is_known(self, values):
        """Whether a visit has all values that the conditions ask for."""
        return all(name in values for name, *_ in self.when)

    def holds(self, values):
        """Whether all conditions hold in a visit that has their values."""
        return values.get("g_updates", values["step"]) >= self.after and all(
            COMPARE[how](values[name], threshold) for name, how, threshold in self.when
        )


RULES = (
    Rule(
        "not-finite",
        "error",
        (("finite", "=", 0.0),),
        1,
        "A loss, a weight or an image is NaN or infinite: an update was too large.",
        ("optimizers.discriminator.learning_rate=1e-4", "optimizers.generator.learning_rate=1e-4"),
        R1,
    ),
    Rule(
        "wrong-range",
        "warning",
        (("real_low", ">", -0.05), ("range_low", "<", 0.0)),
        1,
        "All real values lie in [{real_low:.2f}, {real_high:.2f}], and the generator's range is [-1, 1]: the discriminator "
        "can tell images apart by their range alone.",
        ("scale the data by 2 * x - 1",),
        GANHACKS,
    ),
    Rule(
        "exploding",
        "error",
        (("growth", ">", 2.0), ("growth_power", ">", 0.2)),
        1,
        "The weights of a player are {growth:.1f} times as large after {step:.0f} steps as at the beginning: the updates "
        "are too large.",
        ("optimizers.discriminator.learning_rate=2e-4", "optimizers.generator.learning_rate=2e-4", "penalties=[r1]"),
        "measured; " + GANHACKS,
    ),
    Rule(
        "d-wins",
        "warning",
        (("d_real_accuracy", ">", 0.99), ("d_fake_accuracy", ">", 0.99)),
        3,
        "The discriminator is right on {d_real_accuracy:.1%} of the real and {d_fake_accuracy:.1%} of the generated images, "
        "and has been for some time: the generator learns little from it.",
        ("penalties=[r1]", "optimizers.discriminator.learning_rate=1e-4", "loss=non_saturating"),
        R1 + "; " + PROBLEMS,
        300,
    ),
    Rule(
        "g-gradient-vanishes",
        "warning",
        (("slope_left", "<", 1e-3),),
        2,
        "The gradient of the generator's loss with respect to its images is {slope_left:.1g} of the largest one so far.",
        ("loss=non_saturating", "penalties=[r1]"),
        "Arjovsky and Bottou, arXiv:1701.04862",
        200,
    ),
    Rule(
        "d-overfits",
        "warning",
        (("overfit", ">", 0.5),),
        3,
        "The discriminator rates real images that it was not trained on {overfit:.0%} of the way down to generated ones: it "
        "memorises the training images.",
        ("augment=ada", "data.flip=true", "penalties=[r1]"),
        ADA,
        300,
    ),
    Rule(
        "collapse",
        "error",
        (("spread", "<", 0.1),),
        2,
        "The generated images are all nearly the same: they differ by {spread:.1%} of what real images differ by.",
        ("discriminator.minibatch_std=true", "pack=2", "penalties=[r1]", "resume from an earlier checkpoint"),
        "Karras et al., arXiv:1710.10196; Lin et al., arXiv:1712.04086",
        200,
    ),
    Rule(
        "sudden-collapse",
        "error",
        (("spread_left", "<", 0.25), ("spread_best", ">", 0.5)),
        2,
        "The generated images were diverse, and are not any more: they differ by {spread_left:.0%} of what they did.",
        ("go back to the checkpoint before it", "penalties=[r1]", "ema=0.999"),
        "Brock et al., arXiv:1809.11096",
    ),
    Rule(
        "mode-drop",
        "warning",
        (("recall_lost", ">", 0.1),),
        2,
        "Recall is {recall_lost:.2f} lower than it was at a like precision: the generator drops kinds of images.",
        ("pack=2", "discriminator.minibatch_std=true", "num_classes=auto"),
        "Kynkäänniemi et al., arXiv:1904.06991; Lin et al., arXiv:1712.04086",
    ),
    Rule(
        "duplicates",
        "warning",
        (("duplicates", ">", 0.1), ("spread", ">", 0.5)),
        2,
        "{duplicates:.0%} of the generated images nearly equal another one among so few: the generator knows few images.",
        ("discriminator.minibatch_std=true", "pack=2"),
        "Arora and Zhang, arXiv:1706.08224",
        200,
    ),
    Rule(
        "memorises",
        "warning",
        (("copied", "<", 0.4), ("spread", ">", 0.1)),
        2,
        "Generated images are {copied:.2f} times as far from their nearest training image as real ones from each other: "
        "they are copies.",
        ("augment=ada", "more images", "stop earlier"),
        "Meehan et al., arXiv:2004.05675",
    ),
    Rule(
        "oscillates",
        "warning",
        (("swing", ">", 0.5),),
        3,
        "The players' losses swing by {swing:.0%} of their size and do not settle.",
        ("penalties=[r1]", "optimizers.generator.beta_1=0", "ema=0.999"),
        R1,
        500,
    ),
    Rule(
        "saturated",
        "warning",
        (("saturated", ">", 0.5), ("saturated_more", ">", 2.0)),
        2,
        "{saturated:.0%} of the generated values lie at an end of the range, {saturated_more:.1f} times as many as of the "
        "real ones: the generator's last layer is saturated.",
        ("optimizers.generator.learning_rate=1e-4",),
        "measured",
        100,
    ),
    Rule(
        "dead-generator",
        "error",
        (("still", ">", 0.99), ("still_real", "<", 0.9)),
        2,
        "{still:.0%} of the pixels are the same for all latents: the generator does not use its input.",
        ("optimizers.generator.learning_rate=2e-4", "generator.slope=0.2"),
        "measured",
        100,
    ),
    Rule(
        "d-does-not-learn",
        "warning",
        (("d_best", "<", 0.6),),
        4,
        "The discriminator has never been right on more than {d_best:.0%} of the images: it does not learn.",
        ("optimizers.discriminator.learning_rate=2e-4", "discriminator.filters=32"),
        "measured",
        300,
    ),
    Rule(
        "g-wins-with-garbage",
        "warning",
        (("d_fake_accuracy", "<", 0.05), ("g_accuracy", ">", 0.9)),
        3,
        "The discriminator takes {g_accuracy:.0%} of the generated images for real ones, whatever they look like.",
        (
            "schedule={name: alternating, d_steps: 2}",
            "optimizers.discriminator.learning_rate=4e-4",
            "penalties.0.weight=0.1",
        ),
        GANHACKS,
        300,
    ),
    Rule(
        "checkerboard",
        "warning",
        (("checkerboard_more", ">", 3.0),),
        3,
        "Generated images alternate from pixel to pixel {checkerboard_more:.0f} times as much as real ones do.",
        ("generator.kernel_size=4",),
        "Odena et al., https://distill.pub/2016/deconv-checkerboard",
        300,
    ),
    Rule(
        "ema-lags",
        "warning",
        (("behind", ">", 1.0),),
        2,
        "The averaged generator's images are as far from the trained one's as two images are apart: its average reaches "
        "back too far for this length.",
        ("ema=0.99",),
        "Karras et al., arXiv:1912.04958",
        200,
    ),
    Rule(
        "augmentation-leaks",
        "warning",
        (("augment_p", ">", 0.8),),
        3,
        "The augmentation's probability is {augment_p:.2f}: above 0.8 the generator learns to make augmented images.",
        ("augment.target=0.5", "more images"),
        ADA,
    ),
    Rule(
        "bound-broken",
        "warning",
        (("at_bound", ">", 0.85),),
        3,
        "{at_bound:.0%} of the discriminator's weights lie at the bound of the clipping: it can hardly be more than a sum.",
        ("penalties=[gradient_penalty]", "tricks=[]"),
        "Gulrajani et al., arXiv:1704.00028",
        200,
    ),
    Rule(
        "class-ignored",
        "warning",
        (("class_gap", "<", 0.1),),
        3,
        "Images of two classes differ by {class_gap:.1%} of what images of one class differ by: the class has no effect.",
        ("discriminator.conditioning=projection",),
        "Miyato and Koyama, arXiv:1802.05637",
        500,
    ),
)

# of a training that has not begun
BEFORE = (
    next(rule for rule in RULES if rule.id == "wrong-range"),
    *(
        Rule(
            "exploding",
            "warning",
            ((f"{letter}_rate", ">", 0.02),),
            1,
            f"The learning rate of the {player}, {{{letter}_rate:g}}, is larger than optimizers like Adam bear.",
            (f"optimizers.{player}.learning_rate=2e-4",),
            GANHACKS,
        )
        for letter, player in (("d", "discriminator"), ("g", "generator"))
    ),
    Rule(
        "ema-lags",
        "warning",
        (("ema_reach", ">", 1.0),),
        1,
        "The averaged generator reaches back {ema_reach:.1f} times as far as this training of {steps:.0f} steps is long.",
        ("ema=0.99", "a longer training"),
        "Karras et al., arXiv:1912.04958",
    ),
    Rule(
        "mode-drop",
        "info",
        (("packs", "<", 4.0),),
        1,
        "The discriminator sees {packs:.0f} examples in a step, with packing and the batch size as they are: too few to see "
        "what the generator leaves out.",
        ("data.batch_size=32",),
        "Lin et al., arXiv:1712.04086",
    ),
    Rule(
        "checkerboard",
        "info",
        (("uneven_kernels", ">", 0.0),),
        1,
        "{uneven_kernels:.0f} transposed convolutions of the generator have kernels that their stride does not divide; this "
        "leaves a pattern of squares in images.",
        ("generator.kernel_size=4",),
        "Odena et al., https://distill.pub/2016/deconv-checkerboard",
    ),
    Rule(
        "d-wins",
        "info",
        (("r1_ratio", "<", 0.01),),
        1,
        "R1 is {r1_ratio:.2g} times as strong as is usual for images of this size in batches of this size.",
        ("penalties.0.weight=auto",),
        ADA,
    ),
    Rule(
        "d-does-not-learn",
        "info",
        (("r1_ratio", ">", 1000.0),),
        1,
        "R1 is {r1_ratio:.0f} times as strong as is usual for images of this size in batches of this size.",
        ("penalties.0.weight=auto",),
        ADA,
    ),
)
