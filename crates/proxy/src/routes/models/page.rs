//! Which part of a list of models is asked for. Anthropic's clients name the model that they go on from, Google's send back a
//! token; `OpenAI` has no pages. Without a limit everything is one page, whatever the vendor's usual size is: many clients
//! ask once.

use byok_translate::ModelEntry;
use byok_types::{Dialect, Failure};
use http::Uri;

/// The largest page of Anthropic and Google alike.
const LARGEST: usize = 1000;

/// A part of a list. Cursors and tokens are names of models, so that a list which changes between two pages shifts nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    limit: Option<usize>,
    /// Only what follows this model.
    after: Option<String>,
    /// Only what comes before this model.
    before: Option<String>,
}

impl Page {
    /// Reads the query of a client of `dialect`.
    pub(super) fn of(dialect: Dialect, uri: &Uri) -> Result<Self, Failure> {
        let mut page = Self::default();
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match (dialect, name.as_ref()) {
                (Dialect::Messages, "limit") => page.limit = Some(limit(&value)?),
                (Dialect::Messages, "after_id") => page.after = Some(value.into_owned()),
                (Dialect::Messages, "before_id") => page.before = Some(value.into_owned()),
                (Dialect::Gemini, "pageSize" | "page_size") => page.limit = size(&value)?,
                (Dialect::Gemini, "pageToken" | "page_token") if !value.is_empty() => {
                    page.after = Some(value.into_owned());
                }
                _ => {}
            }
        }
        if page.after.is_some() && page.before.is_some() {
            let text = "`after_id` and `before_id` lead in two directions. Name one of them.";
            return Err(Failure::bad_request("before_id", text));
        }
        Ok(page)
    }

    /// The part, and whether there is more in the direction that was asked for.
    pub(super) fn part(
        &self,
        dialect: Dialect,
        mut models: Vec<ModelEntry>,
    ) -> Result<(Vec<ModelEntry>, bool), Failure> {
        let cursor = if dialect == Dialect::Gemini { "pageToken" } else { "after_id" };
        if let Some(after) = &self.after {
            models = models.split_off(place(&models, after, cursor)? + 1);
        }
        let limit = self.limit.unwrap_or(usize::MAX);
        let Some(before) = &self.before else {
            let more = models.len() > limit;
            models.truncate(limit);
            return Ok((models, more));
        };
        models.truncate(place(&models, before, "before_id")?);
        let more = models.len() > limit;
        Ok((models.split_off(models.len().saturating_sub(limit)), more))
    }
}

fn place(models: &[ModelEntry], id: &str, field: &str) -> Result<usize, Failure> {
    models.iter().position(|model| model.id == id).ok_or_else(|| {
        let text = format!("`{field}` names no model of this list. Begin again without it.");
        Failure::bad_request(field, text)
    })
}

fn limit(text: &str) -> Result<usize, Failure> {
    text.parse().ok().filter(|limit| (1..=LARGEST).contains(limit)).ok_or_else(|| {
        Failure::bad_request("limit", format!("`limit` must be a number from 1 to {LARGEST}."))
    })
}

/// Google takes more than the largest size for the largest, and nothing or 0 for none.
fn size(text: &str) -> Result<Option<usize>, Failure> {
    match text.parse::<usize>() {
        _ if text.is_empty() => Ok(None),
        Ok(0) => Ok(None),
        Ok(size) => Ok(Some(size.min(LARGEST))),
        Err(_) => Err(Failure::bad_request("pageSize", "`pageSize` must be a number, 0 or more.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models(ids: &str) -> Vec<ModelEntry> {
        ids.chars().map(|id| ModelEntry { id: id.to_string(), ..ModelEntry::default() }).collect()
    }

    /// The ids of the part that a query asks for, and `+` if there is more; else the field that is refused.
    fn told(dialect: Dialect, query: &str) -> String {
        let uri = format!("/v1/models?{query}").parse().unwrap();
        let told = Page::of(dialect, &uri).and_then(|page| page.part(dialect, models("abcde")));
        match told {
            Ok((part, more)) => {
                let ids: String = part.into_iter().map(|model| model.id).collect();
                if more { ids + "+" } else { ids }
            }
            Err(failure) => {
                assert_eq!(failure.status, 400);
                failure.param.unwrap_or_default()
            }
        }
    }

    #[test]
    fn parts_of_a_list() {
        let anthropic = [
            ("", "abcde"),
            ("limit=2", "ab+"),
            ("limit=5", "abcde"),
            ("limit=2&after_id=b", "cd+"),
            ("limit=2&after_id=c", "de"),
            ("after_id=e", ""),
            ("before_id=c", "ab"),
            ("limit=2&before_id=e", "cd+"),
            ("limit=2&before_id=c", "ab"),
            ("limit=0", "limit"),
            ("limit=1001", "limit"),
            ("limit=x", "limit"),
            ("after_id=z", "after_id"),
            ("before_id=z", "before_id"),
            ("after_id=a&before_id=c", "before_id"),
            ("pageSize=2", "abcde"),
        ];
        for (query, expected) in anthropic {
            assert_eq!(told(Dialect::Messages, query), expected, "{query}");
        }
        let google = [
            ("pageSize=2", "ab+"),
            ("page_size=2&page_token=b", "cd+"),
            ("pageSize=9000&pageToken=c", "de"),
            ("pageSize=0&pageToken=", "abcde"),
            ("pageSize=-1", "pageSize"),
            ("pageToken=z", "pageToken"),
            ("limit=2", "abcde"),
        ];
        for (query, expected) in google {
            assert_eq!(told(Dialect::Gemini, query), expected, "{query}");
        }
        assert_eq!(told(Dialect::Chat, "limit=2&after=b"), "abcde");
    }
}
