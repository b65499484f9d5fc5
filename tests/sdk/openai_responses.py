"""The OpenAI SDK, Responses."""

import json

import openai
import expect
from pydantic import BaseModel

from cases import CITY, PNG, QUESTION, SEEN, UPSTREAMS, WISH_THINKING, WISH_TOOL, WISH_USAGE, shows_thinking

TOOLS = [
    {"type": "function", "name": name, "description": "A tool.", "parameters": CITY, "strict": True}
    for name in ["get_weather", "get_time"]
]
BLOBS = {"store": False, "include": ["reasoning.encrypted_content"]}


def client(base):
    return openai.OpenAI(base_url=f"{base}/v1", api_key="any", max_retries=0, timeout=30)


def respond(base, stream, **asked):
    if not stream:
        return client(base).responses.create(**asked)
    with client(base).responses.stream(**asked) as running:
        return running.get_final_response()


def test_whole(base, upstream):
    answer = client(base).responses.create(model=UPSTREAMS[upstream], input=QUESTION)
    assert QUESTION in answer.output_text
    assert answer.status == "completed" and answer.model == UPSTREAMS[upstream]
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_stream(base, upstream):
    with client(base).responses.stream(model=UPSTREAMS[upstream], input=QUESTION) as stream:
        events = [event.type for event in stream]
        answer = stream.get_final_response()
    assert events[0] == "response.created" and events[-1] == "response.completed"
    assert events.count("response.output_text.delta") > 3
    assert QUESTION in answer.output_text


def test_system_and_many_turns(base, upstream):
    turns = [
        {"role": "developer", "content": "Use metres."},
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": "Hello Ada."},
        {"role": "user", "content": "What is my name?"},
    ]
    answer = client(base).responses.create(model=UPSTREAMS[upstream], instructions="Be brief.", input=turns)
    assert "What is my name?" in answer.output_text


def test_tools_there_and_back(base, upstream):
    for stream in [False, True]:
        turns = [{"role": "user", "content": WISH_TOOL}]
        asked = {"model": UPSTREAMS[upstream], "tools": TOOLS, **BLOBS}
        answer = respond(base, stream, input=turns, **asked)
        assert answer.output_text.strip() == "Checking."
        calls = [item for item in answer.output if item.type == "function_call"]
        assert [call.name for call in calls] == ["get_weather", "get_time"]
        assert [json.loads(call.arguments)["city"] for call in calls] == ["Oslo", "Rome"]
        for item in answer.output:
            kept = item.model_dump(exclude_none=True, warnings=False)
            kept.pop("parsed_arguments", None)
            for part in kept.get("content") or []:
                part.pop("parsed", None)
            turns.append(kept)
        for call, result in zip(calls, ["heavy rain", "noon"]):
            turns.append({"type": "function_call_output", "call_id": call.call_id, "output": result})
        answer = respond(base, stream, input=turns, **asked)
        assert "heavy rain" in answer.output_text and "noon" in answer.output_text


def test_forced_tool(base, upstream):
    choice = {"type": "function", "name": "get_time"}
    answer = respond(base, False, model=UPSTREAMS[upstream], input="Hello.", tools=TOOLS, tool_choice=choice)
    assert [item.name for item in answer.output if item.type == "function_call"] == ["get_time"]


def test_thinking(base, upstream):
    for stream in [False, True]:
        turns = [{"role": "user", "content": WISH_THINKING}]
        asked = {"model": UPSTREAMS[upstream], "reasoning": {"effort": "high", "summary": "auto"}, **BLOBS}
        answer = respond(base, stream, input=turns, **asked)
        assert answer.output_text == "Checking."
        thoughts = [part.text for item in answer.output if item.type == "reasoning" for part in item.summary]
        if shows_thinking(upstream):
            assert "".join(thoughts) == "Look it up first.", thoughts
        for item in answer.output:
            kept = item.model_dump(exclude_none=True, warnings=False)
            for part in kept.get("content") or []:
                part.pop("parsed", None)
            turns.append(kept)
        turns.append({"role": "user", "content": "And now?"})
        assert "And now?" in respond(base, stream, input=turns, **asked).output_text


def test_declared_shape(base, upstream):
    class Weather(BaseModel):
        city: str
        degrees: int

    answer = client(base).responses.parse(
        model=UPSTREAMS[upstream], input="How warm is it?", text_format=Weather
    )
    assert isinstance(answer.output_parsed, Weather)


def test_picture(base, upstream):
    content = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"},
    ]
    answer = client(base).responses.create(
        model=UPSTREAMS[upstream], input=[{"role": "user", "content": content}]
    )
    assert SEEN in answer.output_text


def test_usage(base, upstream):
    for stream in [False, True]:
        usage = respond(base, stream, model=UPSTREAMS[upstream], input=WISH_USAGE).usage
        assert (usage.input_tokens, usage.output_tokens) == (120, 40), usage
        assert usage.input_tokens_details.cached_tokens == 100
        assert usage.output_tokens_details.reasoning_tokens == 10


def test_limits(base, upstream):
    for stream in [False, True]:
        events = {"model": UPSTREAMS[upstream], "input": "sim:long 100", "max_output_tokens": 16}
        if stream:
            answer = list(client(base).responses.create(stream=True, **events))[-1].response
        else:
            answer = client(base).responses.create(**events)
        assert answer.status == "incomplete"
        assert answer.incomplete_details.reason == "max_output_tokens"


def test_count(base, upstream):
    count = client(base).responses.input_tokens.count(model=UPSTREAMS[upstream], input=QUESTION)
    assert 5 < count.input_tokens < 200, count


def test_errors_are_the_sdks_own(base, upstream):
    def ask(text, **more):
        return client(base).responses.create(model=UPSTREAMS[upstream], input=text, **more)

    error = expect.raises(openai.BadRequestError, lambda: ask("sim:context"))
    assert error.code == "context_length_exceeded", error
    expect.raises(openai.BadRequestError, lambda: ask("sim:400"))
    expect.raises(openai.NotFoundError, lambda: ask("sim:404"))
    error = expect.raises(openai.RateLimitError, lambda: own(base, upstream, "429"))
    assert int(error.response.headers["retry-after"]) > 0
    expect.raises(openai.InternalServerError, lambda: own(base, upstream, "500"))
    expect.raises(openai.InternalServerError, lambda: own(base, upstream, "529"))
    error = expect.raises(openai.InternalServerError, lambda: own(base, upstream, "401"))
    assert error.status_code == 503 and "api_key" in error.message
    # A failure in the middle is the terminal event or an exception, never a completed answer.
    try:
        last = list(ask("sim:error_mid 2", stream=True))[-1]
    except openai.APIError:
        return
    assert last.type in ("response.failed", "error"), last


def own(base, upstream, trouble):
    """Asks a provider of which this test alone has the key: a refusal puts it to rest."""
    model = UPSTREAMS[upstream].split("/")[1]
    return client(base).responses.create(model=f"responses-{upstream}-{trouble}/{model}", input="Hi.")
