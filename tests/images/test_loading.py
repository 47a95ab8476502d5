import struct
import zlib

import numpy as np
import pytest

from sklearn_alchemist.images import check_paths, content_key, load_image

Image = pytest.importorskip("PIL.Image")


def png_header(width, height):
    """A PNG that claims a size and holds nothing of it."""
    data = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + data
    packed = zlib.compress(b"\0")
    end = b"IDAT" + packed
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        + struct.pack(">I", len(packed)) + end + struct.pack(">I", zlib.crc32(end))
    )  # fmt: skip


def saved(folder, image, name="image.png", **options):
    path = folder / name
    image.save(path, **options)
    return str(path)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "CMYK", "YCbCr", "LA", "RGBA"])
def test_images_of_any_mode_become_rgb(tmp_path, mode):
    image = Image.new("RGB", (6, 5), "white").convert(mode)
    # Pillow 10 to 12 cannot read the YCbCr that it writes itself.
    if mode != "YCbCr":
        name = "image.tif" if mode == "CMYK" else "image.png"
        image = saved(tmp_path, image, name)
    image = load_image(image)
    assert (image.mode, image.size) == ("RGB", (6, 5))
    assert min(image.getpixel((2, 2))) > 250


def test_cmyk_keeps_its_colour(tmp_path):
    red = Image.new("RGB", (4, 4), "red").convert("CMYK")
    r, g, b = load_image(saved(tmp_path, red, "red.jpg")).getpixel((1, 1))
    assert r > 200
    assert max(g, b) < 60


def test_a_palette_with_transparency_lies_on_white(tmp_path):
    image = Image.new("P", (4, 4), 0)
    image.putpalette([0, 0, 0, 10, 20, 30])
    image.putpixel((0, 0), 1)
    path = saved(tmp_path, image, transparency=0)
    loaded = load_image(path)
    assert loaded.getpixel((0, 0)) == (10, 20, 30)
    assert loaded.getpixel((3, 3)) == (255, 255, 255)


def test_sixteen_bits_are_brought_to_eight(tmp_path):
    levels = np.array([[0, 32768, 65535]], np.uint16)
    image = load_image(saved(tmp_path, Image.fromarray(levels)))
    assert [image.getpixel((i, 0))[0] for i in range(3)] == [0, 128, 255]


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    path = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert load_image(path).getpixel((0, 0)) == (255, 0, 0)


def test_the_orientation_of_the_camera_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, Image.new("RGB", (8, 4)), "turned.jpg", exif=exif)
    assert load_image(path).size == (4, 8)


def test_large_images_are_brought_down(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (5000, 100), "red"), "wide.jpg")
    image = load_image(path)
    assert max(image.size) <= 2048
    assert image.getpixel((5, 5))[0] > 250


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "bomb.png"
    for side in (9_000, 60_000):
        path.write_bytes(png_header(side, side))
        with pytest.raises(ValueError, match="more than 64,000,000 pixels"):
            load_image(path)


def test_a_truncated_image_says_so(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path = tmp_path / "cut.png"
    Image.fromarray(noise).save(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ValueError, match="cannot be decoded"):
        load_image(path)


def test_what_is_no_image_says_so(tmp_path):
    path = tmp_path / "text.png"
    path.write_text("no image")
    with pytest.raises(ValueError, match="no image format"):
        load_image(path)


@pytest.mark.parametrize(
    "pixels",
    [
        np.full((3, 2, 3), 0.5),
        np.full((3, 2), 128, np.int64),
        np.full((3, 2, 4), 128, np.uint8),
        np.ones((3, 2), bool),
    ],
)
def test_arrays_of_pixels_are_images(pixels):
    assert load_image(pixels).size == (2, 3)


@pytest.mark.parametrize(
    ("pixels", "message"),
    [
        (np.zeros((3, 2, 5), np.uint8), "is no image"),
        (np.zeros((0, 2, 3), np.uint8), "is no image"),
        (np.zeros(7), "is no image"),
        (np.full((3, 2), 300), "neither integers"),
        (np.full((3, 2), np.nan), "neither integers"),
        (np.full((3, 2), "x"), "neither integers"),
        (np.broadcast_to(np.uint8(0), (9000, 9000)), "more than"),
    ],
)
def test_arrays_that_are_no_image_say_why(pixels, message):
    with pytest.raises(ValueError, match=message):
        load_image(pixels)


def test_paths_are_checked_before_anything_is_read(tmp_path):
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(FileNotFoundError, match=r"position 0.*does not exist"):
        check_paths([tmp_path / "missing.png"])
    with pytest.raises(ValueError, match="is a folder"):
        check_paths([tmp_path])
    with pytest.raises(ValueError, match=r"empty \(0 bytes\)"):
        check_paths([str(empty)])
    with pytest.raises(TypeError, match="is float, not str or Path"):
        check_paths([0.5])
    with pytest.raises(ValueError, match=r"position 0.*is no path"):
        check_paths(["nul\0"])


def test_content_is_told_apart_whatever_it_is_called(tmp_path):
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    one, other = saved(tmp_path, red, "1.png"), saved(tmp_path, red, "2.png")
    assert content_key(one) == content_key(other)
    assert content_key(red) != content_key(blue)
    assert content_key(np.zeros((2, 3))) != content_key(np.zeros((3, 2)))


def test_palettes_belong_to_the_content():
    one, other = (Image.new("P", (4, 4), 0) for _ in range(2))
    one.putpalette([255, 0, 0])
    other.putpalette([0, 0, 255])
    assert content_key(one) != content_key(other)


def oriented(orientation):
    image = Image.new("RGB", (4, 2), "red")
    image.putpixel((0, 0), (0, 0, 255))
    image.getexif()[0x0112] = orientation
    return image


def transparent(colour):
    image = Image.new("RGB", (4, 4), "red")
    image.info["transparency"] = colour
    return image


def see_through(alpha):
    image = Image.new("P", (4, 4), 0)
    image.putpalette([255, 0, 0, alpha], "RGBA")
    return image


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (oriented(1), oriented(3)),
        (transparent((255, 0, 0)), transparent((0, 0, 255))),
        (see_through(0), see_through(255)),
        (Image.new("1", (4, 4), 0), Image.new("1", (4, 4), 1)),
        (np.zeros((4, 4), bool), np.ones((4, 4), bool)),
    ],
)
def test_all_that_changes_the_pixels_belongs_to_the_content(one, other):
    assert load_image(one).tobytes() != load_image(other).tobytes()
    assert content_key(one) != content_key(other)


def test_what_gives_the_same_pixels_has_the_same_content():
    red = Image.new("RGB", (4, 4), "red")
    assert content_key(red) == content_key(np.asarray(red)) == content_key(red)
    assert content_key(oriented(1)) == content_key(oriented(1))
