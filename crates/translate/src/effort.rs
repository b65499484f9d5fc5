//! Turning what a client said about reasoning into what a model takes.

use crate::{
    Losses,
    ir::{Effort, Reasoning, Request, ThinkingSwitch},
};
use byok_types::{Dialect, ModelFacts, ThinkingFacts, ThinkingForm};

/// What to tell the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThinkingPlan {
    /// Nothing: the vendor's default.
    Leave,
    /// Off.
    Off,
    /// The model decides how much, guided by a level.
    Adaptive(Option<Effort>),
    /// A number of tokens.
    Budget(u32),
    /// A level.
    Level(Effort),
    /// A dynamic budget.
    Dynamic,
}

/// The budget that stands for a level. A convention that the field's proxies share, so that users see equal behaviour.
pub(crate) const fn budget_of(effort: Effort) -> u32 {
    match effort {
        Effort::None => 0,
        Effort::Minimal => 512,
        Effort::Low => 1024,
        Effort::Medium => 8192,
        Effort::High => 24_576,
        Effort::Xhigh => 32_768,
        Effort::Max => 128_000,
    }
}

/// The level that stands for a budget.
pub(crate) const fn effort_of(budget: u32) -> Effort {
    match budget {
        0 => Effort::None,
        1..=512 => Effort::Minimal,
        513..=1024 => Effort::Low,
        1025..=8192 => Effort::Medium,
        8193..=24_576 => Effort::High,
        _ => Effort::Xhigh,
    }
}

/// The listed level closest to `wanted`: the next higher one, else the highest.
pub(crate) fn nearest(wanted: Effort, facts: &ThinkingFacts) -> Effort {
    let listed = || facts.levels.iter().copied().filter(|l| *l != Effort::None);
    listed().filter(|l| *l >= wanted).min().or_else(|| listed().max()).unwrap_or(wanted)
}

/// What to tell a model with these facts. `Leave` for a model that does not reason on request.
pub(crate) fn plan(reasoning: &Reasoning, facts: &ThinkingFacts) -> ThinkingPlan {
    use ThinkingForm::{Adaptive, Budget, Effort as EffortForm, Level};
    if reasoning.is_unset() || facts.forms.is_empty() {
        return ThinkingPlan::Leave;
    }
    let clamp = |budget: u32| facts.budget.map_or(budget, |(min, max)| budget.clamp(min, max.max(min)));
    let off = reasoning.switch == ThinkingSwitch::Off
        || reasoning.switch == ThinkingSwitch::Budget(0)
        || (reasoning.switch == ThinkingSwitch::Unset && reasoning.effort == Some(Effort::None));
    if off {
        return if facts.can_disable { ThinkingPlan::Off } else { least(facts, clamp(0)) };
    }
    let level = reasoning.effort.filter(|e| *e != Effort::None);
    let by_level = |level: Effort| nearest(level, facts);
    match reasoning.switch {
        ThinkingSwitch::Budget(budget) if facts.takes(Budget) => ThinkingPlan::Budget(clamp(budget)),
        ThinkingSwitch::Budget(budget) => {
            let level = by_level(level.unwrap_or(effort_of(budget)));
            if facts.takes(Adaptive) {
                ThinkingPlan::Adaptive(Some(level))
            } else {
                ThinkingPlan::Level(level)
            }
        }
        _ if facts.takes(Adaptive) => ThinkingPlan::Adaptive(level.map(by_level)),
        _ if facts.takes(Level) || facts.takes(EffortForm) => match level {
            Some(level) => ThinkingPlan::Level(by_level(level)),
            None => ThinkingPlan::Leave,
        },
        ThinkingSwitch::Dynamic | ThinkingSwitch::On | ThinkingSwitch::BetweenTools if level.is_none() => {
            if facts.dynamic {
                ThinkingPlan::Dynamic
            } else {
                ThinkingPlan::Budget(clamp(budget_of(Effort::High)))
            }
        }
        _ => ThinkingPlan::Budget(clamp(budget_of(level.unwrap_or(Effort::High)))),
    }
}

/// The facts by which a wish is told plainly to a model of which nothing is known; `None` where it is not told. A level is
/// told in the words that Chat and Responses share, or where it stands in the name of this very model. What is said in other
/// words would be a guess that a small model refuses: agents say it to every model.
pub(crate) fn plainly(request: &Request, upstream: Dialect, facts: &ModelFacts) -> Option<ModelFacts> {
    let wish = &request.reasoning;
    let openai = |dialect| matches!(dialect, Dialect::Chat | Dialect::Responses);
    let shared =
        wish.effort.is_some() && request.dialect != upstream && openai(request.dialect) && openai(upstream);
    if !facts.thinking.unknown || !facts.thinking.forms.is_empty() || !(wish.by_name || shared) {
        return None;
    }
    let forms = match upstream {
        Dialect::Chat | Dialect::Responses => vec![ThinkingForm::Level],
        Dialect::Messages => vec![ThinkingForm::Budget],
        Dialect::Gemini => vec![ThinkingForm::Level, ThinkingForm::Budget],
    };
    let budget = (upstream == Dialect::Messages).then_some((LEAST_BUDGET, u32::MAX));
    let thinking = ThinkingFacts { forms, budget, can_disable: true, ..facts.thinking.clone() };
    Some(ModelFacts { thinking, ..facts.clone() })
}

/// The smallest budget that Messages takes.
const LEAST_BUDGET: u32 = 1024;

/// Why a wish is said in another way.
pub(crate) const NEAREST: &str = "the nearest that the model takes";

/// Why the model is told something other than what the client said, if it is.
pub(crate) fn change(reasoning: &Reasoning, facts: &ThinkingFacts) -> Option<&'static str> {
    if reasoning.is_unset() {
        return None;
    }
    if facts.forms.is_empty() {
        return Some("the model does not reason on request");
    }
    let level = reasoning.effort;
    let off = matches!(reasoning.switch, ThinkingSwitch::Off | ThinkingSwitch::Budget(0))
        || (reasoning.switch == ThinkingSwitch::Unset && level == Some(Effort::None));
    let kept = match (plan(reasoning, facts), reasoning.switch) {
        (ThinkingPlan::Off, _) => off,
        _ if off => false,
        (ThinkingPlan::Budget(sent), ThinkingSwitch::Budget(said)) => {
            sent == said && level.is_none_or(|level| level == effort_of(said))
        }
        (ThinkingPlan::Adaptive(Some(sent)) | ThinkingPlan::Level(sent), ThinkingSwitch::Budget(said)) => {
            sent == level.unwrap_or(effort_of(said))
        }
        (ThinkingPlan::Adaptive(Some(sent)) | ThinkingPlan::Level(sent), _) => level == Some(sent),
        (ThinkingPlan::Budget(sent), _) => level.is_none_or(|level| sent == budget_of(level)),
        (ThinkingPlan::Leave | ThinkingPlan::Dynamic | ThinkingPlan::Adaptive(None), _) => level.is_none(),
    };
    (!kept).then_some(NEAREST)
}

/// Notes what becomes of the wish at a model that does not reason on request, or of which nobody knows how it is asked. A
/// level or a number of tokens was meant; a wish not to reason is met anyway, and that the model may decide itself changes
/// nothing: only the log says so.
pub(crate) fn note_unheard(reasoning: &Reasoning, facts: &ThinkingFacts, losses: &mut Losses) {
    if reasoning.is_unset() {
        return;
    }
    let why = if facts.unknown {
        "byok does not know how this model is told to reason; `models` in the settings can say it"
    } else {
        "the model does not reason on request"
    };
    match level_said(reasoning) {
        Some(level) if level != Effort::None && reasoning.switch != ThinkingSwitch::Off => {
            losses.dropped("reasoning", why);
        }
        _ => losses.silent("reasoning", why),
    }
}

/// The level that the client named, or that stands for its number of tokens.
pub(crate) fn level_said(reasoning: &Reasoning) -> Option<Effort> {
    match reasoning.switch {
        ThinkingSwitch::Budget(budget) => reasoning.effort.or(Some(effort_of(budget))),
        ThinkingSwitch::Off => Some(Effort::None),
        _ => reasoning.effort,
    }
}

/// The least that a model can be told which cannot be switched off.
fn least(facts: &ThinkingFacts, least_budget: u32) -> ThinkingPlan {
    let lowest = facts.levels.iter().copied().filter(|l| *l != Effort::None).min();
    match lowest {
        Some(level) if facts.takes(ThinkingForm::Adaptive) => ThinkingPlan::Adaptive(Some(level)),
        Some(level) => ThinkingPlan::Level(level),
        None if facts.takes(ThinkingForm::Budget) => ThinkingPlan::Budget(least_budget),
        None => ThinkingPlan::Leave,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Effort::{High, Low, Max, Medium, Minimal, Xhigh};
    use ThinkingForm::{Adaptive, Budget, Level};

    fn facts(
        forms: &[ThinkingForm],
        levels: &[Effort],
        budget: Option<(u32, u32)>,
        can_disable: bool,
    ) -> ThinkingFacts {
        ThinkingFacts {
            forms: forms.to_vec(),
            budget,
            levels: levels.to_vec(),
            can_disable,
            ..ThinkingFacts::default()
        }
    }

    fn said(switch: ThinkingSwitch, effort: Option<Effort>) -> Reasoning {
        Reasoning { switch, effort, ..Reasoning::default() }
    }

    #[test]
    fn t79_t80_the_plan_fits_the_model() {
        let old = facts(&[Budget], &[], Some((1024, 32_000)), true);
        let new = facts(&[Adaptive, ThinkingForm::Effort], &[Low, Medium, High, Max], None, false);
        let both = facts(&[Budget, Adaptive], &[Low, Medium, High], Some((1024, 128_000)), true);
        let openai = facts(&[Level], &[Effort::None, Minimal, Low, Medium, High], None, true);
        let none = ThinkingFacts::default();
        let unset = ThinkingSwitch::Unset;
        let cases = [
            (&none, said(unset, Some(High)), ThinkingPlan::Leave),
            (&old, said(unset, None), ThinkingPlan::Leave),
            (&old, said(unset, Some(High)), ThinkingPlan::Budget(24_576)),
            (&old, said(unset, Some(Minimal)), ThinkingPlan::Budget(1024)),
            (&old, said(ThinkingSwitch::Budget(90_000), None), ThinkingPlan::Budget(32_000)),
            (&old, said(ThinkingSwitch::On, None), ThinkingPlan::Budget(24_576)),
            (&old, said(ThinkingSwitch::On, Some(Low)), ThinkingPlan::Budget(1024)),
            (&old, said(ThinkingSwitch::Off, None), ThinkingPlan::Off),
            (&new, said(ThinkingSwitch::Off, None), ThinkingPlan::Adaptive(Some(Low))),
            (&new, said(ThinkingSwitch::Budget(2000), None), ThinkingPlan::Adaptive(Some(Medium))),
            (&new, said(unset, Some(Xhigh)), ThinkingPlan::Adaptive(Some(Max))),
            (&new, said(ThinkingSwitch::On, None), ThinkingPlan::Adaptive(None)),
            (&both, said(ThinkingSwitch::Budget(2000), None), ThinkingPlan::Budget(2000)),
            (&both, said(unset, Some(Max)), ThinkingPlan::Adaptive(Some(High))),
            (&openai, said(unset, Some(Max)), ThinkingPlan::Level(High)),
            (&openai, said(unset, Some(Effort::None)), ThinkingPlan::Off),
            (&openai, said(ThinkingSwitch::Budget(600), None), ThinkingPlan::Level(Low)),
            (&openai, said(ThinkingSwitch::Dynamic, None), ThinkingPlan::Leave),
        ];
        for (facts, reasoning, expected) in cases {
            assert_eq!(plan(&reasoning, facts), expected, "{reasoning:?} for {facts:?}");
        }
    }

    #[test]
    fn a_wish_to_reason_is_missed_where_a_model_does_not() {
        use crate::LossAction::{Dropped, DroppedSilently};
        let unset = ThinkingSwitch::Unset;
        for (reasoning, expected) in [
            (said(unset, None), None),
            (said(unset, Some(Effort::None)), Some(DroppedSilently)),
            (said(ThinkingSwitch::Off, None), Some(DroppedSilently)),
            (said(ThinkingSwitch::Off, Some(High)), Some(DroppedSilently)),
            (said(ThinkingSwitch::Budget(0), None), Some(DroppedSilently)),
            (said(unset, Some(Low)), Some(Dropped)),
            (said(ThinkingSwitch::Budget(2000), None), Some(Dropped)),
            (said(ThinkingSwitch::On, Some(Max)), Some(Dropped)),
            (said(ThinkingSwitch::On, None), Some(DroppedSilently)),
            (said(ThinkingSwitch::Dynamic, None), Some(DroppedSilently)),
        ] {
            for (facts, why) in
                [(ThinkingFacts::default(), "does not reason"), (ThinkingFacts::unknown(), "does not know")]
            {
                let mut losses = Losses::default();
                note_unheard(&reasoning, &facts, &mut losses);
                let noted = losses.list().first();
                assert_eq!(noted.map(|loss| loss.action), expected, "{reasoning:?}");
                assert!(noted.is_none_or(|loss| loss.reason.contains(why)), "{noted:?}");
            }
        }
    }

    #[test]
    fn levels_and_budgets_agree() {
        for effort in [Effort::None, Minimal, Low, Medium, High, Xhigh] {
            assert_eq!(effort_of(budget_of(effort)), effort);
        }
    }
}
