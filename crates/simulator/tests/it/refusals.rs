//! Helpers for tables of refused requests.

use crate::client::{Answer, post};
use byok_simulator::Simulator;
use serde_json::{Value, json};

/// Fields to put into a good request, by JSON pointer; `None` takes the field out.
pub type Changes<'a> = &'a [(&'a str, Option<Value>)];

/// The request with the changes.
pub fn changed(good: &Value, changes: Changes<'_>) -> Value {
    let mut body = good.clone();
    for (pointer, value) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
        match (parent, value) {
            (Value::Object(object), Some(value)) => drop(object.insert(name.to_owned(), value.clone())),
            (Value::Object(object), None) => drop(object.remove(name)),
            (Value::Array(list), Some(value)) => list[name.parse::<usize>().unwrap()] = value.clone(),
            (other, _) => panic!("{pointer}: {other}"),
        }
    }
    body
}

/// Every object of a document, by pointer.
fn objects(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            found.push(pointer.to_owned());
            for (name, member) in members {
                objects(member, &format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                objects(item, &format!("{pointer}/{at}"), found);
            }
        }
        _ => {}
    }
}

/// Puts an unknown field into every object of a good request, one at a time. Objects below a `free` name may hold anything.
pub async fn unknown_fields_are_refused(
    simulator: &Simulator,
    target: &str,
    headers: &[(&str, &str)],
    good: &Value,
    free: &[&str],
) {
    let answer = post(simulator, target, headers, good).await;
    assert_eq!(answer.status, 200, "the request is not good: {}", answer.text());
    let mut pointers = Vec::new();
    objects(good, "", &mut pointers);
    let mut tried = 0;
    for pointer in pointers.iter().filter(|pointer| !free.iter().any(|name| pointer.contains(name))) {
        let mut body = good.clone();
        body.pointer_mut(pointer).unwrap()["sim_unknown"] = json!(1);
        let answer = post(simulator, target, headers, &body).await;
        assert_eq!(answer.status, 400, "{pointer}: {}", answer.text());
        assert!(answer.text().contains("sim_unknown"), "{pointer}: {}", answer.text());
        tried += 1;
    }
    assert!(tried > 8, "only {tried} objects");
}

/// The message of an error in any vendor's shape.
pub fn message(answer: &Answer) -> String {
    let body = answer.json();
    let body = if let Value::Array(list) = &body { &list[0] } else { &body };
    body["error"]["message"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
}
