"""What the tests of all SDKs share."""

# How a client asks for each upstream dialect.
UPSTREAMS = {
    "chat": "my-chat/gpt-5.1",
    "responses": "my-responses/gpt-5.1",
    "messages": "claude/claude-sonnet-4-6",
    "gemini": "gemini/gemini-3.5-flash",
}

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SEEN = "I see image/png of 70 bytes."

QUESTION = "Grüße, 世界! שלום 🌅 — what is this?"

CITY = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "A city."}},
    "required": ["city"],
    "additionalProperties": False,
}
WISH_TOOL = 'sim:text Checking. sim:tool get_weather {"city":"Oslo"} sim:tool get_time {"city":"Rome"}'
WISH_THINKING = "sim:thinking Look it up first. sim:text Checking."
WISH_USAGE = "sim:usage in=120 cached=100 out=40 reasoning=10 sim:text Checking."


def shows_thinking(upstream):
    """The vendor's Chat Completions show no thinking."""
    return upstream != "chat"
