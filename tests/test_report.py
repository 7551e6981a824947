"""The report of a run: what it shows, that it needs nothing from outside, and that foreign text stays text."""

import html.parser
import json
import os
import re
import shutil
import subprocess

import numpy as np
import pytest

from kgan import pictures
from kgan.data.spread import spread
from kgan.doctor import Finding
from kgan.report import contents, curves, page, read, write


class Reader(html.parser.HTMLParser):
    """Collects the addresses that a page names, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.addresses, self.words, self.quiet = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.quiet += tag in ("script", "style")
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]

    def handle_endtag(self, tag):
        self.quiet -= tag in ("script", "style")

    def handle_data(self, data):
        if not self.quiet:
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def run(tmp_path):
    """The directory of a run of 500 epochs with 40 grids, as the runner writes it."""
    directory = tmp_path / "digits-0001"
    directory.mkdir()
    rows = [
        {"epoch": epoch, "seconds": 0.5 * epoch, "d_loss": 1 + 1 / epoch, "g_loss": 0.7, "d_real_accuracy": 0.6,
         "d_fake_accuracy": 0.7, "r1": 0.1}
        for epoch in range(1, 501)
    ]  # fmt: skip
    (directory / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (directory / "resolved.yaml").write_text("name: <script>alert(1)</script>\nseed: 3\n")
    data = {"shape": [1797, 8, 8, 1], "from": "<b>bold</b>"}
    (directory / "environment.json").write_text(json.dumps({"command": ["kgan", "train", "digits"], "data": data}))
    found = Finding("collapse", "error", 3, 90, {"spread": 0.01}, "All are <i>the same</i>.", ("pack=2",), "a paper")
    (directory / "findings.jsonl").write_text(json.dumps(found.record()) + "\n")
    for epoch in range(1, 41):
        draw(directory, epoch, np.full((64, 28, 28, 1), epoch / 40 - 0.5))
    return directory


def draw(directory, epoch, images):
    pictures.save(pictures.grid(images, 8), directory / "samples" / f"epoch-{epoch:04d}.png")


def test_it_is_one_small_file_that_asks_for_nothing(run):
    random = np.random.default_rng(0)
    for epoch in range(1, 41):
        draw(run, epoch, random.uniform(-1, 1, (64, 28, 28, 1)))  # no picture takes more space
    text = page([read(run)])
    assert len(text.encode()) < 2_000_000
    reader = Reader(text)
    assert reader.addresses and all(one.startswith(("data:", "#")) for one in reader.addresses)
    assert not re.search(r"url\((?!#)|@import|http-equiv", text)
    assert text.count("<img") == contents.GRIDS
    assert "epoch-0001" in reader.text and "epoch-0040" in reader.text


def test_it_says_what_is_known(run):
    said = Reader(page([read(run)])).text
    for words in ("Stopped before its end, epoch 500, after 0:04:10", "898,500 images seen", "collapse", "pack=2"):
        assert words in said, words
    (run / "generator.keras").touch()
    assert "Done, epoch 500" in Reader(page([read(run)])).text
    (run / "findings.jsonl").write_text("")
    assert "The doctor found nothing, of" in Reader(page([read(run)])).text
    (run / "findings.jsonl").unlink()
    assert "did not examine" in Reader(page([read(run)])).text


def test_foreign_text_stays_text(run):
    text = page([read(run)])
    assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
    assert "<b>bold" not in text and "<i>the same" not in text


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    write([read(run)], tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == page([read(run)])


def test_it_reloads_itself_while_the_run_goes_on(run):
    text = page([read(run, "running")], reload=10)
    assert '<meta http-equiv="refresh" content="10">' in text and "Running, epoch 500" in Reader(text).text


def test_a_run_of_which_little_is_there(tmp_path):
    """It died before its first epoch ended."""
    (tmp_path / "resolved.yaml").write_text("name: digits\n")
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "seco')
    said = Reader(page([read(tmp_path)])).text
    assert "Stopped before its end." in said and "Curves" not in said


def test_several_runs_side_by_side(run, tmp_path):
    text = page([read(run), read(run)])
    assert text.count("<article>") == 2 and len(text.encode()) < 2_000_000


def test_the_curves_of_an_epoch_and_of_images(run):
    drawn = dict(curves.all_curves(read(run)))
    assert list(drawn) == ["Losses", "Accuracy of the discriminator", "Penalties, terms and schedules"]
    assert "thousand images seen" in drawn["Losses"] and "epoch" in drawn["Losses"]
    assert not re.search(r"<dc:date>|20\d\d-\d\d-\d\d", drawn["Losses"])


def test_pictures_are_spread_over_all_of_them():
    assert spread([1, 2, 3], 25) == [1, 2, 3]
    assert spread(list(range(101)), 5) == [0, 25, 50, 75, 100]


def test_real_images_stand_beside_the_generated_ones(run):
    assert page([read(run)]).count("<img") == contents.GRIDS
    pictures.save(pictures.grid(np.zeros((4, 8, 8, 1)), 2), run / "real.png")
    text = page([read(run)])
    assert "<figcaption>real images<" in text and text.count("<img") == contents.GRIDS + 1


def test_a_picture_that_was_drawn_again_is_read_again(run):
    """A report is written many times by one process, which keeps what it has encoded."""
    grid = run / "samples" / "epoch-0001.png"
    before = page([read(run)])
    assert page([read(run)]) == before
    written = grid.stat()
    pictures.save(pictures.grid(np.zeros((64, 28, 28, 1)), 8), grid)
    os.utime(grid, ns=(written.st_atime_ns, written.st_mtime_ns + 1))  # it stays the oldest
    assert page([read(run)]) != before


LOOK = """
<script>
const found = {}, film = document.querySelector(".film"), range = film.querySelector("input");
const seen = () => [...film.querySelectorAll("figure")].filter(one => one.offsetHeight).map(one => one.innerText.trim());
found.first = seen();
range.value = 3;
range.dispatchEvent(new Event("input"));
found.moved = seen();
found.slider = range.offsetHeight > 0;
found.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
document.body.innerHTML = "";
document.body.append("FOUND" + JSON.stringify(found) + "END");
</script>
"""


@pytest.mark.longer
@pytest.mark.skipif(not shutil.which("chromium"), reason="needs Chromium")
@pytest.mark.parametrize("width", [400, 1300])
def test_in_a_browser(run, tmp_path, width):
    """The slider moves, nothing is wider than the screen, no error is logged, and nothing is asked for from outside."""
    path = tmp_path / "looked-at.html"
    path.write_text(page([read(run)]).replace("</body>", f"{LOOK}</body>"), "utf-8")
    requests = tmp_path / "requests.json"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900", "--dump-dom"]
    command += ["--enable-logging=stderr", f"--log-net-log={requests}", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run([*command, path.as_uri()], capture_output=True, text=True, timeout=120)
    found = json.loads(re.search(r"FOUND(.*?)END", done.stdout)[1])
    assert found["first"] == ["epoch-0040"] and found["moved"] == ["epoch-0005"] and found["slider"]
    assert not found["wide"]
    assert not re.search(r"CONSOLE.*(error|refused|failed)", done.stderr, re.IGNORECASE)
    asked = set(re.findall(r'"url":"https?://([^/:"]+)', requests.read_text("utf-8")))
    assert all(host.endswith((".google.com", ".gvt1.com")) for host in asked), asked  # which the browser asks by itself
