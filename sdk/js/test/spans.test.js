// The helpers for offsets, against the language's own encoder.

import assert from "node:assert/strict";
import { test } from "node:test";

import { utf8Length, utf8Matches, utf8Slice, utf8Span } from "../src/index.js";

const LETTERS = ["a", "Z", "0", " ", "\n", "é", "ß", "ф", "中", "€", "\u{feff}", "😀", "𝒳", "e\u0301"];
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The same random numbers in every run. */
function* random(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

function texts(count) {
  const numbers = random(7);
  const next = (most) => Math.floor(numbers.next().value * most);
  return Array.from({ length: count }, () => (
    Array.from({ length: next(20) }, () => LETTERS[next(LETTERS.length)])));
}

test("lengths and spans are those of the encoder", () => {
  for (const letters of texts(2000)) {
    const text = letters.join("");
    assert.equal(utf8Length(text), encoder.encode(text).length);
    for (let from = 0; from <= letters.length; from += 3) {
      for (let to = from; to <= letters.length; to += 2) {
        const before = letters.slice(0, from).join("");
        const within = letters.slice(from, to).join("");
        const span = utf8Span(text, before.length, before.length + within.length);
        const start = encoder.encode(before).length;
        assert.deepEqual(span, { start, end: start + encoder.encode(within).length });
        assert.equal(utf8Slice(text, span.start, span.end), within);
        const bytes = encoder.encode(text).slice(span.start, span.end);
        assert.equal(decoder.decode(bytes), within);
      }
    }
  }
});

test("half a character is no offset", () => {
  for (const [start, end] of [[1, 2], [0, 1], [-1, 2], [0, 3], [2, 0], [0.5, 2]]) {
    assert.throws(() => utf8Span("😀", start, end), RangeError, `${start}..${end}`);
  }
  for (const [start, end] of [[1, 4], [0, 3], [0, 5]]) {
    assert.throws(() => utf8Slice("😀", start, end), RangeError, `${start}..${end}`);
  }
});

test("a lone surrogate counts as what takes its place", () => {
  for (const text of ["\ud83d", "a\ude00b", "\ude00\ud83d"]) {
    assert.equal(utf8Length(text), encoder.encode(text).length);
  }
});

test("matches are found in bytes", () => {
  for (const letters of texts(500)) {
    const text = letters.join("");
    for (const pattern of [/[a-z0]+/, /[^ ]/g, /é|中/gi, /x*/]) {
      for (const { start, end, text: matched } of utf8Matches(text, pattern)) {
        assert.equal(utf8Slice(text, start, end), matched);
        assert.ok(end > start);
      }
    }
  }
  assert.deepEqual(utf8Matches("é bob, 😀 bob", /bob/), [
    { start: 3, end: 6, text: "bob" }, { start: 13, end: 16, text: "bob" },
  ]);
});
