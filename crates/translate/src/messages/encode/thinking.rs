//! What the upstream is told about reasoning: settled once, for the body and for the beta headers.

use super::shape::{Entry, Speaker, What};
use crate::{
    effort::{self, ThinkingPlan, budget_of, effort_of, nearest},
    emulate,
    ir::{Effort, OutputFormat, Part, Request, Thinking, ThinkingSwitch, Tool, ToolChoice, Visibility},
};
use byok_types::{Dialect, Family, ModelFacts, StructuredOutput, ThinkingForm};

/// The smallest budget that Claude takes.
const LEAST_BUDGET: u32 = 1024;

/// The `thinking` object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// No such object.
    Absent,
    /// `disabled`.
    Disabled,
    /// `enabled` with a budget.
    Budget(u32),
    /// `adaptive`.
    Adaptive,
    /// `between_tools`.
    BetweenTools,
}

impl Mode {
    /// Whether the model thinks because the request says so.
    pub(super) fn is_on(self) -> bool {
        matches!(self, Self::Budget(_) | Self::Adaptive | Self::BetweenTools)
    }
}

/// Reasoning as it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) mode: Mode,
    /// `output_config.effort`.
    pub(super) effort: Option<Effort>,
    /// `thinking.display`.
    pub(super) display: Option<&'static str>,
    /// The cap on the output that goes with it.
    pub(super) max_tokens: u64,
    /// Why this is less than what the client asked for.
    pub(super) changed: Option<&'static str>,
}

/// The cap for a model whose limit nobody knows: every current Claude writes at least this much.
const UNKNOWN_LIMIT: u64 = 32_000;

/// Settles reasoning and the cap on the output, which depend on each other. `entries` are the turns as they are written.
pub(super) fn settle(request: &Request, facts: &ModelFacts, entries: &[Entry<'_>]) -> Settled {
    let limit = facts.max_output_tokens.map(u64::from);
    let asked = request.max_tokens.map(|cap| cap.value);
    // A caller of another dialect does not know this vendor's limit; one of this dialect is told by the vendor.
    let max_tokens = match (asked, limit) {
        (Some(asked), Some(limit)) if request.dialect != Dialect::Messages => asked.min(limit),
        (Some(asked), _) => asked,
        (None, limit) => limit.unwrap_or(UNKNOWN_LIMIT),
    };
    let (mode, effort) = wanted(request, facts);
    let changed = changed(request, facts, mode, effort);
    let mut settled = Settled { mode, effort, display: None, max_tokens, changed };
    if matches!(mode, Mode::Budget(_)) && is_forced(request, facts) {
        // The vendor refuses a budget beside a forced tool (not `adaptive`), and a caller that forces a tool needs it more
        // than the reasoning.
        settled.mode = Mode::Absent;
        settled.effort = None;
        settled.changed = Some("this model does not reason when a tool is forced");
    }
    if let Mode::Budget(_) = settled.mode
        && lacks_thinking(entries)
    {
        settled.mode = Mode::Absent;
        settled.changed = Some("the turn that waits for tool results has no reasoning of this model");
    }
    if let Mode::Budget(budget) = settled.mode {
        fit(budget, limit, &mut settled);
    }
    let own = request.dialect == Dialect::Messages && facts.family == Family::Claude;
    if settled.mode.is_on() && (facts.first_party || own) {
        settled.display = match (request.reasoning.visibility, request.dialect) {
            (Visibility::Hidden, _) => Some("omitted"),
            (Visibility::Auto | Visibility::Concise | Visibility::Detailed, _)
            | (Visibility::Unset, Dialect::Chat) => Some("summarized"),
            (Visibility::Unset, _) => None,
        };
    }
    settled
}

/// The level that is sent beside the switch. The history has no say in it.
pub(in crate::messages) fn effort_sent(request: &Request, facts: &ModelFacts) -> Option<Effort> {
    settle(request, facts, &[]).effort
}

/// Why the model is told something other than what the client asked for, if it is.
fn changed(
    request: &Request,
    facts: &ModelFacts,
    mode: Mode,
    effort: Option<Effort>,
) -> Option<&'static str> {
    let said = &request.reasoning;
    if facts.thinking.forms.is_empty() {
        return None;
    }
    let by_switch = matches!(mode, Mode::Budget(_) | Mode::Disabled);
    if by_switch && (request.dialect != Dialect::Messages || effort == said.effort) {
        let told = effort.is_some_and(|told| Some(told) != effort::level_said(said) && effort != said.effort);
        return effort::change(said, &facts.thinking).or(told.then_some(effort::NEAREST));
    }
    // The level stands beside the switch here; some models take only one of the two.
    let on = !matches!(said.switch, ThinkingSwitch::Unset | ThinkingSwitch::Off);
    let kept = effort == effort::level_said(said) && !(on && mode == Mode::Absent && effort.is_none());
    (!kept).then_some(effort::NEAREST)
}

/// What the client asked for, in a form that the model takes.
fn wanted(request: &Request, facts: &ModelFacts) -> (Mode, Option<Effort>) {
    if request.dialect == Dialect::Messages {
        return same_dialect(request, facts);
    }
    let thinking = &facts.thinking;
    let takes_effort = takes_effort(facts);
    match effort::plan(&request.reasoning, thinking) {
        ThinkingPlan::Leave => (Mode::Absent, None),
        ThinkingPlan::Off => (Mode::Disabled, None),
        ThinkingPlan::Adaptive(level) => (Mode::Adaptive, level.filter(|_| takes_effort).map(at_least_low)),
        ThinkingPlan::Budget(budget) => (Mode::Budget(budget), None),
        // A model that takes a level beside a budget does not think by the level alone.
        ThinkingPlan::Level(level) if thinking.takes(ThinkingForm::Budget) => {
            (Mode::Budget(clamp(budget_of(level), facts)), takes_effort.then_some(at_least_low(level)))
        }
        ThinkingPlan::Level(level) => (Mode::Absent, Some(at_least_low(level))),
        ThinkingPlan::Dynamic => (Mode::Adaptive, None),
    }
}

/// The vendor's levels begin at `low`.
fn at_least_low(level: Effort) -> Effort {
    level.max(Effort::Low)
}

fn takes_effort(facts: &ModelFacts) -> bool {
    facts.thinking.takes(ThinkingForm::Effort) || !facts.thinking.levels.is_empty()
}

fn clamp(budget: u32, facts: &ModelFacts) -> u32 {
    facts.thinking.budget.map_or(budget, |(min, max)| budget.clamp(min, max.max(min)))
}

/// Switch and level are independent of each other in this dialect: both are kept where the model takes them.
fn same_dialect(request: &Request, facts: &ModelFacts) -> (Mode, Option<Effort>) {
    let thinking = &facts.thinking;
    if thinking.forms.is_empty() {
        return (Mode::Absent, None);
    }
    let said = &request.reasoning;
    let effort = said.effort.filter(|_| takes_effort(facts)).map(|level| nearest(level, thinking));
    let adaptive = thinking.takes(ThinkingForm::Adaptive);
    let budget_for = |level: Option<Effort>| {
        if thinking.takes(ThinkingForm::Budget) {
            Mode::Budget(clamp(budget_of(level.unwrap_or(Effort::High)), facts))
        } else {
            Mode::Absent
        }
    };
    match said.switch {
        ThinkingSwitch::Unset => (Mode::Absent, effort),
        ThinkingSwitch::Off | ThinkingSwitch::Budget(0) if thinking.can_disable => (Mode::Disabled, effort),
        ThinkingSwitch::Off | ThinkingSwitch::Budget(0) => {
            let least = thinking.levels.iter().copied().filter(|l| *l != Effort::None).min();
            (Mode::Absent, least.filter(|_| takes_effort(facts)).or(effort))
        }
        ThinkingSwitch::Budget(budget) if thinking.takes(ThinkingForm::Budget) => {
            (Mode::Budget(clamp(budget, facts)), effort)
        }
        ThinkingSwitch::Budget(budget) if adaptive => {
            let level = takes_effort(facts).then(|| nearest(at_least_low(effort_of(budget)), thinking));
            (Mode::Adaptive, effort.or(level))
        }
        ThinkingSwitch::On | ThinkingSwitch::Dynamic if adaptive => (Mode::Adaptive, effort),
        ThinkingSwitch::BetweenTools if adaptive => (Mode::BetweenTools, effort),
        ThinkingSwitch::Budget(_)
        | ThinkingSwitch::On
        | ThinkingSwitch::Dynamic
        | ThinkingSwitch::BetweenTools => (budget_for(said.effort), effort),
    }
}

/// Whether the model is made to call a tool.
pub(in crate::messages) fn is_forced(request: &Request, facts: &ModelFacts) -> bool {
    if uses_forced_tool(request, facts) {
        return true;
    }
    let has_tools = facts.tools && (!request.tools.is_empty() || added_tools(request).next().is_some());
    has_tools
        && match &request.tool_choice {
            Some(ToolChoice::Required | ToolChoice::Named(_) | ToolChoice::Hosted { .. }) => true,
            Some(ToolChoice::Allowed { required, .. }) => *required,
            Some(ToolChoice::Auto | ToolChoice::None | ToolChoice::Validated | ToolChoice::Opaque(_))
            | None => false,
        }
}

/// Tools that come in the middle of a conversation, said in another dialect. They can be called from its next turn on, so
/// they are declared like the others.
pub(in crate::messages) fn added_tools(request: &Request) -> impl Iterator<Item = &Tool> {
    let changes = request.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::ConfigChange(change) if change.own(Dialect::Messages).is_none() => Some(change),
        _ => None,
    });
    changes.flat_map(|change| &change.tools_added)
}

/// Whether structured output is asked for by a tool that the model must call.
pub(in crate::messages) fn uses_forced_tool(request: &Request, facts: &ModelFacts) -> bool {
    matches!(request.output_format, OutputFormat::JsonSchema { .. })
        && emulate::structured_output(request, facts, Dialect::Messages) == StructuredOutput::ForcedTool
        // Where the client forces a tool of its own, the answer is that call and not the structured text.
        && !matches!(request.tool_choice, Some(ToolChoice::Named(_) | ToolChoice::Hosted { .. }))
}

/// Whether the assistant turn that is still being worked on (it waits for results, or is to be continued) does not begin
/// with reasoning. Models that take a budget refuse the request then. Only the turns as they are written tell: on the way
/// there some are left out, others become one, and results that are missing are made up.
fn lacks_thinking(entries: &[Entry<'_>]) -> bool {
    let mut turns = entries.iter().rev().filter(|entry| entry.role != Speaker::System);
    let Some(last) = turns.next() else { return false };
    let open = if last.role == Speaker::Assistant {
        last
    } else {
        let has_result = last.items.iter().any(|item| matches!(item.what, What::Result { .. }));
        match turns.next() {
            Some(before) if has_result && before.role == Speaker::Assistant => before,
            _ => return false,
        }
    };
    let begins = open.items.first().map(|item| &item.what);
    !matches!(begins, Some(What::Part(part)) if matches!(part.as_ref(), Part::Thinking(_)))
}

/// Whether a thinking block may go to this model.
pub(in crate::messages) fn is_sendable(thinking: &Thinking, facts: &ModelFacts) -> bool {
    match &thinking.blob {
        Some(blob) => blob.family == facts.family,
        // Other vendors' models want their reasoning back and sign nothing.
        None => facts.family != Family::Claude && facts.thinking.replay_text && !thinking.redacted,
    }
}

/// Makes budget and cap fit: the budget must be smaller, and some of the cap must be left for the answer.
fn fit(budget: u32, limit: Option<u64>, settled: &mut Settled) {
    if budget < LEAST_BUDGET {
        settled.changed = Some("the least budget that the vendor takes");
    }
    let budget = budget.max(LEAST_BUDGET);
    settled.mode = Mode::Budget(budget);
    if u64::from(budget) < settled.max_tokens {
        return;
    }
    let cap = settled.max_tokens;
    let most = |all: u64| u32::try_from(all / 5 * 4).unwrap_or(u32::MAX);
    // The cap goes up to the model's own before the budget comes down, so that who asks for more thinking gets more.
    if let Some(limit) = limit.filter(|limit| *limit > cap) {
        let room = u32::try_from(limit - cap).unwrap_or(u32::MAX).max(most(limit));
        let fitting = budget.min(room);
        if fitting >= LEAST_BUDGET {
            settled.mode = Mode::Budget(fitting);
            settled.max_tokens = limit.min(u64::from(fitting).saturating_add(cap));
            settled.changed = Some("the cap was raised above the reasoning budget");
            return;
        }
    }
    let lower = most(cap);
    if lower < LEAST_BUDGET {
        settled.mode = Mode::Absent;
        settled.changed = Some("the cap on the output leaves no room for reasoning");
    } else {
        settled.mode = Mode::Budget(lower);
        settled.changed = Some("the reasoning budget was lowered below the cap on the output");
    }
}
