"""Measures `ringfence detect` on the examples of other projects' rules for secrets.

    measure.py RINGFENCE SOURCE...

A source is a file of lines as tests/secrets/run has them from gitleaks, or a checkout of
noseyparker. A positive example counts when one of its rule's secrets is found whole, so that
no letter or digit of it would leave. Two kinds of examples are left out, of both projects:

- A negative example says that a text is not that rule's. Where another rule of the same project
  finds a secret in it, it says nothing ("unsure").
- A positive example whose secret is a variable, a word for the thing (`myPassword`), `aaaaaaaa`
  or `ABCDEFGHIJ` shows where a secret would stand and has none ("empty"): documented examples
  are no findings here.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
from collections import Counter, namedtuple

RECALL, PRECISION = 0.98, 0.95

# What the example is (real, false, unsure or empty), and what the rules find in it.
Example = namedtuple("Example", "rule kind text secrets")


def gitleaks(path):
    for line in path.read_text().splitlines():
        one = json.loads(line)
        kind = "unsure" if one["secrets"] else "false"
        if one["real"]:
            kind = "empty" if is_empty(one["secrets"]) else "real"
        if one["text"]:
            yield Example(one["rule"], kind, one["text"], one["secrets"])


def noseyparker(folder):
    import yaml

    rules = []
    for path in sorted(folder.glob("**/builtin/rules/*.yml")):
        for rule in yaml.safe_load(path.read_text())["rules"]:
            # Half of a pair, and what only counts attacks, are no secrets of their own.
            kinds = rule.get("categories", ["secret"])
            if "secret" in kinds and "identifier" not in kinds:
                rules.append((rule, compiled(rule["pattern"])))
    for rule, pattern in rules:
        for text in rule.get("examples") or []:
            found = pattern.finditer(text)
            secrets = [part for one in found for part in [*filter(None, one.groups())] or [one[0]]]
            yield Example(rule["id"], "empty" if is_empty(secrets) else "real", text, secrets)
        for text in rule.get("negative_examples") or []:
            unsure = any(other.search(text) for _, other in rules)
            yield Example(rule["id"], "unsure" if unsure else "false", text, [])


def compiled(pattern):
    """An expression in Rust's notation, where flags hold from where they stand to the end of
    their group; Python wants them in front or around."""
    pattern = pattern.strip().replace(r"\z", r"\Z")
    flags = re.compile(r"\(\?([imsx]+)\)")
    at = 1
    while one := flags.search(pattern, at):
        end, depth = one.end(), 0
        while end < len(pattern) and depth >= 0:
            step = 2 if pattern[end] == "\\" else 1
            depth += {"(": 1, ")": -1}.get(pattern[end], 0)
            end += step
        end -= depth < 0
        inner = pattern[one.end() : end]
        pattern = f"{pattern[:one.start()]}(?{one[1]}:{inner}){pattern[end:]}"
        at = one.start() + 1
    return re.compile(pattern)


def is_empty(secrets):
    """Whether what a rule finds is nobody's secret. It is the last part of what stands in an
    expression's groups, but for a host: users stand before theirs."""
    secrets = [one for one in secrets if not re.fullmatch(r"[\w.-]+\.[a-z]+(:\d+)?", one)]
    if not secrets:
        return False
    secret = secrets[-1].strip(" \t\r\n\"'`;,\\")
    variable = re.match(r"[$%#<{]+\w[\w%}>]*$|[$#]?\{", secret)
    word = re.fullmatch(r"(?i)[a-z_ -]*(passwo?r|your|user|token|secret)[a-z_ -]*", secret)
    if variable or word or "EXAMPLE" in secret:
        return True
    letters = [c for c in secret.lower() if c.isalnum()]
    counted, run = 0, 1
    for before, after in zip(letters, letters[1:]):
        run = run + 1 if ord(after) == ord(before) + 1 else 1
        counted = max(counted, run)
    same = max(map(letters.count, letters), default=0)
    last = re.split(r"\W", secret)[-1]
    return (
        3 * same > 2 * len(letters)
        or len(last) >= 8 and len(set(last)) == 1
        or counted >= 8 and 2 * counted >= len(letters)
    )


def found(ringfence, text):
    """The spans of secrets in a text, in bytes."""
    run = subprocess.run([ringfence, "detect", "--json", "-"], input=text.encode(), capture_output=True)
    if not run.stdout:
        sys.exit(f"ringfence detect failed: {run.stderr.decode()}")
    findings = json.loads(run.stdout)["findings"]
    return [(one["start"], one["end"]) for one in findings if one["entity"].startswith("SECRET")]


def is_whole(text, secret, spans):
    """Whether no letter and no digit of a secret stands outside the spans, somewhere in the text."""
    text, secret = text.encode(), secret.strip(" \t\r\n\"'`;,").encode()
    at = text.find(secret) if secret else -1
    while at >= 0:
        outside = set(range(at, at + len(secret)))
        for start, end in spans:
            outside.difference_update(range(start, end))
        if not any(chr(text[byte]).isalnum() for byte in outside):
            return True
        at = text.find(secret, at + 1)
    return False


def is_right(example, spans):
    if example.kind == "false":
        return not spans
    if not example.secrets:
        return bool(spans)
    return any(is_whole(example.text, secret, spans) for secret in example.secrets)


def measure(name, examples, spans):
    counts = Counter()
    for example in examples:
        right = example.kind in ("unsure", "empty") or is_right(example, spans[example.text])
        counts[example.kind, right] += 1
        if not right and os.environ.get("SHOW"):
            print(example.kind, example.rule, repr(example.text[:300]), example.secrets[:2], spans[example.text])
    real = counts["real", True] + counts["real", False]
    recall = counts["real", True] / max(1, real)
    precision = counts["real", True] / max(1, counts["real", True] + counts["false", False])
    false = counts["false", True] + counts["false", False]
    left_out = f"{counts['empty', True]:9} {counts['unsure', True]:9}"
    print(f"{name:12} {real:9} {false:9} {left_out} {recall:9.3f} {precision:9.3f}")
    return real and recall >= RECALL and precision >= PRECISION


def main():
    ringfence, sources = sys.argv[1], map(pathlib.Path, sys.argv[2:])
    sets = []
    for source in sources:
        read = noseyparker if source.is_dir() else gitleaks
        sets.append((read.__name__, list(read(source))))
    texts = sorted({example.text for _, examples in sets for example in examples})
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        spans = dict(zip(texts, pool.map(lambda text: found(ringfence, text), texts)))
    heads = ("real", "false", "empty", "unsure", "recall", "precision")
    print(" " * 12, *(f"{head:>9}" for head in heads))
    good = [measure(name, examples, spans) for name, examples in sets]
    if not all(good):
        sys.exit(f"below the aims: recall {RECALL}, precision {PRECISION}")


main()
