"""The Google Gen AI SDK."""

import base64

import expect
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from cases import CITY, PNG, QUESTION, SEEN, UPSTREAMS, WISH_THINKING, WISH_TOOL, WISH_USAGE, shows_thinking

TOOLS = [
    types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name=name, description="A tool.", parameters_json_schema=CITY)
            for name in ["get_weather", "get_time"]
        ]
    )
]


def client(base):
    options = types.HttpOptions(base_url=base, timeout=30_000, retry_options=types.HttpRetryOptions(attempts=1))
    return genai.Client(api_key="any", vertexai=False, http_options=options)


def user(*parts):
    return types.Content(role="user", parts=[types.Part(text=p) if isinstance(p, str) else p for p in parts])


class Whole:
    """An answer, or the chunks of one put together."""

    def __init__(self, chunks):
        self.chunks = chunks
        self.parts = [
            part
            for chunk in chunks
            for candidate in chunk.candidates or []
            for part in (candidate.content.parts if candidate.content else None) or []
        ]
        self.text = "".join(part.text for part in self.parts if part.text and not part.thought)
        self.thoughts = "".join(part.text for part in self.parts if part.text and part.thought)
        self.calls = [part.function_call for part in self.parts if part.function_call]
        reasons = [c.finish_reason for chunk in chunks for c in chunk.candidates or [] if c.finish_reason]
        self.reason = reasons[-1] if reasons else None
        self.usage = chunks[-1].usage_metadata
        # As it came, with the empty text that ends a stream.
        self.content = types.Content(role="model", parts=self.parts)


def generate(base, stream, upstream, contents, **config):
    config = types.GenerateContentConfig(
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), **config
    )
    # A client that nobody holds is closed at once.
    caller = client(base)
    asked = {"model": UPSTREAMS.get(upstream, upstream), "contents": contents, "config": config}
    if stream:
        return Whole(list(caller.models.generate_content_stream(**asked)))
    return Whole([caller.models.generate_content(**asked)])


def test_whole(base, upstream):
    answer = generate(base, False, upstream, QUESTION)
    assert QUESTION in answer.text
    assert answer.reason == types.FinishReason.STOP
    assert answer.chunks[0].model_version == UPSTREAMS[upstream]


def test_stream(base, upstream):
    answer = generate(base, True, upstream, QUESTION)
    assert QUESTION in answer.text and len(answer.chunks) > 3
    assert answer.reason == types.FinishReason.STOP


def test_system_and_many_turns(base, upstream):
    model = types.Content(role="model", parts=[types.Part(text="Hello Ada.")])
    turns = [user("My name is Ada."), model, user("What is my name?")]
    answer = generate(base, False, upstream, turns, system_instruction="Be brief.")
    assert "What is my name?" in answer.text


def test_chats(base, upstream):
    """The SDK keeps what a stream ends with, an empty text, and sends it back; the model may change on the way."""
    caller = client(base)
    chat = caller.chats.create(model=UPSTREAMS[upstream])
    for question in ["My name is Ada.", "What is my name?"]:
        said = "".join(chunk.text or "" for chunk in chat.send_message_stream(question))
        assert question in said, said
    assert len(chat.get_history(curated=True)) >= 4, chat.get_history(curated=True)
    gone_on = caller.chats.create(model=UPSTREAMS["gemini"], history=chat.get_history(curated=True))
    assert "Where am I?" in gone_on.send_message("Where am I?").text


def test_tools_there_and_back(base, upstream):
    for stream in [False, True]:
        turns = [user(WISH_TOOL)]
        answer = generate(base, stream, upstream, turns, tools=TOOLS)
        assert answer.text.strip() == "Checking."
        calls = [(call.name, call.args["city"]) for call in answer.calls]
        assert calls == [("get_weather", "Oslo"), ("get_time", "Rome")]
        results = [
            types.Part(
                function_response=types.FunctionResponse(id=call.id, name=call.name, response={"output": text})
            )
            for call, text in zip(answer.calls, ["heavy rain", "noon"])
        ]
        turns += [answer.content, user(*results)]
        answer = generate(base, stream, upstream, turns, tools=TOOLS)
        assert "heavy rain" in answer.text and "noon" in answer.text, answer.text


def test_forced_tool(base, upstream):
    calling = types.FunctionCallingConfig(mode="ANY", allowed_function_names=["get_time"])
    config = types.ToolConfig(function_calling_config=calling)
    answer = generate(base, False, upstream, "Hello.", tools=TOOLS, tool_config=config)
    assert [call.name for call in answer.calls] == ["get_time"]


def test_thinking(base, upstream):
    for stream in [False, True]:
        config = types.ThinkingConfig(thinking_level="HIGH", include_thoughts=True)
        turns = [user(WISH_THINKING)]
        answer = generate(base, stream, upstream, turns, thinking_config=config)
        assert answer.text == "Checking."
        if shows_thinking(upstream):
            assert answer.thoughts == "Look it up first.", answer.thoughts
        turns += [answer.content, user("And now?")]
        assert "And now?" in generate(base, stream, upstream, turns, thinking_config=config).text


def test_declared_shape(base, upstream):
    class Weather(BaseModel):
        city: str
        degrees: int

    answer = generate(
        base, False, upstream, "How warm?", response_mime_type="application/json", response_schema=Weather
    )
    assert isinstance(answer.chunks[0].parsed, Weather), answer.text


def test_picture(base, upstream):
    picture = types.Part(inline_data=types.Blob(mime_type="image/png", data=base64.b64decode(PNG)))
    assert SEEN in generate(base, False, upstream, [user("What is this?", picture)]).text


def test_usage(base, upstream):
    for stream in [False, True]:
        usage = generate(base, stream, upstream, WISH_USAGE).usage
        assert (usage.prompt_token_count, usage.cached_content_token_count) == (120, 100), usage
        assert (usage.candidates_token_count, usage.thoughts_token_count) == (30, 10), usage
        assert usage.total_token_count == 160


def test_limits_and_stops(base, upstream):
    answer = generate(base, False, upstream, "sim:long 100", max_output_tokens=16)
    assert answer.reason == types.FinishReason.MAX_TOKENS
    answer = generate(base, True, upstream, "sim:text one STOP two", stop_sequences=["STOP"])
    assert answer.text.strip() == "one"


def test_count(base, upstream):
    caller = client(base)
    count = caller.models.count_tokens(model=UPSTREAMS[upstream], contents=QUESTION)
    assert 5 < count.total_tokens < 200, count


def test_errors_are_the_sdks_own(base, upstream):
    def ask(text, stream=False):
        return generate(base, stream, upstream, text)

    for wish, code in [("sim:400", 400), ("sim:context", 400), ("sim:404", 404)]:
        error = expect.raises(errors.ClientError, lambda: ask(wish))
        assert error.code == code and error.status and error.message, error
    error = expect.raises(errors.ClientError, lambda: own(base, upstream, "429"))
    assert (error.code, error.status) == (429, "RESOURCE_EXHAUSTED")
    error = expect.raises(errors.ServerError, lambda: own(base, upstream, "500"))
    assert (error.code, error.status) == (500, "INTERNAL")
    error = expect.raises(errors.ServerError, lambda: own(base, upstream, "529"))
    assert error.status == "UNAVAILABLE", error
    error = expect.raises(errors.ServerError, lambda: own(base, upstream, "401"))
    assert error.code == 503 and "api_key" in error.message
    expect.raises(errors.APIError, lambda: ask("sim:error_mid 2 sim:long 20", stream=True))


def own(base, upstream, trouble):
    """Asks a provider of which this test alone has the key: a refusal puts it to rest."""
    model = UPSTREAMS[upstream].split("/")[1]
    return generate(base, False, f"gemini-{upstream}-{trouble}/{model}", "Hi.")


def test_models(base, upstream):
    caller = client(base)
    names = [model.name for model in caller.models.list()]
    model = UPSTREAMS[upstream].split("/")[1]
    assert f"models/{model}" in names, names
    assert caller.models.get(model=model).name == f"models/{model}"
