"""The OpenAI SDK, Chat Completions."""

import json

import openai
import expect
from pydantic import BaseModel

from cases import CITY, PNG, QUESTION, SEEN, UPSTREAMS, WISH_THINKING, WISH_TOOL, WISH_USAGE, shows_thinking

TOOLS = [
    {"type": "function", "function": {"name": name, "description": "A tool.", "parameters": CITY}}
    for name in ["get_weather", "get_time"]
]


def client(base):
    return openai.OpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0, timeout=30)


def user(text):
    return [{"role": "user", "content": text}]


def test_whole(base, upstream):
    answer = client(base).chat.completions.create(model=UPSTREAMS[upstream], messages=user(QUESTION))
    assert QUESTION in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == UPSTREAMS[upstream]
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_stream(base, upstream):
    with client(base).chat.completions.stream(model=UPSTREAMS[upstream], messages=user(QUESTION)) as stream:
        events = [event.type for event in stream]
        answer = stream.get_final_completion()
    assert events.count("content.delta") > 3 and events.count("content.done") == 1
    assert QUESTION in answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"


def test_system_and_many_turns(base, upstream):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": "Use metres."},
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": "What is my name?"},
    ]
    answer = client(base).chat.completions.create(model=UPSTREAMS[upstream], messages=messages)
    assert "What is my name?" in answer.choices[0].message.content


def test_tools_there_and_back(base, upstream):
    for stream in [False, True]:
        messages = user(WISH_TOOL)
        asked = {"model": UPSTREAMS[upstream], "tools": TOOLS}
        message = complete(base, stream, messages=messages, **asked)
        assert message.content.strip() == "Checking.", message.content
        names = [call.function.name for call in message.tool_calls]
        assert names == ["get_weather", "get_time"]
        assert [json.loads(call.function.arguments)["city"] for call in message.tool_calls] == ["Oslo", "Rome"]
        messages.append(kept(message))
        for call, result in zip(message.tool_calls, ["heavy rain", "noon"]):
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
        message = complete(base, stream, messages=messages, **asked)
        assert "heavy rain" in message.content and "noon" in message.content


def kept(message):
    """An answer as it goes into the next request; the vendor takes no members of its helpers."""
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.function.name, "arguments": call.function.arguments}}
        | {name: value for name, value in (call.model_extra or {}).items() if name == "extra_content"}
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


def complete(base, stream, **asked):
    if not stream:
        return client(base).chat.completions.create(**asked).choices[0].message
    with client(base).chat.completions.stream(**asked) as running:
        return running.get_final_completion().choices[0].message


def test_forced_tool(base, upstream):
    choice = {"type": "function", "function": {"name": "get_time"}}
    message = complete(
        base, False, model=UPSTREAMS[upstream], messages=user("Hello."), tools=TOOLS, tool_choice=choice
    )
    assert [call.function.name for call in message.tool_calls] == ["get_time"]


def test_thinking(base, upstream):
    asked = {"model": UPSTREAMS[upstream], "messages": user(WISH_THINKING), "reasoning_effort": "high"}
    message = client(base).chat.completions.create(**asked).choices[0].message
    assert message.content == "Checking."
    thought = (message.model_extra or {}).get("reasoning_content") or ""
    streamed = ""
    for chunk in client(base).chat.completions.create(stream=True, **asked):
        for choice in chunk.choices:
            streamed += (choice.delta.model_extra or {}).get("reasoning_content") or ""
    if shows_thinking(upstream):
        assert thought == streamed == "Look it up first.", (thought, streamed)


def test_declared_shape(base, upstream):
    class Weather(BaseModel):
        city: str
        degrees: int

    answer = client(base).chat.completions.parse(
        model=UPSTREAMS[upstream], messages=user("How warm is it?"), response_format=Weather
    )
    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_picture(base, upstream):
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    answer = client(base).chat.completions.create(model=UPSTREAMS[upstream], messages=user(content))
    assert SEEN in answer.choices[0].message.content


def test_usage(base, upstream):
    asked = {"model": UPSTREAMS[upstream], "messages": user(WISH_USAGE)}
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client(base).chat.completions.create(**options, **asked))
    for usage in [client(base).chat.completions.create(**asked).usage, chunks[-1].usage]:
        assert (usage.prompt_tokens, usage.completion_tokens) == (120, 40), usage
        assert usage.prompt_tokens_details.cached_tokens == 100
        assert usage.completion_tokens_details.reasoning_tokens == 10


def test_limits_and_stops(base, upstream):
    answer = client(base).chat.completions.create(
        model=UPSTREAMS[upstream], messages=user("sim:long 100"), max_completion_tokens=16
    )
    assert answer.choices[0].finish_reason == "length"
    answer = client(base).chat.completions.create(
        model=UPSTREAMS[upstream], messages=user("sim:text one STOP two"), stop=["STOP"]
    )
    assert answer.choices[0].message.content.strip() == "one"


def test_errors_are_the_sdks_own(base, upstream):
    def ask(text, **more):
        return client(base).chat.completions.create(model=UPSTREAMS[upstream], messages=user(text), **more)

    error = expect.raises(openai.BadRequestError, lambda: ask("sim:context"))
    assert error.code == "context_length_exceeded", error
    expect.raises(openai.BadRequestError, lambda: ask("sim:400"))
    expect.raises(openai.NotFoundError, lambda: ask("sim:404"))
    error = expect.raises(openai.RateLimitError, lambda: own(base, upstream, "429"))
    assert int(error.response.headers["retry-after"]) > 0
    expect.raises(openai.InternalServerError, lambda: own(base, upstream, "500"))
    expect.raises(openai.InternalServerError, lambda: own(base, upstream, "529"))
    # byok's own refused key is not the caller's.
    error = expect.raises(openai.InternalServerError, lambda: own(base, upstream, "401"))
    assert error.status_code == 503 and "api_key" in error.message
    expect.raises(openai.APIError, lambda: list(ask("sim:error_mid 2", stream=True)))


def own(base, upstream, trouble):
    """Asks a provider of which this test alone has the key: a refusal puts it to rest."""
    model = UPSTREAMS[upstream].split("/")[1]
    return client(base).chat.completions.create(model=f"chat-{upstream}-{trouble}/{model}", messages=user("Hi."))


def test_unknown_model(base, upstream):
    model = UPSTREAMS[upstream].split("/")[1][:-1] + "x-unknown"
    error = expect.raises(
        openai.NotFoundError,
        lambda: client(base).chat.completions.create(model=f"x{model}", messages=user("Hi.")),
    )
    assert error.code == "model_not_found" and "nearest" in error.message


def test_models(base, upstream):
    ids = [model.id for model in client(base).models.list()]
    model = UPSTREAMS[upstream].split("/")[1]
    assert model in ids, ids
    assert client(base).models.retrieve(model).id == model


def test_a_stream_that_is_left(base, upstream):
    running = client(base).chat.completions.create(
        model=UPSTREAMS[upstream], messages=user("sim:slow 1000 10"), stream=True
    )
    next(iter(running))
    running.close()
