//! `OctoProxy`: a database of Kiro logins, and its export.

use super::{
    kiroproxy::{tokens, unpacked},
    peers::{Entry, Taken},
    record::Fields,
};
use crate::{
    login::plain,
    sqlite::{Damaged, Rows},
};
use serde_json::{Value, json};

pub(super) const BY: &str = "OctoProxy";
/// Columns that later versions added count only if they are there.
const COLUMNS: [&str; 8] = [
    "uuid",
    "name",
    "region",
    "credentials",
    "is_disabled",
    "account_email",
    "provider_type",
    "allowed_models",
];

/// The table `providers`. Copies of tokens in other tables are old.
pub(super) fn database(rows: &Rows, columns: &[String], now: i64) -> Result<Taken, Damaged> {
    let asked = COLUMNS.map(|name| if columns.iter().any(|column| column == name) { name } else { "NULL" });
    let query = format!(
        "SELECT {} FROM providers ORDER BY id",
        asked.map(|name| format!("CAST({name} AS TEXT)")).join(", ")
    );
    let all = rows.each(&query, &[], |row| {
        let mut record = json!({});
        for (at, name) in COLUMNS.iter().enumerate() {
            record[*name] = row.get::<_, Option<String>>(at)?.into();
        }
        Ok(record)
    })?;
    let mut taken = Taken::of(BY);
    for record in &all {
        add(&mut taken, record, true, now);
    }
    Ok(taken)
}

/// The export of its panel.
pub(super) fn export(json: &Value, now: i64) -> Taken {
    let mut taken = Taken::of(BY);
    for record in json["providers"].as_array().into_iter().flatten() {
        add(&mut taken, record, false, now);
    }
    taken
}

fn add(taken: &mut Taken, record: &Value, live: bool, now: i64) {
    let fields = Fields(record);
    let email = fields.shown("account_email");
    let name = fields.shown("name").or_else(|| email.clone());
    let what = name.as_ref().map_or_else(|| "kiro".to_owned(), |name| format!("kiro: {name}"));
    if let Some(kind) = fields.text("provider_type").filter(|kind| *kind != "kiro") {
        taken.leave(what, format!("byok has no login for its provider `{}`", plain(kind)));
        return;
    }
    let key = format!("kiro/{}", fields.text("uuid").or(fields.text("name")).unwrap_or_default());
    let credentials = record.get("credentials").map(unpacked).unwrap_or_default();
    let read = tokens(&credentials, fields.text("region"), &|_| None, now).map(|(mut found, notes)| {
        found.login.details.email = email;
        let mut entry = Entry { notes, ..Entry::new("kiro", key, found) };
        entry.name = name;
        entry.live = live;
        entry.disabled |=
            matches!(&record["is_disabled"], Value::Bool(true)) || is_one(&record["is_disabled"]);
        if fields.text("allowed_models").is_some() {
            entry.notes.push("not taken over: allowed_models".to_owned());
        }
        entry
    });
    taken.add(&what, read);
}

fn is_one(value: &Value) -> bool {
    value.as_i64() == Some(1) || value.as_str() == Some("1")
}

#[cfg(test)]
mod tests;
