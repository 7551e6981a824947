"""What a notebook shows for a GAN."""

import html.parser

import keras

import kgan
from tests.helpers import compiled, patches, small_discriminator, small_gan, small_generator, translator


class Table(html.parser.HTMLParser):
    """The rows of a table, by their first cells, and its tags."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.row, self.tags = {}, [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.row = []
        elif tag in ("td", "th"):
            self.row.append("")

    def handle_data(self, data):
        if self.row and data.strip():
            self.row[-1] += data

    def handle_endtag(self, tag):
        if tag == "tr":
            self.rows[self.row[0]] = self.row[1:]


def test_both_players_and_the_rules():
    gan = compiled(
        small_gan(discriminator=lambda: small_discriminator(rate=0)),
        d_opt=keras.optimizers.Adam(4e-4, beta_1=0.5),
        g_opt=keras.optimizers.RMSprop(kgan.ramps.Cosine(1e-3, 1e-4, 100)),
        loss="hinge",
        penalties=[kgan.penalties.R1(0.5), "drift"],
        schedule=kgan.schedules.Alternating(d_steps=5),
        ema=0.99,
    )
    table = Table(gan._repr_html_())
    assert table.rows == {
        "": ["generator", "discriminator"],
        "name": [gan.generator.name, gan.discriminator.name],
        "input": ["(batch, 6)", "(batch, 8, 8, 1)"],
        "output": ["(batch, 8, 8, 1)", "(batch, 1)"],
        "parameters": [f"{6 * 24 + 4 * 24 + 25 * 64:,}", f"{65 * 24 + 4 * 24 + 25:,}"],
        "optimizer": [
            "RMSprop(learning_rate=Cosine(start=0.001, end=0.0001, steps=100))",
            "Adam(learning_rate=0.0004, beta_1=0.5, beta_2=0.999)",
        ],
        "condition": ["Unconditional"],
        "loss": ["Hinge"],
        "schedule": ["Alternating(d_steps=5)"],
        "penalties": ["R1(weight=0.5, every=1), Drift(weight=0.001, every=1)"],
        "ema": ["0.99"],
    }
    assert table.tags == {"table", "thead", "tbody", "tr", "th", "td"}


def test_a_gan_that_is_not_compiled_and_sees_images():
    table = Table(kgan.GAN(translator(3, 1), patches(1, 3), condition="pairs")._repr_html_())
    assert table.rows["input"] == ["(batch, 8, 8, 3)", "(batch, 8, 8, 1), (batch, 8, 8, 3)"]
    assert table.rows["condition"] == ["Pairs"] and table.rows["rules"] == ["not compiled"]
    assert "optimizer" not in table.rows


def test_names_of_the_user_are_escaped():
    table = Table(small_gan(generator=lambda: small_generator(name="<script>"))._repr_html_())
    assert table.rows["name"][0] == "<script>" and "script" not in table.tags


class Plain(keras.Model):
    """A player whose inputs Keras does not know."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, inputs):
        return self.dense(inputs)


def test_a_player_without_known_inputs():
    table = Table(kgan.GAN(Plain, lambda: small_discriminator((2,)), latent_dim=3)._repr_html_())
    assert table.rows["input"] == ["?", "(batch, 2)"] and table.rows["parameters"][0] == "8"
