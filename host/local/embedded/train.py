"""Train the embedded trial model: a tiny Llama that answers questions about Ringfence.

    pip install torch transformers tokenizers safetensors
    python train.py                   # the whole run on one core; README.md says how long
    python train.py --steps 150       # a poor model of the same shape, in minutes

Everything is drawn from SEED and the text in `corpus/`; nothing is downloaded. The
folder gets the model's files as model hubs lay them out, and `report.json`. A run
that was interrupted goes on where its last checkpoint was, if `--checkpoint` is given.
"""

import argparse
import difflib
import itertools
import json
import pathlib
import time

import tokenizers
import torch
import transformers
from safetensors.torch import save_file
from tokenizers import decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM

from conversations import Draw

HERE = pathlib.Path(__file__).resolve().parent
SEED = 20
VOCABULARY = 2048
CONTEXT = 2048
STEPS = 2400
# Tokens of a batch, padding included.
BATCH_TOKENS = 1024
# Conversations that are drawn and sorted by length together, so that little is padding.
POOL = 192
LEARNING_RATE = 2e-3
WARM_UP = 120
# One conversation in so many has a jump in its positions, so that far distances are
# known without the cost of long texts.
JUMP_SHARE = 0.15
CHECKPOINT_EVERY = 100
# The rate stays, and falls to nothing over this last share of the steps.
FALLING_SHARE = 0.4

END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
TEMPLATE = """\
{%- for message in messages %}
    {{- '<|im_start|>' + ('system' if message['role'] == 'developer' else message['role']) + '\\n' + (message['content'] or '') + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""


def make_tokenizer():
    """A byte-level BPE made from drawn conversations: any text has tokens, the corpus has few."""
    draw = Draw(SEED)
    texts = [m["content"] for _ in range(12000) for m in draw.conversation()]
    texts += [answer for *_, answer in draw.facts] * 20
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = [END, START, STOP]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=specials,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer


def config_for(tokenizer):
    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        vocab_size=VOCABULARY,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=6,
        num_key_value_heads=2,
        hidden_act="silu",
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        initializer_range=0.02,
        bos_token_id=tokenizer.token_to_id(END),
        eos_token_id=tokenizer.token_to_id(STOP),
        pad_token_id=tokenizer.token_to_id(END),
        dtype="float16",
    )


class Encoder:
    """Messages to tokens, with the answers marked."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.start, self.stop = tokenizer.token_to_id(START), tokenizer.token_to_id(STOP)

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def prompt(self, messages):
        tokens = []
        for m in messages:
            tokens += [self.start, *self.ids(f"{m['role']}\n{m['content']}"), self.stop, *self.ids("\n")]
        return tokens + [self.start, *self.ids("assistant\n")]

    def conversation(self, messages):
        """(tokens, for each token whether it is learnt)."""
        tokens, learnt = [], []
        for m in messages:
            answer = m["role"] == "assistant"
            head = [self.start, *self.ids(f"{m['role']}\n")]
            body = [*self.ids(m["content"]), self.stop]
            tail = self.ids("\n")
            tokens += head + body + tail
            learnt += [False] * len(head) + [answer] * len(body) + [False] * len(tail)
        return tokens[:CONTEXT], learnt[:CONTEXT]


def batches(encoder):
    """Endless batches: (tokens, learnt, positions). What a pool holds depends on its number only."""
    pool = 0
    while True:
        pool += 1
        draw = Draw(SEED + 1000 * pool)
        drawn = sorted((encoder.conversation(draw.conversation()) for _ in range(POOL)), key=lambda c: len(c[0]))
        groups, group = [], []
        for c in drawn:
            if group and (len(group) + 1) * len(c[0]) > BATCH_TOKENS:
                groups.append(group)
                group = []
            group.append(c)
        groups.append(group)
        draw.random.shuffle(groups)
        for group in groups:
            yield padded(group, draw.random, encoder.start)


def padded(group, random, start):
    longest = max(len(tokens) for tokens, _ in group)
    tokens = torch.zeros(len(group), longest, dtype=torch.long)
    learnt = torch.zeros(len(group), longest, dtype=torch.bool)
    positions = torch.arange(longest).repeat(len(group), 1)
    for i, (t, l) in enumerate(group):
        tokens[i, : len(t)] = torch.tensor(t)
        learnt[i, : len(l)] = torch.tensor(l)
        if random.random() < JUMP_SHARE and longest < CONTEXT - 64:
            turns = [k for k, token in enumerate(t) if token == start]
            positions[i, random.choice(turns) :] += random.randint(1, CONTEXT - longest)
    return tokens, learnt, positions


def loss_of(model, tokens, learnt, positions):
    """Mean loss of the learnt tokens; only their logits are computed."""
    hidden = model.model(input_ids=tokens[:, :-1], position_ids=positions[:, :-1], use_cache=False).last_hidden_state
    mask = learnt[:, 1:]
    return torch.nn.functional.cross_entropy(model.lm_head(hidden[mask]), tokens[:, 1:][mask])


def train(model, encoder, steps, checkpoint):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=LEARNING_RATE, betas=(0.9, 0.98)
    )
    first, spent, losses, seen = 0, 0.0, [], 0
    if checkpoint and checkpoint.exists():
        saved = torch.load(checkpoint)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        first, spent, losses, seen = saved["step"], saved["spent"], saved["losses"], saved["seen"]
    began, window, tokens_seen = time.time() - spent, [], seen
    for step, (tokens, learnt, positions) in enumerate(batches(encoder)):
        if step == steps:
            break
        if step < first:
            continue
        rate = min(1.0, (step + 1) / WARM_UP, 0.01 + (steps - step) / (steps * FALLING_SHARE))
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * rate
        loss = loss_of(model, tokens, learnt, positions)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        window.append(loss.item())
        tokens_seen += tokens.numel()
        if (step + 1) % 100 == 0 or step + 1 == steps:
            losses.append([step + 1, round(sum(window) / len(window), 4)])
            print(f"step {step + 1:5} loss {losses[-1][1]:.4f} {tokens_seen / 1e6:.2f} M tokens {time.time() - began:6.0f} s", flush=True)
            window = []
        if checkpoint and (step + 1) % CHECKPOINT_EVERY == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(state | {"spent": time.time() - began, "losses": losses, "seen": tokens_seen}, checkpoint)
    return {"losses": losses, "tokens": tokens_seen, "seconds": round(time.time() - began)}


@torch.no_grad()
def answer(model, encoder, messages, most=72):
    """The greedy answer."""
    prompt = encoder.prompt(messages)
    out = model(torch.tensor([prompt]), use_cache=True, logits_to_keep=1)
    tokens = []
    while len(tokens) < most:
        best = int(out.logits[0, -1].argmax())
        if best == encoder.stop:
            break
        tokens.append(best)
        out = model(torch.tensor([[best]]), past_key_values=out.past_key_values, use_cache=True)
    return encoder.tokenizer.decode(tokens)


@torch.no_grad()
def says(model, encoder, messages, wanted):
    """Whether the greedy answer is `wanted`: each of its tokens is the best one after those before it."""
    prompt, body = encoder.prompt(messages), [*encoder.ids(wanted), encoder.stop]
    logits = model(torch.tensor([prompt + body]), logits_to_keep=len(body) + 1).logits[0, :-1]
    return logits.argmax(-1).tolist() == body


def measure(model, encoder, cases, answers):
    """Shares: exactly the right answer; nearly it; a whole sentence of the corpus, right or wrong."""
    right = [says(model, encoder, messages, wanted) for messages, wanted in cases]
    exact = near = whole = sum(right)
    if exact < len(cases) / 2:
        # A model of a few steps: its wrong answers would take long and tell nothing.
        return {"cases": len(cases), "exact": round(exact / len(cases), 3)}, []
    wrong = []
    for messages, wanted in itertools.compress(cases, [not r for r in right]):
        given = answer(model, encoder, messages)
        near += difflib.SequenceMatcher(None, given, wanted).ratio() > 0.9
        whole += given in answers
        wrong.append([messages[-1]["content"][:120], given])
    share = lambda n: round(n / len(cases), 3)
    return {"cases": len(cases), "exact": share(exact), "near": share(near), "whole_answer": share(whole)}, wrong


def evaluate(model, encoder):
    draw = Draw(SEED - 1)
    answers = {a for *_, a in draw.facts}
    user = lambda text: {"role": "user", "content": text}
    held = [(q, a) for _, _, questions, a in draw.known for q in questions]
    plain = [([user(q[:1].upper() + q[1:] + "?")], a) for q, a in held]
    typed = [([user(draw.surface(q))], a) for q, a in held]
    later = []
    for q, a in held:
        before = [m for m in draw.conversation() if m["role"] != "system"]
        system = {"role": "system", "content": draw.fill(draw.random.choice(draw.words["system"]))}
        later.append(([system, *before, user(q[:1].upper() + q[1:] + "?")], a))
    elsewhere = [([user(q)], a) for q, a in draw.asked_elsewhere(300)]
    report, samples = {}, {}
    for name, cases in {"held_out": plain, "held_out_as_typed": typed, "held_out_later_in_a_conversation": later, "elsewhere": elsewhere}.items():
        report[name], samples[name] = measure(model, encoder, cases, answers)
        print(name, report[name], flush=True)
    return report, samples


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def save(model, tokenizer, folder):
    """The files of a model folder, weights in f16; the model becomes what the file holds."""
    weights = {k: v.to(torch.float16).contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    model.load_state_dict({k: v.float() for k, v in weights.items()}, strict=False)
    write_json(folder / "config.json", model.config.to_diff_dict() | {"dtype": "float16"})
    stop, end = tokenizer.token_to_id(STOP), tokenizer.token_to_id(END)
    write_json(folder / "generation_config.json", {"bos_token_id": end, "eos_token_id": [stop, end], "pad_token_id": end, "do_sample": False})
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": END, "eos_token": STOP, "pad_token": END}
    settings |= {"model_max_length": CONTEXT, "clean_up_tokenization_spaces": False, "chat_template": TEMPLATE}
    write_json(folder / "tokenizer_config.json", settings)


def check(model, encoder, folder):
    """The folder as transformers reads it answers as the model that was trained."""
    again = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    messages = [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": "What is a policy? \U0001f642"}]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert tokenizer.encode(rendered, add_special_tokens=False) == encoder.prompt(messages)
    assert answer(again, encoder, messages) == answer(model, encoder, messages)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, default=STEPS)
    arguments.add_argument("--out", type=pathlib.Path, default=HERE, help="folder for the model's files")
    arguments.add_argument("--checkpoint", type=pathlib.Path, help="file to go on from, written every so many steps")
    arguments.add_argument("--wrong", type=pathlib.Path, help="file for the wrong answers of the evaluation")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    transformers.logging.set_verbosity_error()
    tokenizer = make_tokenizer()
    encoder = Encoder(tokenizer)
    model = LlamaForCausalLM._from_config(config_for(tokenizer), attn_implementation="sdpa", dtype=torch.float32)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"{parameters} parameters", flush=True)
    report = train(model.train(), encoder, given.steps, given.checkpoint)
    given.out.mkdir(parents=True, exist_ok=True)
    save(model.eval(), tokenizer, given.out)
    check(model, encoder, given.out)
    accuracy, wrong = evaluate(model, encoder)
    made_with = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__, "tokenizers": tokenizers.__version__}
    write_json(given.out / "report.json", {"seed": SEED, "steps": given.steps, "parameters": parameters} | report | {"accuracy": accuracy, "made_with": made_with})
    if given.wrong:
        write_json(given.wrong, wrong)


if __name__ == "__main__":
    main()
