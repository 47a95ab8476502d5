"""Read images of any kind into 8-bit RGB, or say what is wrong with them."""

import hashlib
import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .._utils import as_path, check_file

if TYPE_CHECKING:
    from PIL.Image import Image

# Above it a small file may be meant to fill the memory; 8,000 x 8,000 pixels.
MAX_PIXELS = 64_000_000
# More than any vision-language model sees; a batch of such images fits into memory.
MAX_SIDE = 2048


def check_paths(paths: Sequence[Any]) -> list[str]:
    """Check that paths lead to files that are not empty, without reading them.

    Parameters
    ----------
    paths : sequence of str or path
        Paths of image files.

    Returns
    -------
    paths : list of str
        The same paths.

    Raises
    ------
    TypeError
        If something is no path.

    FileNotFoundError
        If there is no such file.

    ValueError
        If a path leads to anything but a file, such as a folder, or to an empty one.
    """
    for i, path in enumerate(paths):
        check_path_type(i, path)
        try:
            found = as_path(path)
            check_file(found)
        except (FileNotFoundError, ValueError) as error:
            raise type(error)(
                f"the image at position {i} cannot be opened: {error}."
            ) from None
        if found.stat().st_size == 0:
            raise ValueError(
                f"the image at position {i}, {os.fspath(path)!r}, is empty (0 bytes)."
            )
    return [os.fspath(path) for path in paths]


def check_path_type(position: int, path: Any) -> None:
    """Raise where something is no path.

    Parameters
    ----------
    position : int
        Where it is, for the message.

    path : object
        What is given.

    Raises
    ------
    TypeError
        If it is neither a str nor a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(
            f"the path at position {position} is {type(path).__name__}, not str or "
            "Path: pass paths of image files, or set input='image' or 'embedding'."
        )


def load_image(source: Any, *, max_pixels: int = MAX_PIXELS) -> "Image":
    """Read an image into 8-bit RGB.

    The first frame of an animation is taken, transparency becomes white, 16-bit levels
    are divided by 256, and the camera's orientation is applied. Sides longer than 2,048
    pixels are brought down to that.

    Parameters
    ----------
    source : str, path, PIL image, or ndarray
        The image. Arrays are of shape (height, width), (height, width, 3) or
        (height, width, 4), of integers between 0 and 255 or floats between 0 and 1.

    max_pixels : int, default=64_000_000
        Most pixels that are decoded.

    Returns
    -------
    image : PIL.Image.Image
        The image, in mode ``"RGB"``.

    Raises
    ------
    ValueError
        If the image cannot be decoded, is too large, or has pixels of no known range.

    ImportError
        If Pillow is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_alchemist.images import load_image
    >>> load_image(np.zeros((2, 3), np.uint8)).getpixel((0, 0))
    (0, 0, 0)
    """
    image_module, ops = _pillow()
    if isinstance(source, np.ndarray):
        source = image_module.fromarray(_as_bytes(source, max_pixels))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", image_module.DecompressionBombWarning)
            if isinstance(source, image_module.Image):
                return _as_rgb(source, ops, max_pixels)
            if not isinstance(source, str | os.PathLike):
                raise ValueError("it has no path")
            source = as_path(source)
            check_file(source)
            with image_module.open(source) as image:
                return _as_rgb(image, ops, max_pixels)
    except image_module.DecompressionBombError:
        raise ValueError(_too_large(max_pixels)) from None
    except image_module.UnidentifiedImageError:
        raise ValueError("no image format is recognised") from None
    except (OSError, SyntaxError, EOFError, OverflowError, MemoryError) as error:
        raise ValueError(f"it cannot be decoded ({error})") from None


def content_key(source: Any) -> str:
    """Hash the content of an image.

    Parameters
    ----------
    source : str, path, PIL image, or ndarray
        The image; a file is hashed as it is, without decoding it, others by the pixels
        that `load_image` makes of them.

    Returns
    -------
    key : str
        A SHA-256 in hexadecimal.

    Raises
    ------
    OSError, ValueError
        If the image cannot be read, or decoded, or is too large.
    """
    if isinstance(source, str | os.PathLike):
        source = as_path(source)
        check_file(source)
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    # Of the pixels that a model gets to see: a palette, transparency or the orientation
    # of a camera change them, whatever an image holds besides.
    pixels = load_image(source)
    digest = hashlib.sha256(f"{pixels.mode}{pixels.size}".encode())
    digest.update(pixels.tobytes())
    return digest.hexdigest()


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError(
            "reading images needs Pillow: pip install 'sklearn-alchemist[images]'."
        ) from None
    return Image, ImageOps


def _too_large(max_pixels: int) -> str:
    return f"it has more than {max_pixels:,} pixels: make it smaller first"


def _as_bytes(pixels: np.ndarray, max_pixels: int) -> np.ndarray:
    """Bring pixels of a known range into 8 bits."""
    colour = pixels.ndim == 3 and pixels.shape[2] in (3, 4)
    if not (colour or pixels.ndim == 2) or 0 in pixels.shape:
        raise ValueError(
            f"an array of shape {pixels.shape} is no image: it must be (height, width) "
            "or (height, width, 3 or 4)"
        )
    if pixels.shape[0] * pixels.shape[1] > max_pixels:
        raise ValueError(_too_large(max_pixels))
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == bool:
        return pixels.astype(np.uint8) * 255
    top = 1 if pixels.dtype.kind == "f" else 255
    if pixels.dtype.kind not in "fiu" or not (
        np.isfinite(pixels).all() and pixels.min() >= 0 and pixels.max() <= top
    ):
        raise ValueError(
            "its pixels are neither integers between 0 and 255 nor floats between 0 "
            "and 1"
        )
    return np.rint(pixels * (255 / top)).astype(np.uint8)


def _as_rgb(image: Any, ops: Any, max_pixels: int) -> "Image":
    if 0 in image.size:
        raise ValueError("it has no pixels")
    if image.width * image.height > max_pixels:
        raise ValueError(_too_large(max_pixels))
    if max(image.size) > 2 * MAX_SIDE:
        image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # JPEG can be decoded smaller
    image.load()
    image = ops.exif_transpose(image)
    if image.mode.startswith("I"):
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError("its 32-bit pixels have no known range")
        image = _pillow()[0].fromarray((levels // 256).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its floating-point pixels have no known range")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = _pillow()[0].new("RGBA", image.size, "white")
        white.alpha_composite(image)
        image = white
    image = image.convert("RGB")
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    return image
