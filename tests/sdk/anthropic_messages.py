"""The Anthropic SDK."""

import anthropic
import expect
from pydantic import BaseModel

from cases import CITY, PNG, QUESTION, SEEN, UPSTREAMS, WISH_THINKING, WISH_TOOL, WISH_USAGE, shows_thinking

TOOLS = [{"name": name, "description": "A tool.", "input_schema": CITY} for name in ["get_weather", "get_time"]]


def client(base):
    return anthropic.Anthropic(base_url=base, api_key="any", max_retries=0, timeout=30)


def user(content):
    return [{"role": "user", "content": content}]


def create(base, stream, **asked):
    asked.setdefault("max_tokens", 4096)
    if not stream:
        return client(base).messages.create(**asked)
    with client(base).messages.stream(**asked) as running:
        return running.get_final_message()


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def test_whole(base, upstream):
    message = create(base, False, model=UPSTREAMS[upstream], messages=user(QUESTION))
    assert QUESTION in text_of(message)
    assert message.stop_reason == "end_turn" and message.model == UPSTREAMS[upstream]
    assert message.usage.input_tokens >= 0 and message.usage.output_tokens > 0


def test_stream(base, upstream):
    asked = {"model": UPSTREAMS[upstream], "messages": user(QUESTION), "max_tokens": 4096}
    with client(base).messages.stream(**asked) as stream:
        pieces = list(stream.text_stream)
        message = stream.get_final_message()
    assert len(pieces) > 3 and "".join(pieces) == text_of(message)
    assert QUESTION in text_of(message)


def test_system_and_many_turns(base, upstream):
    turns = [*user("My name is Ada."), {"role": "assistant", "content": "Hello Ada."}, *user("What is my name?")]
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    message = create(base, False, model=UPSTREAMS[upstream], system=system, messages=turns)
    assert "What is my name?" in text_of(message)


def test_tools_there_and_back(base, upstream):
    for stream in [False, True]:
        asked = {"model": UPSTREAMS[upstream], "tools": TOOLS}
        turns = user(WISH_TOOL)
        message = create(base, stream, messages=turns, **asked)
        assert message.stop_reason == "tool_use"
        assert text_of(message).strip() == "Checking."
        calls = [block for block in message.content if block.type == "tool_use"]
        assert [(call.name, call.input["city"]) for call in calls] == [("get_weather", "Oslo"), ("get_time", "Rome")]
        turns.append({"role": "assistant", "content": message.content})
        results = zip(calls, ["heavy rain", "noon"])
        turns += user(
            [{"type": "tool_result", "tool_use_id": call.id, "content": text} for call, text in results]
        )
        message = create(base, stream, messages=turns, **asked)
        assert "heavy rain" in text_of(message) and "noon" in text_of(message)


def test_forced_tool(base, upstream):
    choice = {"type": "tool", "name": "get_time"}
    message = create(
        base, False, model=UPSTREAMS[upstream], messages=user("Hello."), tools=TOOLS, tool_choice=choice
    )
    assert [block.name for block in message.content if block.type == "tool_use"] == ["get_time"]


def test_thinking(base, upstream):
    for stream in [False, True]:
        asked = {
            "model": UPSTREAMS[upstream],
            "thinking": {"type": "adaptive", "display": "summarized"},
            "output_config": {"effort": "high"},
        }
        turns = user(WISH_THINKING)
        message = create(base, stream, messages=turns, **asked)
        assert text_of(message) == "Checking."
        thoughts = [block.thinking for block in message.content if block.type == "thinking"]
        if shows_thinking(upstream):
            assert "".join(thoughts) == "Look it up first.", thoughts
        turns += [{"role": "assistant", "content": message.content}, *user("And now?")]
        assert "And now?" in text_of(create(base, stream, messages=turns, **asked))


def test_thinking_with_tools(base, upstream):
    asked = {"model": UPSTREAMS[upstream], "thinking": {"type": "enabled", "budget_tokens": 2048}, "tools": TOOLS}
    turns = user('sim:thinking Hm. sim:loop 2 sim:tool get_weather {"city":"Oslo"}')
    for _ in range(2):
        message = create(base, True, messages=turns, **asked)
        call = next(block for block in message.content if block.type == "tool_use")
        turns.append({"role": "assistant", "content": message.content})
        turns += user([{"type": "tool_result", "tool_use_id": call.id, "content": "rain"}])
    message = create(base, True, messages=turns, **asked)
    assert message.stop_reason == "end_turn" and "rain" in text_of(message)


def test_declared_shape(base, upstream):
    class Weather(BaseModel):
        city: str
        degrees: int

    message = client(base).messages.parse(
        model=UPSTREAMS[upstream], messages=user("How warm is it?"), max_tokens=4096, output_format=Weather
    )
    assert isinstance(message.parsed_output, Weather)


def test_picture(base, upstream):
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    content = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]
    assert SEEN in text_of(create(base, False, model=UPSTREAMS[upstream], messages=user(content)))


def test_usage(base, upstream):
    for stream in [False, True]:
        usage = create(base, stream, model=UPSTREAMS[upstream], messages=user(WISH_USAGE)).usage
        found = (usage.input_tokens, usage.cache_read_input_tokens, usage.output_tokens)
        assert found == (20, 100, 40), usage


def test_limits_and_stops(base, upstream):
    message = create(base, False, model=UPSTREAMS[upstream], messages=user("sim:long 100"), max_tokens=16)
    assert message.stop_reason == "max_tokens"
    message = create(
        base, True, model=UPSTREAMS[upstream], messages=user("sim:text one STOP two"), stop_sequences=["STOP"]
    )
    assert text_of(message).strip() == "one"
    assert message.stop_reason in ("stop_sequence", "end_turn")


def test_count(base, upstream):
    count = client(base).messages.count_tokens(model=UPSTREAMS[upstream], messages=user(QUESTION))
    assert 5 < count.input_tokens < 200, count


def test_errors_are_the_sdks_own(base, upstream):
    def ask(text, stream=False):
        return create(base, stream, model=UPSTREAMS[upstream], messages=user(text))

    error = expect.raises(anthropic.BadRequestError, lambda: ask("sim:context"))
    assert "prompt is too long" in error.message, error
    assert error.type == "invalid_request_error"
    expect.raises(anthropic.BadRequestError, lambda: ask("sim:400"))
    expect.raises(anthropic.NotFoundError, lambda: ask("sim:404"))
    expect.raises(anthropic.ContentTooLargeError, lambda: ask("sim:413"))
    error = expect.raises(anthropic.RateLimitError, lambda: own(base, upstream, "429"))
    assert error.type == "rate_limit_error" and int(error.response.headers["retry-after"]) > 0
    expect.raises(anthropic.InternalServerError, lambda: own(base, upstream, "500"))
    error = expect.raises(anthropic.InternalServerError, lambda: own(base, upstream, "529"))
    assert error.type == "overloaded_error", error
    error = expect.raises(anthropic.InternalServerError, lambda: own(base, upstream, "401"))
    assert error.status_code == 503 and "api_key" in error.message
    expect.raises(anthropic.APIError, lambda: ask("sim:error_mid 2 sim:long 20", stream=True))


def own(base, upstream, trouble):
    """Asks a provider of which this test alone has the key: a refusal puts it to rest."""
    model = UPSTREAMS[upstream].split("/")[1]
    return create(base, False, model=f"messages-{upstream}-{trouble}/{model}", messages=user("Hi."))


def test_models(base, upstream):
    ids = [model.id for model in client(base).models.list()]
    model = UPSTREAMS[upstream].split("/")[1]
    assert model in ids, ids
    assert client(base).models.retrieve(model).id == model
