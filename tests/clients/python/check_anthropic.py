"""Anthropic's Python client, unchanged but for its base URL, against the stage."""

import json
import os
import sys
import time

import anthropic

STAGE = json.loads(os.environ["RINGFENCE_STAGE"])
EMAIL = "bob.builder@example.org"
TOOLS = [
    {
        "name": "weather",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
    }
]


def client(**options):
    base_url = STAGE["url"].removesuffix("/v1")
    return anthropic.Anthropic(
        base_url=base_url, api_key=options.pop("key", STAGE["key"]), **options
    )


def asked(text, **more):
    return {
        "model": "auto",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def refused(kind, call):
    """The error of that kind that `call` raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def whole():
    answer = client().messages.create(**asked(f"I am {EMAIL}", system="Be kind."))
    assert answer.content[0].text == f"You wrote: I am {EMAIL}", answer
    assert answer.stop_reason == "end_turn"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (11, 7)
    assert answer._request_id


def streamed():
    with client().messages.stream(**asked(f"I am {EMAIL}")) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == f"You wrote: I am {EMAIL}", text
    assert final.content[0].text == text and final.stop_reason == "end_turn"
    assert final.usage.output_tokens == 7, final.usage


def raw_events():
    kinds = [event.type for event in client().messages.create(**asked("hello"), stream=True)]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop", kinds


def tools_over_turns():
    for stream in [False, True]:
        request = asked(f"TOOL {EMAIL}", tools=TOOLS)
        if stream:
            with client().messages.stream(**request) as events:
                answer = events.get_final_message()
        else:
            answer = client().messages.create(**request)
        assert answer.stop_reason == "tool_use", answer
        call = next(block for block in answer.content if block.type == "tool_use")
        assert call.name == "weather" and call.input == {"city": EMAIL}, call
        request["messages"] += [
            {"role": "assistant", "content": answer.content},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}],
            },
        ]
        answer = client().messages.create(**request)
        assert answer.content[0].text == "The tool has answered.", answer


def models_and_tokens():
    names = [model.id for model in client().models.list()]
    assert "stand-in-1" in names, names
    assert client().models.retrieve("stand-in-1").id == "stand-in-1"
    request = asked("hello")
    del request["max_tokens"]
    assert client().messages.count_tokens(**request).input_tokens > 0


def errors_have_their_classes():
    once = client(max_retries=0)

    def create(text, by=once, **more):
        return lambda: by.messages.create(**asked(text, **more))

    error = refused(anthropic.AuthenticationError, create("hello", by=client(key="rf-wrong")))
    assert error.request_id, error
    refused(anthropic.NotFoundError, create("hello", model="unheard-of"))
    refused(anthropic.BadRequestError, create("REJECTED"))
    refused(anthropic.BadRequestError, create("hello", messages=[]))
    error = refused(anthropic.RateLimitError, create("LIMITED"))
    assert error.response.headers["retry-after"] == "1"
    refused(anthropic.InternalServerError, create("BROKEN"))


def a_denial_is_not_sent_again():
    source = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
    image = [{"role": "user", "content": [{"type": "image", "source": source}]}]
    begun = time.monotonic()
    error = refused(
        anthropic.PermissionDeniedError,
        lambda: client(max_retries=5).messages.create(**asked("", messages=image)),
    )
    assert error.response.headers["x-should-retry"] == "false"
    # Five retries with their pauses would take longer.
    assert time.monotonic() - begun < 1


def a_time_out_is_the_clients_own():
    begun = time.monotonic()
    once = client(timeout=0.5, max_retries=0)
    refused(anthropic.APITimeoutError, lambda: once.messages.create(**asked("SLOW")))
    assert time.monotonic() - begun < 3


def a_cut_stream_raises():
    def read():
        for _ in client(max_retries=0).messages.create(**asked("CUT"), stream=True):
            pass

    refused(anthropic.APIError, read)


CHECKS = [
    whole,
    streamed,
    raw_events,
    tools_over_turns,
    models_and_tokens,
    errors_have_their_classes,
    a_denial_is_not_sent_again,
    a_time_out_is_the_clients_own,
    a_cut_stream_raises,
]


def main():
    failed = 0
    for check in CHECKS:
        try:
            check()
            print(f"ok: anthropic {anthropic.__version__} for Python: {check.__name__}")
        except Exception as error:
            failed += 1
            print(f"FAILED: {check.__name__}: {type(error).__name__}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
