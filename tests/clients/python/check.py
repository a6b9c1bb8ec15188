"""The official Python client, unchanged but for its base URL, against the stage.

Each check is a function; `RINGFENCE_STAGE` holds the addresses that the stage printed.
"""

import json
import os
import sys
import time

import openai

STAGE = json.loads(os.environ["RINGFENCE_STAGE"])
EMAIL = "bob.builder@example.org"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]


def client(**options):
    return openai.OpenAI(base_url=STAGE["url"], api_key=options.pop("key", STAGE["key"]), **options)


def said(text):
    return [{"role": "user", "content": text}]


def refused(kind, call):
    """The error of that kind that `call` raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def whole():
    answer = client().chat.completions.create(model="auto", messages=said(f"I am {EMAIL}"))
    assert answer.choices[0].message.content == f"You wrote: I am {EMAIL}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == "stand-in-1"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)
    assert answer._request_id


def an_alias():
    answer = client().chat.completions.create(model="gpt-4o", messages=said("hello"))
    assert answer.model == "stand-in-1"


def streamed():
    stream = client().chat.completions.create(
        model="auto",
        messages=said(f"I am {EMAIL}"),
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == f"You wrote: I am {EMAIL}", text
    assert chunks[-1].usage.completion_tokens == 7


def the_stream_helper():
    with client().chat.completions.stream(model="auto", messages=said("hello")) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "content.delta" in kinds, kinds
    assert final.choices[0].message.content == "You wrote: hello"


def tools_over_turns():
    for stream in [False, True]:
        messages = said(f"TOOL {EMAIL}")
        if stream:
            with client().chat.completions.stream(
                model="auto", messages=messages, tools=TOOLS
            ) as events:
                for _ in events:
                    pass
                message = events.get_final_completion().choices[0].message
        else:
            answer = client().chat.completions.create(model="auto", messages=messages, tools=TOOLS)
            assert answer.choices[0].finish_reason == "tool_calls"
            message = answer.choices[0].message
        [call] = message.tool_calls
        assert call.function.name == "weather"
        assert json.loads(call.function.arguments) == {"city": EMAIL}, call.function.arguments
        messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": call.id,
                        "type": "function",
                        "function": {
                            "name": call.function.name,
                            "arguments": call.function.arguments,
                        },
                    }
                ],
            }
        )
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "12 degrees"})
        answer = client().chat.completions.create(model="auto", messages=messages, tools=TOOLS)
        assert answer.choices[0].message.content == "The tool has answered."


def models():
    names = [model.id for model in client().models.list()]
    assert {"auto", "stand-in-1", "gpt-4o"} <= set(names), names
    assert client().models.retrieve("gpt-4o").id == "gpt-4o"
    refused(openai.NotFoundError, lambda: client().models.retrieve("unheard-of"))


def errors_have_their_classes():
    once = client(max_retries=0)

    def create(text, model="auto", by=once):
        return lambda: by.chat.completions.create(model=model, messages=said(text))

    error = refused(openai.AuthenticationError, create("hello", by=client(key="rf-wrong")))
    assert error.code == "invalid_api_key" and error.request_id
    error = refused(openai.NotFoundError, create("hello", model="unheard-of"))
    assert error.code == "model_not_found" and error.param == "model"
    refused(openai.BadRequestError, create("REJECTED"))
    error = refused(openai.RateLimitError, create("LIMITED"))
    assert error.response.headers["retry-after"] == "1"
    refused(openai.InternalServerError, create("BROKEN"))
    refused(openai.BadRequestError, lambda: once.chat.completions.create(model="auto", messages=[]))


def a_denial_is_not_sent_again():
    image = [
        {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
            ],
        }
    ]
    begun = time.monotonic()
    error = refused(
        openai.PermissionDeniedError,
        lambda: client(max_retries=5).chat.completions.create(model="auto", messages=image),
    )
    assert error.code == "unreadable_content", error.code
    assert error.response.headers["x-should-retry"] == "false"
    # Five retries with their pauses would take longer.
    assert time.monotonic() - begun < 1


def a_time_out_is_the_clients_own():
    begun = time.monotonic()
    refused(
        openai.APITimeoutError,
        lambda: client(timeout=0.5, max_retries=0).chat.completions.create(
            model="auto", messages=said("SLOW")
        ),
    )
    assert time.monotonic() - begun < 3


def a_cut_stream_raises():
    def read():
        stream = client(max_retries=0).chat.completions.create(
            model="auto", messages=said("CUT"), stream=True
        )
        for _ in stream:
            pass

    error = refused(openai.APIError, read)
    assert error.code == "answer_broken", error.code


def vectors():
    made = client().embeddings.create(model="stand-in-1", input=[f"I am {EMAIL}", "b", f"I am {EMAIL}"])
    first, second, third = [one.embedding for one in made.data]
    assert first == third != second and len(first) == 3
    # The client asks for base64 unless it is told otherwise: 32-bit floats.
    exact = client().embeddings.create(model="stand-in-1", input="b", encoding_format="float")
    assert all(abs(a - b) < 1e-6 for a, b in zip(exact.data[0].embedding, second))
    assert made.usage.prompt_tokens == 11 and made.model == "stand-in-1"
    tokens = refused(
        openai.BadRequestError,
        lambda: client().embeddings.create(model="stand-in-1", input=[[1, 2, 3]]),
    )
    assert tokens.param == "input[0]"
    refused(openai.NotFoundError, lambda: client().embeddings.create(model="gpt-4o", input="a"))


def responses():
    made = client().responses.create(model="auto", input=f"I am {EMAIL}", instructions="Be brief.")
    assert made.output_text == f"You wrote: I am {EMAIL}", made.output_text
    assert (made.status, made.store, made.instructions) == ("completed", False, "Be brief.")
    assert made.usage.total_tokens == 18 and made._request_id
    kinds = [
        event.type
        for event in client().responses.create(model="auto", input="hello", stream=True)
    ]
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed", kinds
    with client().responses.stream(model="auto", input=f"I am {EMAIL}") as stream:
        text = "".join(e.delta for e in stream if e.type == "response.output_text.delta")
        final = stream.get_final_response()
    assert text == final.output_text == f"You wrote: I am {EMAIL}", text
    kept = refused(
        openai.BadRequestError,
        lambda: client().responses.create(model="auto", input="hello", store=True),
    )
    assert kept.param == "store"


def tools_over_responses():
    tools = [{"type": "function", "strict": False, **TOOLS[0]["function"]}]
    for stream in [False, True]:
        items = said(f"TOOL {EMAIL}")
        if stream:
            with client().responses.stream(model="auto", input=items, tools=tools) as events:
                events.until_done()
                made = events.get_final_response()
        else:
            made = client().responses.create(model="auto", input=items, tools=tools)
        call = made.output[0]
        assert call.type == "function_call" and json.loads(call.arguments) == {"city": EMAIL}, call
        items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in made.output]
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": "rain"})
        made = client().responses.create(model="auto", input=items, tools=tools)
        assert made.output_text == "The tool has answered.", made.output_text


def a_cut_response_fails():
    stream = client(max_retries=0).responses.create(model="auto", input="CUT", stream=True)
    last = list(stream)[-1]
    assert last.type == "response.failed" and last.response.error.code == "answer_broken", last


CHECKS = [
    whole,
    responses,
    tools_over_responses,
    a_cut_response_fails,
    vectors,
    an_alias,
    streamed,
    the_stream_helper,
    tools_over_turns,
    models,
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
            print(f"ok: openai {openai.__version__} for Python: {check.__name__}")
        except Exception as error:
            failed += 1
            print(f"FAILED: {check.__name__}: {type(error).__name__}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
