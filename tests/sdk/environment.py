"""All SDKs with nothing but the variables that README tells to set."""

import anthropic
import openai
from google import genai

from cases import QUESTION, UPSTREAMS

USER = [{"role": "user", "content": QUESTION}]


def test_openai_chat(_base, upstream):
    answer = openai.OpenAI().chat.completions.create(model=UPSTREAMS[upstream], messages=USER)
    assert QUESTION in answer.choices[0].message.content


def test_openai_responses(_base, upstream):
    answer = openai.OpenAI().responses.create(model=UPSTREAMS[upstream], input=QUESTION)
    assert QUESTION in answer.output_text


def test_anthropic(_base, upstream):
    answer = anthropic.Anthropic().messages.create(model=UPSTREAMS[upstream], max_tokens=1000, messages=USER)
    assert QUESTION in "".join(block.text for block in answer.content if block.type == "text")


def test_gemini(_base, upstream):
    # A client that nobody holds is closed at once.
    caller = genai.Client()
    answer = caller.models.generate_content(model=UPSTREAMS[upstream], contents=QUESTION)
    assert QUESTION in answer.text
