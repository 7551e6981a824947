"""Pictures in tar files: their order, what is left out, and what several processes and a resumed training read."""

import functools
import http.server
import io
import tarfile
import threading

import keras
import numpy as np
import pytest
from PIL import Image

import kgan
from kgan.callbacks import Checkpoint
from kgan.data import Shards
from tests.helpers import KilledError, Steps, largest_difference, small_gan, state


def picture(number):
    """A grey PNG of 8 x 8 whose pixels are its number."""
    file = io.BytesIO()
    Image.new("L", (8, 8), number).save(file, "PNG")
    return file.getvalue()


def add(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


@pytest.fixture
def folder(tmp_path):
    """Six files of ten pictures each: picture n is n bright, and of the class n % 3."""
    place = tmp_path / "shards"
    place.mkdir()
    for number in range(6):
        with tarfile.open(place / f"part-{number}.tar", "w") as archive:
            for n in range(10 * number, 10 * number + 10):
                add(archive, f"birds/{n:03d}.png", picture(n))
                add(archive, f"birds/{n:03d}.cls", str(n % 3).encode())
                add(archive, f"birds/{n:03d}.json", b"{}")
    return place


def shards(folder, **arguments):
    arguments = {"examples": 60, "batch_size": 6, "size": 8, "channels": 1, "lanes": 3, "kept": 4, **arguments}
    return Shards(folder, **arguments)


def numbers(batches):
    return [batch[0][:, 0, 0, 0].tolist() for batch in batches]


def test_an_epoch(folder):
    found = shards(folder, labels=True)
    assert len(found) == 10 and found.image_shape == (8, 8, 1)
    batches = [found[index] for index in range(10)]
    for images, labels in batches:
        assert images.shape == (6, 8, 8, 1) and images.dtype == np.uint8
        np.testing.assert_array_equal(images[:, 0, 0, 0] % 3, labels)
        assert (images == images[:, :1, :1]).all()
    seen = [number for batch in numbers(batches) for number in batch]
    # what four are kept among is not seen in every case, and something else is seen twice
    assert len(set(seen)) > 40 and max(map(seen.count, seen)) <= 2
    # two of each lane in a batch, and a lane reads the files that it was dealt
    of_lanes = [
        {number // 10 for batch in numbers(batches) for number in batch[2 * lane : 2 * lane + 2]} for lane in range(3)
    ]
    assert sorted(file for lane in of_lanes for file in lane) == list(range(6))


def test_the_order_is_a_function_of_seed_and_epoch(folder):
    found, again, other = (shards(folder, seed=seed) for seed in (1, 1, 2))
    first = numbers(found[index] for index in range(10))
    assert first == numbers(again[index] for index in range(10)) != numbers(other[index] for index in range(10))
    found.next_epoch()
    second = numbers(found[index] for index in range(10))
    assert second != first and second == numbers(shards(folder, seed=1, epoch=1)[index] for index in range(10))
    found.seek(0, 4)
    assert len(found) == 6 and numbers(found[index] for index in range(6)) == first[4:]
    assert numbers([found[3], found[1]]) == [first[7], first[5]]  # backwards too


def test_a_process_reads_its_own_lanes(folder, monkeypatch):
    whole = shards(folder, lanes=2)
    wanted = numbers(whole[index] for index in range(10))
    parts = []
    for index in range(2):
        opened = []
        monkeypatch.setattr(
            "kgan.data.shards._opened", lambda path, opened=opened: opened.append(path) or path.open("rb")
        )
        own = shards(folder, lanes=2)
        own.divide((index, 2), 2)
        parts.append(numbers(own[index] for index in range(10)))
        assert len(set(opened)) == 3
    joined = [[*one[:3], *other[3:]] for one, other in zip(*parts, strict=True)]
    assert joined == wanted and not any(any(batch[3:]) for batch in parts[0])
    with pytest.raises(
        ValueError, match="`lanes` of Shards must be a multiple of the number of processes, 4. Received: 2"
    ):
        own.divide((0, 4), 4)
    own.divide((0, 2), 4)  # packs of two, which would be separated
    assert numbers(own[index] for index in range(10)) == wanted


def test_what_cannot_be_decoded_is_left_out(folder, caplog):
    with tarfile.open(folder / "part-2.tar", "w") as archive:
        for n in range(20, 30):
            add(archive, f"birds/{n:03d}.png", b"no picture" if n % 2 else picture(n))
    found = shards(folder)
    whole = numbers(found[index] for index in range(10))
    assert not {21, 23, 25, 27, 29} & {number for batch in whole for number in batch}
    assert (
        f"{folder / 'part-2.tar'}: birds/021 cannot be read, and is left out" in caplog.text
        and len(found.left_out) <= 5
    )
    again = shards(folder)
    again.seek(0, 6)
    assert numbers(again[index] for index in range(4)) == whole[6:]  # although those before were not decoded


def test_files_of_a_server(folder, monkeypatch):
    monkeypatch.setattr("kgan.data.shards.time.sleep", lambda seconds: None)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        far = shards([f"{address}/part-{number}.tar" for number in range(6)])
        assert numbers(far[index] for index in range(3)) == numbers(shards(folder)[index] for index in range(3))
        with pytest.raises(OSError, match="404"):
            shards([f"{address}/none.tar"], lanes=1)[0]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.longer
def test_a_training_is_resumed_within_an_epoch(folder, tmp_path):
    def fit(name, *callbacks):
        keras.utils.set_random_seed(1)
        gan = small_gan()
        gan.compile("adam", "adam")
        gan.fit(
            shards(folder),
            epochs=2,
            verbose=0,
            callbacks=[Checkpoint(tmp_path / name, "3 steps", resume=True), *callbacks],
        )
        return state(gan)

    wanted = fit("a")
    with pytest.raises(KilledError):
        fit("b", Steps(kill_at=14))
    assert largest_difference(fit("b"), wanted) == 0.0


def test_what_is_wrong(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    with tarfile.open(tmp_path / "text.tar", "w") as archive:
        add(archive, "a.txt", b"a")
    for arguments, said in (
        ({"sources": tmp_path / "empty"}, "tar files, or a folder with some"),
        ({"sources": [tmp_path / "none.tar"]}, "tar files that are there. Received: .*none.tar"),
        ({"lanes": 4}, "`lanes` of Shards must divide the batch size, 6. Received: 4 lanes"),
        ({"examples": 5}, "`examples` of Shards must be"),
        ({"size": 0}, "`size` must be"),
    ):
        with pytest.raises(ValueError, match=said):
            shards(**{"folder": folder, **{"folder": arguments.pop("sources", folder)}, **arguments})
    with pytest.raises(OSError, match="text.tar: no picture in it"):
        shards([tmp_path / "text.tar"])[0]
    (tmp_path / "no.tar").write_bytes(b"not a tar file" * 100)
    with pytest.raises(OSError, match="no.tar"):
        shards([tmp_path / "no.tar"])[0]


def test_a_score_reads_apart_from_the_training(folder):
    found = shards(folder)
    before = numbers(found[index] for index in range(3))
    assert numbers(batch for batch, _ in zip(found, range(2), strict=False)) == before[:2]
    assert numbers([found[3]]) == numbers([shards(folder)[3]])
    images, labels = kgan.examples.images_of(found, 20, small_gan())
    assert images.shape == (20, 8, 8, 1) and labels is None
