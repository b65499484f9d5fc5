//! Reasoning control, in the members that the model is known to take.

use super::Encoder;
use crate::{
    chat::object::Object,
    effort::{self, ThinkingPlan},
    ir::Effort,
};
use byok_types::{Dialect, ThinkingForm};

impl Encoder<'_> {
    /// OpenAI takes one level (`reasoning_effort`). DeepSeek, GLM and Kimi have a switch (`thinking.type`), some with a
    /// level beside it. Qwen has a switch and a budget (`enable_thinking`, `thinking_budget`).
    pub(super) fn reasoning(&mut self, body: &mut Object<'_>) {
        let (said, facts) = (&self.request.reasoning, &self.facts.thinking);
        if self.native && facts.forms.is_empty() {
            body.maybe("reasoning_effort", said.effort.map(Effort::name));
            return;
        }
        let switch = facts.takes(ThinkingForm::Adaptive) || facts.takes(ThinkingForm::Effort);
        // What a Chat client says in a vendor's own words is passed on as it is and not said again.
        let free = |name: &str| self.request.extra.get(Dialect::Chat, name).is_none();
        let thinking = |body: &mut Object<'_>, word: &str| {
            if free("thinking") {
                body.object("thinking", |thinking| thinking.text("type", word));
            }
        };
        let plan = effort::plan(said, facts);
        if plan != ThinkingPlan::Leave
            && let Some(reason) = effort::change(said, facts)
        {
            self.losses.emulated("reasoning", reason);
        }
        match plan {
            ThinkingPlan::Leave if facts.forms.is_empty() => {
                effort::note_unheard(said, facts, &mut self.losses);
            }
            ThinkingPlan::Leave => {
                if !said.is_unset() {
                    self.losses.silent("reasoning", "the model is not known to reason on request");
                }
            }
            ThinkingPlan::Off if facts.takes(ThinkingForm::Level) => {
                body.text("reasoning_effort", Effort::None.name());
            }
            ThinkingPlan::Off if switch => thinking(body, "disabled"),
            ThinkingPlan::Off if free("enable_thinking") => body.value("enable_thinking", &false),
            ThinkingPlan::Adaptive(level) => {
                thinking(body, "enabled");
                body.maybe("reasoning_effort", level.map(Effort::name));
            }
            ThinkingPlan::Level(level) => {
                if !facts.takes(ThinkingForm::Level) {
                    thinking(body, "enabled");
                }
                body.text("reasoning_effort", level.name());
            }
            ThinkingPlan::Budget(_) | ThinkingPlan::Dynamic if free("enable_thinking") => {
                body.value("enable_thinking", &true);
                if let ThinkingPlan::Budget(tokens) = plan
                    && free("thinking_budget")
                {
                    body.value("thinking_budget", &tokens);
                }
            }
            ThinkingPlan::Off | ThinkingPlan::Budget(_) | ThinkingPlan::Dynamic => {}
        }
    }
}
