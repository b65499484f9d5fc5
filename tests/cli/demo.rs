use crate::support::Home;
use rustix::process::Signal;

#[test]
fn the_demo_leaves_no_trace_and_ends_by_a_signal() {
    let home = Home::new();
    let mut byok = home.start(&["demo", "--port", "0"]);
    let base = byok.base_url();
    byok.line("the vendor is overloaded");
    let said = byok.said.join("\n");
    for line in [
        format!("export OPENAI_BASE_URL={base}/v1"),
        format!("export ANTHROPIC_BASE_URL={base}"),
        format!("export GOOGLE_GEMINI_BASE_URL={base}"),
    ] {
        assert!(said.contains(&line), "{said}");
    }
    byok.signal(Signal::INT);
    assert_eq!(byok.end().0.code(), Some(0));
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
