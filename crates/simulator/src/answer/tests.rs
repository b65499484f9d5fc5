use super::{compose::compose, cut, *};
use crate::{
    asked::{Asked, Choice, Declared, ToolAnswer},
    scenario::Script,
};
use serde_json::json;

fn asked(text: &str) -> Asked {
    let tool = |name: &str| Declared {
        name: name.to_owned(),
        namespace: None,
        free: false,
        schema: json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    };
    Asked {
        model: "m".to_owned(),
        text: text.to_owned(),
        tools: vec![tool("get_weather"), tool("get_time")],
        ..Asked::default()
    }
}

fn answer(asked: &Asked) -> Answer {
    compose(asked, &Script::read("", &asked.text, None).unwrap(), 0)
}

fn names(answer: &Answer) -> Vec<String> {
    answer
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Call(call) => Some(format!("{}{}", call.name, call.input)),
            _ => None,
        })
        .collect()
}

#[test]
fn pieces_join_to_the_text() {
    let text = "Guten Morgen, 早上好早上好早上好早上好早上好早上好 👩‍👩‍👧‍👦\n\nend";
    for split in [None, Some(1), Some(3), Some(1000)] {
        assert_eq!(cut::pieces(text, split).concat(), text, "{split:?}");
    }
}

#[test]
fn the_question_is_repeated_in_its_own_script() {
    let answer = answer(&asked("Wie schön ist Zürich? 早上好"));
    assert!(answer.parts[0].pieces().concat().contains("Wie schön ist Zürich? 早上好"));
    assert_eq!(answer.stop, Stop::End);
}

#[test]
fn tools_are_called_as_wished() {
    let cases: [(&str, &[&str]); 4] = [
        ("sim:tool get_weather {\"city\":\"Oslo\"}", &["get_weather{\"city\":\"Oslo\"}"]),
        ("sim:tool get_time", &["get_time{\"city\":\"some city\"}"]),
        ("sim:empty_args get_time", &["get_time{}"]),
        ("sim:tools", &["get_weather{\"city\":\"some city\"}", "get_time{\"city\":\"some city\"}"]),
    ];
    for (text, expected) in cases {
        let answer = answer(&asked(text));
        assert_eq!(names(&answer), expected, "{text}");
        assert_eq!(answer.stop, Stop::Tools, "{text}");
    }
}

#[test]
fn after_the_results_comes_the_answer_and_a_loop_goes_round() {
    let mut asked = asked("sim:tool get_time");
    asked.rounds = 1;
    asked.results = vec![ToolAnswer { name: "get_time".to_owned(), text: "noon".to_owned() }];
    assert!(answer(&asked).parts[0].pieces().concat().contains("get_time: noon"));
    asked.text = "sim:loop 2 sim:tool get_time".to_owned();
    assert_eq!(names(&answer(&asked)).len(), 1, "second round");
    asked.rounds = 2;
    assert_eq!(names(&answer(&asked)).len(), 0, "done");
}

#[test]
fn a_forced_tool_is_called_and_a_forbidden_one_is_not() {
    let mut asked = asked("hello");
    asked.choice = Choice::Named(vec!["get_time".to_owned()]);
    assert_eq!(names(&answer(&asked)), ["get_time{\"city\":\"some city\"}"]);
    asked.choice = Choice::Any;
    assert_eq!(names(&answer(&asked)).len(), 1);
    asked.choice = Choice::Never;
    asked.text = "sim:tools".to_owned();
    assert_eq!(names(&answer(&asked)).len(), 0);
}

#[test]
fn limits_and_sequences_cut_the_answer() {
    let mut asked = asked("sim:text one two three four");
    asked.max_tokens = Some(2);
    let cut = answer(&asked);
    assert_eq!((cut.parts[0].pieces().concat().as_str(), cut.stop), ("one two ", Stop::Length));
    asked.max_tokens = None;
    asked.stops = vec!["three".to_owned(), "two".to_owned()];
    let cut = answer(&asked);
    assert_eq!(
        (cut.parts[0].pieces().concat().as_str(), cut.stop),
        ("one ", Stop::Sequence("two".to_owned()))
    );
}

#[test]
fn a_cut_call_says_so() {
    let mut asked = asked("sim:tool get_weather {\"city\":\"Trondheim\"}");
    asked.max_tokens = Some(1);
    let answer = answer(&asked);
    let [Part::Call(call)] = answer.parts.as_slice() else { panic!("{answer:?}") };
    assert!(call.cut && answer.stop == Stop::Length);
    assert_eq!(call.input, "{\"city\":");
}
