"""Pictures are drawn anew: only what is seen of them stays."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from core.domain.errors import InvalidInput, TooLarge
from core.services.files.redrawing import redrawn
from tests.unit.files.builders import gif, jpeg, photograph, png, webp


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def test_a_photograph_stands_upright_and_says_nothing_of_its_camera() -> None:
    drawn = redrawn(photograph(64, 32, turned=6), 512)  # to be turned by 90 degrees
    for word in (b"Exif", b"CAMERA", b"at home"):
        assert word not in drawn.content
    with Image.open(io.BytesIO(drawn.content)) as seen:
        assert (drawn.media_type, seen.size) == ("image/jpeg", (32, 64))
        red, _, blue = seen.getpixel((16, 8))  # type: ignore[misc]
        assert red > 200 > 50 > blue


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("WEBP", "RGBA"), ("GIF", "P")])
def test_what_shines_through_stays_so(kind: str, mode: str) -> None:
    image = Image.new("RGBA", (9, 9), (255, 0, 0, 0))
    options = {"transparency": 0} if kind == "GIF" else {}
    drawn = redrawn(saved(image.convert(mode), kind, **options), 512)
    with Image.open(io.BytesIO(drawn.content)) as seen:
        assert drawn.media_type == "image/png"
        assert seen.convert("RGBA").getpixel((4, 4))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_a_large_picture_is_made_smaller(kind: str) -> None:
    drawn = redrawn(saved(Image.new("RGB", (1_400, 700), "green"), kind), 512)
    with Image.open(io.BytesIO(drawn.content)) as seen:
        assert seen.size == (512, 256)


def test_words_in_a_picture_are_left_out() -> None:
    words = PngInfo()
    words.add_text("Place", "at home")
    marked = saved(Image.new("RGB", (4, 4)), "PNG", pnginfo=words)
    assert b"at home" in marked
    assert b"at home" not in redrawn(marked, 512).content


@pytest.mark.parametrize("made", [png, gif, jpeg, webp])
def test_what_would_burst_is_not_decoded(made: Any) -> None:
    with pytest.raises(TooLarge):
        redrawn(made(16_000, 16_000), 512)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"\xff\xd8\xff", b"BM" + b"\0" * 60, png(), webp()]
)
def test_what_is_damaged_or_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidInput):
        redrawn(content, 512)


PICTURES = [
    saved(Image.effect_noise((40, 40), 60).convert(mode), kind)
    for kind, mode in (("PNG", "RGBA"), ("JPEG", "RGB"), ("GIF", "P"), ("WEBP", "RGB"))
]


# Of what Pillow can do without it warns only.
@pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin")
@pytest.mark.filterwarnings("ignore:Truncated File Read:UserWarning")
@given(st.sampled_from(PICTURES), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255))))
def test_whatever_is_damaged_in_it_a_picture_is_drawn_or_refused(
    content: bytes, changes: list[tuple[int, int]]
) -> None:
    changed = bytearray(content)
    for place, value in changes:
        changed[place % len(changed)] = value
    with suppress(InvalidInput, TooLarge):
        assert redrawn(bytes(changed), 64).content
