"""Conversations to train on, drawn from the corpus.

The files of `corpus/` hold facts: a heading, questions as patterns (`{one|other}`),
terms that are asked for by DEFINITIONS, and one answer. A pattern of `elsewhere.md`
also has slots such as `<noun>`, filled from `words.md` or by the program.
"""

import hashlib
import itertools
import pathlib
import random
import re

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"

DEFINITIONS = [
    "what is {}", "what's {}", "explain {}", "define {}", "what does {} mean", "{}", "tell me about {}",
    "can you explain {}", "describe {}", "what do you know about {}", "what is meant by {}",
    "what is {} in ringfence", "give me a short explanation of {}", "i do not understand {}", "explain {} to me",
    "what do you mean by {}", "please explain {}", "what exactly is {}", "{} - what is that", "so what is {}",
]  # fmt: skip
PLURAL_FORMS = ("what are {}", "what are {} in ringfence", "what exactly are {}")
# A pattern is expanded to at most so many questions, or one long alternation would drown its neighbours.
EXPANSIONS = 40
# One question in so many of every fact is never trained on.
HELD_OUT_OF = 12
# What people ask first, and how much more often than anything else it is drawn.
ASKED_FIRST = {"ringfence", "purpose", "how it works"}
FIRST_WEIGHT = 6

BEFORE = [
    "please ", "hi, ", "hello, ", "hello! ", "hi! ", "hey, ", "could you tell me: ", "can you tell me: ", "quick question: ", "question: ",
    "i want to know: ", "i have a question. ", "ok, ", "so, ", "and ", "good morning. ", "sorry, ", "just curious: ", "dear ringfence, ",
    "tell me, ", "i am new here. ", "one more thing: ", "well, ",
]  # fmt: skip
AFTER = [
    " please", ", please", " thanks", " in one sentence", " in short", " briefly", " exactly", " for me", " again", " in simple words",
    " in a few words", " thank you", ". answer briefly.", ". be brief.", ". one sentence please.",
]  # fmt: skip


def read_facts():
    """Every fact of the corpus: (name, questions to train on, questions held out, answer)."""
    facts = []
    for file in sorted(CORPUS.glob("*.md")):
        if file.name != "words.md":
            for block in re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.M)[1:]:
                facts.append(read_fact(block))
    names = [name for name, *_ in facts]
    assert len(set(names)) == len(names), "two facts have one name"
    asked = [question for _, trained, held, _ in facts for question in trained + held]
    assert len(set(asked)) == len(asked), "two facts answer one question"
    return facts


def read_fact(block):
    name, *lines = block.strip().split("\n")
    patterns, answer = [], None
    for line in lines:
        if line.startswith("term: "):
            terms = line.removeprefix("term: ").split(" | ")
            for term in terms:
                forms = DEFINITIONS + list(PLURAL_FORMS if term.endswith("s") else ())
                patterns += [form.format(term) for form in forms]
        elif line.startswith("- "):
            patterns.append(line.removeprefix("- "))
        elif line.startswith("> "):
            answer = line.removeprefix("> ")
        elif line:
            raise ValueError(f"{name}: {line}")
    questions = {q: None for pattern in patterns for q in expand(pattern)}
    if "<" in "".join(questions):
        return name, list(questions), [], answer
    ranked = sorted(questions, key=lambda q: hashlib.sha256(q.encode()).digest())
    held = ranked[: max(1, len(ranked) // HELD_OUT_OF)] if len(ranked) > 3 else []
    return name, [q for q in questions if q not in held], held, answer


def expand(pattern):
    """Every reading of a pattern, or EXPANSIONS of them spread evenly."""
    parts = [part.split("|") for part in re.split(r"[{}]", pattern)]
    # Outside braces a bar is a bar.
    parts = [part if i % 2 else ["|".join(part)] for i, part in enumerate(parts)]
    count = 1
    for part in parts:
        count *= len(part)
    step = max(1, count // EXPANSIONS)
    readings = itertools.islice(itertools.product(*parts), step // 2, None, step)
    return [" ".join("".join(reading).split(" ")).strip().replace("  ", " ") for reading in readings]


def read_words():
    lists = {}
    for block in re.split(r"^## ", (CORPUS / "words.md").read_text(encoding="utf-8"), flags=re.M)[1:]:
        name, *lines = block.strip().split("\n")
        one_line = len(lines) == 1
        lists[name] = lines[0].split("|") if one_line else [line.replace("\\n", "\n") for line in lines]
    return lists


class Draw:
    """Everything that is drawn at random: slots, the surface of a question, whole conversations."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.words = read_words()
        self.facts = read_facts()
        self.known = [f for f in self.facts if not any("<" in q for q in f[1])]
        self.weights = [FIRST_WEIGHT if f[0] in ASKED_FIRST else 1 for f in self.known]
        self.elsewhere = [f for f in self.facts if any("<" in q for q in f[1])]

    def fill(self, pattern):
        """The pattern with every slot filled and one reading of every alternation."""
        r = self.random
        while match := re.search(r"\{([^{}]*\|[^{}]*)\}", pattern):
            pattern = pattern[: match.start()] + r.choice(match[1].split("|")) + pattern[match.end() :]
        return re.sub(r"<([a-z]+)>", lambda m: self.slot(m[1]), pattern)

    def slot(self, name):
        r = self.random
        made = {
            "number": lambda: str(r.choice([r.randint(0, 20), r.randint(10, 999), r.randint(1000, 999999), round(r.uniform(0, 99), 1)])),
            "person": lambda: f"{r.choice(self.words['first'])} {r.choice(self.words['last'])}",
            "email": lambda: f"{r.choice(self.words['first'])}.{r.choice(self.words['last'])}@{self.pseudo()}.{r.choice(['com', 'org', 'de', 'example'])}".lower(),
            "phone": lambda: r.choice(["+49 ", "+1 ", "(555) ", "0", "+44 20 "]) + f"{r.randint(100, 999)}{r.choice(['-', ' ', ''])}{r.randint(1000, 9999999)}",
            "card": lambda: r.choice(["", " "]).join(f"{r.randint(0, 9999):04}" for _ in range(4)),
            "iban": lambda: r.choice(["DE", "GB", "FR", "NL"]) + f"{r.randint(0, 99):02} " + " ".join(f"{r.randint(0, 9999):04}" for _ in range(4)),
            "ssn": lambda: f"{r.randint(1, 899):03}-{r.randint(1, 99):02}-{r.randint(1, 9999):04}",
            "secret": lambda: r.choice(["sk-", "ghp_", "AKIA", "eyJ", ""]) + "".join(r.choice("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(r.randint(12, 40))),
            "date": lambda: r.choice([f"{r.randint(1, 28)} {r.choice(['January', 'March', 'May', 'July', 'October'])} {r.randint(1930, 2030)}", f"{r.randint(1930, 2030)}-{r.randint(1, 12):02}-{r.randint(1, 28):02}", f"{r.randint(1, 28)}.{r.randint(1, 12)}.{r.randint(1930, 2030)}"]),
            "sum": lambda: f"{self.slot('number')} {r.choice(['+', '-', '*', '/', 'times', 'plus', 'minus', 'divided by', 'x'])} {self.slot('number')}",
            "pseudo": self.pseudo,
            "text": lambda: self.text(self.length()),
            "letter": lambda: self.letter(self.length()),
        }  # fmt: skip
        if name in made:
            return made[name]()
        choice = r.choice(self.words.get(name) or [f"<{name}>"])
        # What is drawn may have slots of its own; a name that is no list stays as it is.
        return self.fill(choice) if "<" in choice and name in self.words else choice

    def pseudo(self):
        """A word that nobody knows."""
        r = self.random
        syllables = "".join(
            r.choice("b c d f g h j k l m n p r s t v w z br ch cl dr gr pl qu sh st th tr".split()) + r.choice("a e i o u ai ea oo ou y".split()) + r.choice(["", "", "n", "r", "s", "l", "x", "m", "ck", "t"])
            for _ in range(r.choice([1, 2, 2, 3]))
        )  # fmt: skip
        return syllables if r.random() < 0.7 else syllables.capitalize()

    def length(self):
        """Sentences of a text: mostly few, seldom many."""
        r = self.random
        return r.choice([1, 1, 1, 2, 2, 3, 4]) if r.random() < 0.96 else r.randint(5, 50)

    def text(self, sentences):
        r = self.random
        return r.choice([" ", " ", "\n", "\n\n"]).join(self.fill(r.choice(self.words["sentence"])) for _ in range(sentences))

    def letter(self, sentences):
        r = self.random
        head = self.fill(r.choice(["Dear colleague,\n", "Dear Dr. <person>,\n", "Patient: <person>, born <date>\n", "Patient <person> (born <date>, SSN <ssn>) ", "Discharge letter, <date>\n", ""]))
        body = " ".join(self.fill(r.choice(self.words["clinical"])) for _ in range(max(2, sentences)))
        return head + body + self.fill(r.choice(["", "", "\nYours, Dr. <person>", "\nKind regards\n<person>, <place>"]))

    def surface(self, question):
        """The question as somebody might type it."""
        r = self.random
        if r.random() < 0.16:
            question = r.choice(BEFORE) + question
        if r.random() < 0.10:
            question += r.choice(AFTER)
        if r.random() < 0.08:
            question = self.typo(question)
        case = r.random()
        if case < 0.62:
            question = question[:1].upper() + question[1:]
        elif case > 0.985 and len(question) < 80:
            question = question.upper()
        last = question[-1:]
        if last.isalnum() or last in "`]\"":
            question += r.choice(["?"] * 10 + [""] * 6 + ["."] * 3 + ["!", "??", " ?", "...", "?\n"])
        return question

    def typo(self, question):
        r = self.random
        i = r.randrange(max(1, len(question) - 1))
        kind = r.random()
        if kind < 0.4:
            return question[:i] + question[i + 1 :]
        if kind < 0.7:
            return question[:i] + question[i : i + 2][::-1] + question[i + 2 :]
        return question[:i] + question[i : i + 1] + question[i:]

    def exchange(self):
        """A question and its answer: two of three times about Ringfence."""
        r = self.random
        if r.random() < 0.68:
            _, questions, _, answer = r.choices(self.known, weights=self.weights)[0]
            return self.surface(r.choice(questions)), answer
        _, questions, _, answer = r.choices(self.elsewhere, weights=[5, 2, 2, 2, 1.5, 1.5, 1.5, 1.5])[0]
        question = self.fill(r.choice(questions))
        return (self.surface(question) if len(question) < 200 else question), answer

    def conversation(self):
        """Messages: mostly one exchange, sometimes with a system message or earlier turns."""
        r = self.random
        messages = []
        if r.random() < 0.2:
            messages.append({"role": "system", "content": self.fill(r.choice(self.words["system"]))})
        for _ in range(1 if r.random() < 0.6 else r.randint(2, 6)):
            question, answer = self.exchange()
            messages.append({"role": "user", "content": question})
            messages.append({"role": "assistant", "content": answer})
        return messages

    def asked_elsewhere(self, count):
        """Questions that no training draw has seen, with the answers that would be right."""
        return [self.exchange_elsewhere(self.random.choice(self.elsewhere)) for _ in range(count)]

    def exchange_elsewhere(self, fact):
        _, questions, _, answer = fact
        return self.surface(self.fill(self.random.choice(questions))), answer
