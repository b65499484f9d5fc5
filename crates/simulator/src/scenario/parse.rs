//! From words to wishes.

use super::{BadScenario, Cause, Gzip, Say, Script, Trouble, UsageWish, Wish, table};
use crate::body::Tear;
use std::{str::FromStr, time::Duration};

/// The wishes at the start of a text: `sim:NAME arguments`, one after another.
pub(super) fn of_text(text: &str) -> Vec<(String, &str)> {
    let mut rest = text.trim_start();
    let mut wishes = Vec::new();
    while let Some(wish) = rest.strip_prefix("sim:") {
        let end = next_wish(wish).unwrap_or(wish.len());
        let (wish, tail) = wish.split_at(end);
        let (name, arguments) = wish.split_once(char::is_whitespace).unwrap_or((wish, ""));
        wishes.push((normal(name), arguments.trim()));
        rest = tail.trim_start();
    }
    wishes
}

/// Where the next `sim:` begins that stands behind white space.
fn next_wish(text: &str) -> Option<usize> {
    text.match_indices("sim:")
        .map(|(at, _)| at)
        .find(|at| text[..*at].chars().next_back().is_some_and(char::is_whitespace))
}

/// The wish in a key: the longest name of a scenario behind `-sim-`, and the words after it.
pub(super) fn of_key(key: &str) -> Option<(String, String)> {
    let (_, wish) = key.split_once("-sim-")?;
    let words: Vec<&str> = wish.split('-').collect();
    (1..=words.len()).rev().find_map(|count| {
        let name = normal(&words[..count].join("_"));
        table::known(&name).then(|| (name, words[count..].join(" ")))
    })
}

fn normal(name: &str) -> String {
    name.to_ascii_lowercase().replace('-', "_")
}

/// Arguments of one wish.
struct Words<'a> {
    name: &'a str,
    words: Vec<&'a str>,
}

impl Words<'_> {
    /// The argument at this place as a number, or `default` if there is none.
    fn number<T: FromStr>(&self, at: usize, default: T) -> Result<T, BadScenario> {
        self.words.get(at).map_or(Ok(default), |word| word.parse().map_err(|_| self.bad(word)))
    }

    fn bad(&self, word: &str) -> BadScenario {
        BadScenario::Argument(word.to_owned(), self.name.to_owned())
    }

    /// `name=number` pairs.
    fn pairs(&self) -> Result<Vec<(&str, u64)>, BadScenario> {
        self.words
            .iter()
            .map(|word| {
                let (name, value) = word.split_once('=').ok_or_else(|| self.bad(word))?;
                Ok((name, value.parse().map_err(|_| self.bad(word))?))
            })
            .collect()
    }
}

const DEFAULT_THINKING: &str = "The person wants to see thinking, so this is a thought of the simulator.";
const LANGUAGES: &str = "English: good morning. Deutsch: guten Morgen, schöne Grüße. Français: ça va bien. \
    Русский: доброе утро. Ελληνικά: καλημέρα. עברית: בוקר טוב. العربية: صباح الخير. हिन्दी: सुप्रभात. \
    日本語: おはようございます。 中文：早上好。 한국어: 좋은 아침. ไทย: สวัสดีตอนเช้า. Emoji: 🌅👩‍👩‍👧‍👦🇳🇴.";

impl Script {
    /// Adds one wish.
    pub(super) fn add(&mut self, name: &str, arguments: &str) -> Result<(), BadScenario> {
        let words = Words { name, words: arguments.split_whitespace().collect() };
        if self.add_answer(&words, arguments)? || self.add_wire(&words)? || self.add_trouble(&words)? {
            return Ok(());
        }
        Err(BadScenario::Unknown(name.to_owned()))
    }

    fn add_answer(&mut self, words: &Words<'_>, arguments: &str) -> Result<bool, BadScenario> {
        let given = (!arguments.is_empty()).then(|| arguments.to_owned());
        match words.name {
            "text" => self.say = Say::Text(given.unwrap_or_else(|| "This is plain text.".to_owned())),
            "languages" => self.say = Say::Text(LANGUAGES.to_owned()),
            "thinking" => self.thinking = given.or_else(|| Some(DEFAULT_THINKING.to_owned())),
            "redacted" => self.redacted = true,
            "tool" => self.calls.push(wish(words, arguments)?),
            "tools" => self.all_tools = true,
            "empty_args" => {
                let name = words.words.first().ok_or_else(|| words.bad(arguments))?;
                let input = serde_json::value::to_raw_value(&serde_json::json!({})).ok();
                self.calls.push(Wish { name: (*name).to_owned(), input });
            }
            "no_ids" => self.no_ids = true,
            "loop" => self.rounds = words.number(0, 2)?,
            "overage" => self.overage = true,
            "refusal" => self.say = Say::Refusal,
            "search" => self.search = given.or_else(|| Some("byok simulator".to_owned())),
            "json" => self.say = Say::Json,
            "stop" => self.stop = Some(given.ok_or_else(|| words.bad(arguments))?),
            "usage" => self.usage = Some(usage(words)?),
            "no_usage" => self.usage = Some(UsageWish { none: true, ..UsageWish::default() }),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn add_wire(&mut self, words: &Words<'_>) -> Result<bool, BadScenario> {
        match words.name {
            "late" => self.late = Duration::from_millis(words.number(0, 1000)?),
            "long" => self.chunks = Some(words.number(0, 200)?),
            "slow" => {
                self.chunks = Some(words.number(0, 10)?);
                self.gap = Some(Duration::from_millis(words.number(1, 200)?));
            }
            "pace" => {
                self.gap = Some(Duration::from_millis(words.number(0, 20)?));
                self.first = Duration::from_millis(words.number(1, 0)?);
            }
            "split" => self.split = Some(words.number(0, 1_usize)?.max(1)),
            "split_utf8" => self.wire.split_utf8 = true,
            "one_byte" => self.wire.one_byte = true,
            "coalesce" => self.wire.coalesce = true,
            "crlf" => self.wire.crlf = true,
            "noise" => self.wire.noise = true,
            "unstreamed" => self.wire.unstreamed = true,
            "gzip" => self.wire.gzip = Some(Gzip::Announced),
            "gzip_silent" => self.wire.gzip = Some(Gzip::Silent),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn add_trouble(&mut self, words: &Words<'_>) -> Result<bool, BadScenario> {
        let trouble = match words.name {
            "context" => Trouble::Refuse(Cause::ContextTooLong, None),
            "third_party" => Trouble::Refuse(Cause::ThirdParty, None),
            "extra_usage" => Trouble::Refuse(Cause::ExtraUsage, None),
            "banned" => Trouble::Refuse(Cause::Banned, None),
            "quota" => Trouble::Refuse(Cause::Quota, Some(words.number(0, 3600)?)),
            "401_once" => Trouble::Fail { times: 1, cause: Cause::Auth },
            "fail" => {
                let cause = Cause::of_status(words.number(1, 503)?)
                    .ok_or_else(|| words.bad(words.words.get(1).copied().unwrap_or_default()))?;
                Trouble::Fail { times: words.number(0, 1)?, cause }
            }
            "silent" => Trouble::Silent,
            "reset" => Trouble::Tear(Tear::Reset),
            "close" => Trouble::Tear(Tear::Close),
            "html" => Trouble::Html(words.number(0, 200)?),
            "error_200" => Trouble::ErrorOk,
            "empty" => Trouble::Empty,
            "error_first" => Trouble::FirstEvent,
            "error_mid" => Trouble::MidError(words.number(0, 2)?),
            "error_bare" => Trouble::BareError(words.number(0, 2)?),
            "reset_mid" => Trouble::MidTear(words.number(0, 2)?, Tear::Reset),
            "close_mid" => Trouble::MidTear(words.number(0, 2)?, Tear::Close),
            "half_mid" => Trouble::HalfFrame(words.number(0, 2)?),
            "stall" => Trouble::StallHeaders,
            "stall_comments" => Trouble::StallComments(words.number(0, 20)?),
            "stall_mid" => Trouble::StallMid(words.number(0, 2)?),
            "no_end" => Trouble::NoEnd,
            "no_done" => Trouble::NoDone,
            "endless_line" => Trouble::EndlessLine(words.number(0, 80)?),
            "invalid_utf8" => Trouble::InvalidUtf8,
            "gzip_bomb" => Trouble::GzipBomb(words.number(0, 1024)?),
            "huge_headers" => Trouble::HugeHeaders(words.number(0, 64)?),
            status => {
                let Some(cause) = status.parse().ok().and_then(Cause::of_status) else { return Ok(false) };
                let wait = if words.words.is_empty() { None } else { Some(words.number(0, 0)?) };
                Trouble::Refuse(cause, wait)
            }
        };
        self.fail_first(trouble);
        Ok(true)
    }
}

fn wish(words: &Words<'_>, arguments: &str) -> Result<Wish, BadScenario> {
    let (name, input) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    if name.is_empty() {
        return Err(words.bad(arguments));
    }
    let input = input.trim();
    let input = if input.is_empty() {
        None
    } else {
        Some(serde_json::from_str(input).map_err(|_| words.bad(input))?)
    };
    Ok(Wish { name: name.to_owned(), input })
}

fn usage(words: &Words<'_>) -> Result<UsageWish, BadScenario> {
    let mut wish = UsageWish::default();
    for (name, value) in words.pairs()? {
        let field = match name {
            "in" => &mut wish.input,
            "cached" => &mut wish.cached,
            "written" => &mut wish.written,
            "out" => &mut wish.output,
            "reasoning" => &mut wish.reasoning,
            other => return Err(words.bad(other)),
        };
        *field = Some(value);
    }
    Ok(wish)
}
