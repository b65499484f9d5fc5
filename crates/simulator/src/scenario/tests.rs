use super::*;

#[test]
fn every_row_of_the_table_can_be_played_and_is_in_the_readme() {
    let readme = include_str!("../../README.md");
    for row in SCENARIOS.iter().filter(|row| row.name != "bench") {
        let text = match row.name {
            "tool" | "empty_args" => format!("sim:{} get_weather", row.name),
            "stop" => "sim:stop end_turn".to_owned(),
            name => format!("sim:{name}"),
        };
        Script::read("", &text, None).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert!(readme.contains(&format!("| `{}` |", row.name)), "{} is missing in README.md", row.name);
    }
}

#[test]
fn wishes_follow_each_other() {
    let text = "sim:thinking Look it up. sim:text Checking.\nsim:tool get_weather {\"city\": \"Oslo\"} \
                sim:usage in=120 cached=100";
    let script = Script::read("", text, None).unwrap();
    assert_eq!(script.thinking.as_deref(), Some("Look it up."));
    assert_eq!(script.say, Say::Text("Checking.".to_owned()));
    assert_eq!(script.calls[0].name, "get_weather");
    assert_eq!(script.calls[0].input.as_ref().unwrap().get(), "{\"city\": \"Oslo\"}");
    assert_eq!(script.usage, Some(UsageWish { input: Some(120), cached: Some(100), ..UsageWish::default() }));
}

#[test]
fn keys_choose_scenarios_and_may_be_plain_names() {
    let cases: [(&str, Option<Trouble>); 6] = [
        ("sk-ant-api03-a-sim-429", Some(Trouble::Refuse(Cause::RateLimit, None))),
        ("sk-a-sim-429-7", Some(Trouble::Refuse(Cause::RateLimit, Some(7)))),
        ("sk-a-sim-fail-2-503", Some(Trouble::Fail { times: 2, cause: Cause::Unavailable })),
        ("sk-a-sim-401-once", Some(Trouble::Fail { times: 1, cause: Cause::Auth })),
        ("sk-a-sim-alice", None),
        ("sk-plain", None),
    ];
    for (key, trouble) in cases {
        assert_eq!(Script::read(key, "hello", None).unwrap().trouble, trouble, "{key}");
    }
}

#[test]
fn the_failure_of_a_key_comes_before_the_one_of_the_text() {
    let script = Script::read("sk-a-sim-529", "sim:429", None).unwrap();
    assert_eq!(script.trouble, Some(Trouble::Refuse(Cause::Overloaded, None)));
}

#[test]
fn what_is_no_scenario_is_said() {
    for text in
        ["sim:nonsense", "sim:slow many", "sim:fail 2 418", "sim:tool", "sim:tool x {broken", "sim:usage a=1"]
    {
        assert!(Script::read("", text, None).is_err(), "{text}");
    }
    assert!(Script::read("", "please explain sim:nonsense", None).is_ok(), "only at the start of the text");
}
