"""The helpers for offsets, against the language's own encoder."""

import random
import re
import unittest

from ringfence_sdk import utf8_length, utf8_matches, utf8_slice, utf8_span

LETTERS = ["a", "Z", "0", " ", "\n", "é", "ß", "ф", "中", "€", "\ufeff", "😀", "𝒳", "e\u0301"]


def texts(count):
    numbers = random.Random(7)
    return ["".join(numbers.choices(LETTERS, k=numbers.randrange(20))) for _ in range(count)]


class Spans(unittest.TestCase):
    def test_lengths_and_spans_are_those_of_the_encoder(self):
        for text in texts(2000):
            encoded = text.encode()
            self.assertEqual(utf8_length(text), len(encoded))
            for start in range(0, len(text) + 1, 3):
                for end in range(start, len(text) + 1, 2):
                    first, last = utf8_span(text, start, end)
                    self.assertEqual(encoded[first:last].decode(), text[start:end])
                    self.assertEqual(utf8_slice(text, first, last), text[start:end])

    def test_what_is_no_offset_is_refused(self):
        for start, end in [(-1, 1), (0, 2), (1, 0)]:
            with self.assertRaises(ValueError):
                utf8_span("😀", start, end)
        for start, end in [(1, 4), (0, 3), (0, 5), (-1, 4), (4, 0)]:
            with self.assertRaises(ValueError):
                utf8_slice("😀", start, end)

    def test_a_lone_surrogate_counts_as_what_takes_its_place(self):
        self.assertEqual(utf8_length("a\ud83d"), 4)

    def test_matches_are_found_in_bytes(self):
        for text in texts(500):
            for pattern in ["[a-z0]+", "[^ ]", re.compile("é|中", re.I), "x*"]:
                for start, end, matched in utf8_matches(text, pattern):
                    self.assertEqual(utf8_slice(text, start, end), matched)
                    self.assertGreater(end, start)
        self.assertEqual([tuple(match) for match in utf8_matches("é bob, 😀 bob", "bob")],
                         [(3, 6, "bob"), (13, 16, "bob")])


if __name__ == "__main__":
    unittest.main()
