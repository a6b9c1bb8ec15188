"""From the offsets of Python's strings, which count code points, to the contract's, which
count bytes of UTF-8."""

import re
from typing import Iterator, NamedTuple, Pattern, Tuple, Union


class Match(NamedTuple):
    """What an expression found: its span in bytes of UTF-8, and its text."""

    start: int
    end: int
    text: str


def utf8_length(text: str) -> int:
    """The length of a text in bytes of UTF-8. A lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def utf8_span(text: str, start: int, end: int) -> Tuple[int, int]:
    """The span of `text[start:end]` in bytes of UTF-8.

    Raises `ValueError` when the offsets are not in the text, or inverted.
    """
    if not 0 <= start <= end <= len(text):
        raise ValueError(f"the span {start}..{end} is not in a text of {len(text)} characters")
    before = utf8_length(text[:start])
    return before, before + utf8_length(text[start:end])


def utf8_slice(text: str, start: int, end: int) -> str:
    """The part of a text between two offsets in bytes of UTF-8.

    Raises `ValueError` when they are not in the text, inverted, or inside a character.
    """
    encoded = text.encode("utf-8", "surrogatepass")
    if not 0 <= start <= end <= len(encoded):
        raise ValueError(f"the span {start}..{end} is not in a text of {len(encoded)} bytes")
    for offset in (start, end):
        if offset < len(encoded) and encoded[offset] & 0xC0 == 0x80:
            raise ValueError(f"byte {offset} is no boundary of a character")
    return encoded[start:end].decode("utf-8", "surrogatepass")


def utf8_matches(text: str, pattern: Union[str, Pattern[str]]) -> Iterator[Match]:
    """Every match of an expression that is not empty, in one pass."""
    index = bytes_before = 0
    for match in re.finditer(pattern, text):
        if match.end() == match.start():
            continue
        start = bytes_before + utf8_length(text[index:match.start()])
        end = start + utf8_length(match.group())
        index, bytes_before = match.end(), end
        yield Match(start, end, match.group())
