// From the offsets of JavaScript's strings, which count UTF-16 units, to the contract's,
// which count bytes of UTF-8. The sandbox has no TextEncoder, so this counts by itself.

/**
 * The bytes that the UTF-16 units `from` to `to` of `text` take in UTF-8.
 * A surrogate without its other half takes three, as the replacement character that
 * takes its place does.
 */
function bytesBetween(text, from, to) {
  let bytes = 0;
  for (let at = from; at < to; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      bytes += 1;
    } else if (unit < 0x800) {
      bytes += 2;
    } else if (unit >= 0xd800 && unit < 0xdc00 && isLow(text.charCodeAt(at + 1))) {
      bytes += 4;
      at += 1;
    } else {
      bytes += 3;
    }
  }
  return bytes;
}

function isLow(unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** Whether `index` stands between the two halves of one character. */
function splits(text, index) {
  return index > 0 && index < text.length && isLow(text.charCodeAt(index)) &&
    (text.charCodeAt(index - 1) & 0xfc00) === 0xd800;
}

function checkIndex(text, index) {
  if (!Number.isInteger(index) || index < 0 || index > text.length) {
    throw new RangeError(`index ${index} is not in a text of ${text.length} units`);
  }
  if (splits(text, index)) throw new RangeError(`index ${index} is inside a character`);
}

/** The length of a text in bytes of UTF-8. */
export function utf8Length(text) {
  return bytesBetween(text, 0, text.length);
}

/** The span of `text.slice(start, end)` in bytes of UTF-8. */
export function utf8Span(text, start, end) {
  checkIndex(text, start);
  checkIndex(text, end);
  if (start > end) throw new RangeError(`the span ${start}..${end} is inverted`);
  const from = bytesBetween(text, 0, start);
  return { start: from, end: from + bytesBetween(text, start, end) };
}

/** The part of `text` between two offsets in bytes of UTF-8. */
export function utf8Slice(text, start, end) {
  const from = indexOfByte(text, start, 0, 0);
  const to = indexOfByte(text, end, from.index, from.bytes);
  return text.slice(from.index, to.index);
}

/** The spans of every match of a regular expression, in bytes, in one pass. */
export function utf8Matches(text, pattern) {
  const flags = pattern.flags.includes("g") ? pattern.flags : `${pattern.flags}g`;
  const spans = [];
  let index = 0;
  let bytes = 0;
  for (const match of text.matchAll(new RegExp(pattern.source, flags))) {
    if (match[0] === "") continue;
    const end = match.index + match[0].length;
    // Without the flag `u` an expression can match half a character.
    const from = splits(text, match.index) ? match.index - 1 : match.index;
    const to = splits(text, end) ? end + 1 : end;
    if (from < index) continue;
    const start = bytes + bytesBetween(text, index, from);
    bytes = start + bytesBetween(text, from, to);
    index = to;
    spans.push({ start, end: bytes, text: text.slice(from, to) });
  }
  return spans;
}

function indexOfByte(text, byte, index, bytes) {
  while (bytes < byte && index < text.length) {
    const units = text.codePointAt(index) > 0xffff ? 2 : 1;
    bytes += bytesBetween(text, index, index + units);
    index += units;
  }
  if (bytes !== byte) throw new RangeError(`byte ${byte} is no boundary of a character`);
  return { index, bytes };
}
