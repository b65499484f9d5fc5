//! What `x-byok-dropped` says: names of fields, for a person to read.

use super::outbound::LONGEST_VALUE;
use byok_translate::{Loss, LossAction};
use std::collections::{BTreeMap, BTreeSet};

/// How many places of one kind are named one by one.
const NAMED: usize = 4;
/// Room for how many more there are.
const MORE: usize = 16;

/// The names of fields that the upstream could not be told, what is gone before what byok does in the upstream's place.
/// Where many places of one kind are concerned they are named as one, so that nothing else is crowded out.
pub(super) fn names<'l>(losses: impl Iterator<Item = &'l Loss>) -> Option<String> {
    let (mut gone, mut emulated) = (BTreeSet::new(), BTreeSet::new());
    for loss in losses {
        match loss.action {
            LossAction::Dropped => gone.insert(loss.field.as_str()),
            LossAction::Emulated => emulated.insert(loss.field.as_str()),
            LossAction::DroppedSilently => false,
        };
    }
    let mut all = grouped(&gone);
    all.extend(grouped(&emulated).into_iter().map(|name| format!("{name} (emulated)")));
    let mut value = String::new();
    let mut more = 0;
    for name in all {
        if value.len() + name.len() + MORE > LONGEST_VALUE {
            more += 1;
            continue;
        }
        add(&mut value, &name);
    }
    if more > 0 {
        add(&mut value, &format!("+{more} more"));
    }
    (!value.is_empty()).then_some(value)
}

fn add(value: &mut String, name: &str) {
    if !value.is_empty() {
        value.push(',');
    }
    value.push_str(name);
}

/// The names with `messages[*].content[0]` for many that differ in nothing but such a number.
fn grouped(names: &BTreeSet<&str>) -> Vec<String> {
    let mut kinds: BTreeMap<String, Vec<Place<'_>>> = BTreeMap::new();
    for place in names.iter().map(|name| Place::of(name)) {
        kinds.entry(place.words.join("[*]")).or_default().push(place);
    }
    let mut all = Vec::new();
    for places in kinds.into_values() {
        if places.len() > NAMED {
            all.push(merged(&places));
        } else {
            all.extend(places.iter().map(|place| place.name(|at| Some(place.numbers[at]))));
        }
    }
    all
}

fn merged(places: &[Place<'_>]) -> String {
    places[0].name(|at| {
        let number = places[0].numbers[at];
        places.iter().all(|place| place.numbers[at] == number).then_some(number)
    })
}

/// A name taken apart: the words around the numbers in brackets.
struct Place<'n> {
    words: Vec<&'n str>,
    numbers: Vec<&'n str>,
}

impl<'n> Place<'n> {
    fn of(name: &'n str) -> Self {
        let mut place = Self { words: Vec::new(), numbers: Vec::new() };
        let (mut from, mut looked) = (0, 0);
        while let Some(open) = name[looked..].find('[').map(|at| looked + at) {
            looked = open + 1;
            let Some(length) = name[looked..].find(']') else { break };
            let number = &name[looked..looked + length];
            if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
                place.words.push(&name[from..open]);
                place.numbers.push(number);
                looked += length + 1;
                from = looked;
            }
        }
        place.words.push(&name[from..]);
        place
    }

    /// The name with these numbers; `*` for those that are none.
    fn name(&self, number: impl Fn(usize) -> Option<&'n str>) -> String {
        let mut name = self.words[0].to_owned();
        for (at, word) in self.words[1..].iter().enumerate() {
            name.push('[');
            name.push_str(number(at).unwrap_or("*"));
            name.push(']');
            name.push_str(word);
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(dropped: &[&str], emulated: &[&str]) -> Option<String> {
        let loss = |action| move |field: &&str| Loss { field: (*field).to_owned(), action, reason: "r" };
        let silent = Loss { field: "store".to_owned(), action: LossAction::DroppedSilently, reason: "r" };
        let losses: Vec<Loss> = (emulated.iter().map(loss(LossAction::Emulated)))
            .chain(dropped.iter().map(loss(LossAction::Dropped)))
            .chain([silent])
            .collect();
        names(losses.iter().chain(&losses))
    }

    #[test]
    fn what_is_gone_comes_first_and_many_of_a_kind_are_one() {
        let turns: Vec<String> = (0..40).map(|at| format!("messages[{at}].content[0]")).collect();
        let turns: Vec<&str> = turns.iter().map(String::as_str).collect();
        let parts: Vec<String> = (0..5).map(|at| format!("input[{at}].output[{}]", at * 2)).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        for (dropped, emulated, expected) in [
            (&[][..], &[][..], None),
            (&["top_k", "seed", "seed"], &["a"], Some("seed,top_k,a (emulated)")),
            (&["seed", "tools[1]"], &turns, Some("seed,tools[1],messages[*].content[0] (emulated)")),
            (
                &turns[..4],
                &[],
                Some(
                    "messages[0].content[0],messages[1].content[0],messages[2].content[0],messages[3].content[0]",
                ),
            ),
            (&parts, &[], Some("input[*].output[*]")),
            (&["a[x]", "b[", "c[]", "d[1"], &[], Some("a[x],b[,c[],d[1")),
        ] {
            assert_eq!(said(dropped, emulated).as_deref(), expected, "{dropped:?} {emulated:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let many: Vec<String> = (0..200).map(|at| format!("field_{at:03}")).collect();
        let mut many: Vec<&str> = many.iter().map(String::as_str).collect();
        let long = "x".repeat(2000);
        many.push(&long);
        let value = said(&many, &[]).unwrap();
        assert!(value.len() <= LONGEST_VALUE, "{}", value.len());
        let (named, more) = value.rsplit_once(",+").unwrap();
        let more: usize = more.strip_suffix(" more").unwrap().parse().unwrap();
        assert_eq!(named.split(',').count() + more, 201);
        assert!(named.ends_with("field_111") || named.split(',').count() > 100, "{named}");
        assert_eq!(said(&[&long], &[]).as_deref(), Some("+1 more"));
    }
}
