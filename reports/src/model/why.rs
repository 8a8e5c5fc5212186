//! Why a deployment got an attempt, and why another did not.

use routedrill_sim::actor::{DrawKind, Drawn};
use routedrill_sim::scenario::Scenario;
use routedrill_sim::story::{Resting, Story, What};
use router_core::{DeploymentId, FallbackList, Filter, NameId, Note, RoutingStrategy, Selection};

use super::story::error_words;
use crate::figures;

/// How choices are put into words.
pub(super) struct Choices<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) labels: &'a [String],
}

impl Choices<'_> {
    fn label(&self, id: DeploymentId) -> &str {
        self.labels.get(id.index()).map_or("a deployment", String::as_str)
    }

    /// Who was eligible, who was not and by which rule, and what decided.
    pub(super) fn reasons(&self, selection: &Selection, draws: &[Drawn], resting: &[Resting]) -> Vec<String> {
        let mut list = Vec::new();
        let all = selection.eligible.len() + selection.filtered.len();
        let of = format!("{} of {} in {}", selection.eligible.len(), all, self.scenario.plan.name(selection.group));
        match (selection.picked, selection.eligible.as_slice()) {
            (Some(_), [_]) if all == 1 => list.push(format!("the only deployment of {}", self.name(selection.group))),
            (Some(_), [_]) => list.push(format!("the only one left: {of}")),
            (Some(picked), many) => {
                let names: Vec<_> = many.iter().map(|id| self.label(*id)).collect();
                list.push(format!("eligible: {of}: {}", names.join(", ")));
                list.push(self.decided(selection, picked, draws));
            }
            (None, []) if all == 0 => list.push(format!("nothing answers to {}", self.name(selection.group))),
            (None, []) => list.push(format!("eligible: {of}")),
            (None, _) => list.push(format!("eligible: {of}, but the strategy took none: every one is at its limit")),
        }
        // Whoever was passed over for the same reason stands together.
        let mut passed: Vec<(String, Vec<&str>)> = Vec::new();
        for (id, filter) in &selection.filtered {
            let reason = self.filtered(*id, *filter, resting);
            match passed.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, names)) => names.push(self.label(*id)),
                None => passed.push((reason, vec![self.label(*id)])),
            }
        }
        list.extend(passed.iter().map(|(reason, names)| format!("not {}: {reason}", names.join(", "))));
        list
    }

    fn name(&self, name: NameId) -> &str {
        self.scenario.plan.name(name)
    }

    /// Why a filter passed a deployment over.
    fn filtered(&self, id: DeploymentId, filter: Filter, resting: &[Resting]) -> String {
        match filter {
            Filter::Cooldown(until) => {
                let until = figures::seconds(until.as_secs_f64());
                match resting.iter().find(|rest| rest.deployment == id) {
                    Some(rest) => format!(
                        "it rests until {until} into the run, since {} (request {}, {}: {})",
                        figures::seconds(rest.since.as_secs_f64()),
                        rest.request,
                        error_words(&rest.error),
                        crate::words::cooled(rest.because)
                    ),
                    None => format!("it rests until {until} into the run"),
                }
            }
            Filter::Team => "it belongs to another team".to_owned(),
            Filter::Blocked => "it is blocked (model_info.blocked)".to_owned(),
            Filter::Budget => "its budget is spent (max_budget)".to_owned(),
            Filter::ContextWindow => "the prompt exceeds its context window (max_input_tokens)".to_owned(),
            Filter::Rpm => "its rpm are used up (pre-call check)".to_owned(),
            Filter::Region => "it is in another region (allowed_model_region)".to_owned(),
            Filter::Tags => "its tags do not match".to_owned(),
            Filter::Order => "another order level comes first".to_owned(),
            Filter::WeightedFailover => "it failed already in this request (enable_weighted_failover)".to_owned(),
            Filter::RetrySkip => "it refused this request already".to_owned(),
            Filter::StrategyLimit => "it is over its tpm or rpm".to_owned(),
            Filter::HalfOpen => "it is half open, and has as many probes as it gets".to_owned(),
            Filter::Hedged => "it has the request already".to_owned(),
        }
    }

    fn strategy(&self) -> RoutingStrategy {
        self.scenario.plan.settings().routing_strategy.value
    }

    /// What decided between several.
    fn decided(&self, selection: &Selection, picked: DeploymentId, draws: &[Drawn]) -> String {
        let draw = draws.iter().rev().find(|draw| matches!(draw.what, DrawKind::Pick(_) | DrawKind::Weighted(_)));
        let drawn = draw.map_or_else(String::new, |draw| format!(", drawn {:.3}", draw.u));
        let among = match draw.map(|draw| draw.what) {
            Some(DrawKind::Pick(among)) if among > 1 => format!(" among {among} that are as good{drawn}"),
            _ => String::new(),
        };
        let scores = |unit: &str| {
            let each: Vec<_> = (selection.scores.iter())
                .map(|(id, score)| format!("{} {}{unit}", self.label(*id), short(*score)))
                .collect();
            each.join(", ")
        };
        let strategy = crate::words::strategy(self.strategy());
        let picked = self.label(picked);
        match self.strategy() {
            RoutingStrategy::SimpleShuffle if selection.scores.is_empty() => {
                format!("{strategy}: dice, all alike{drawn}: {picked}")
            }
            RoutingStrategy::SimpleShuffle => {
                let sum: f64 = selection.scores.iter().map(|(_, weight)| weight).sum();
                let shares: Vec<_> = (selection.scores.iter())
                    .map(|(id, weight)| format!("{} {}", self.label(*id), figures::percent(weight / sum)))
                    .collect();
                format!("{strategy}: dice by weight ({}){drawn}: {picked}", shares.join(", "))
            }
            RoutingStrategy::LeastBusy => {
                format!("{strategy}: calls that it counts as under way: {}; the fewest: {picked}{among}", scores(""))
            }
            RoutingStrategy::UsageBased | RoutingStrategy::UsageBasedV2 => {
                format!("{strategy}: tokens used this minute: {}; the fewest: {picked}{among}", scores(""))
            }
            RoutingStrategy::LatencyBased => {
                format!(
                    "{strategy}: seconds per token so far: {}; the fastest or close to it: {picked}{among}",
                    scores("")
                )
            }
            RoutingStrategy::CostBased => {
                format!("{strategy}: dollars per token: {}; the cheapest: {picked}", scores(""))
            }
        }
    }
}

/// A score to three digits, whatever its size.
fn short(score: f64) -> String {
    if score == score.trunc() && score.abs() < 1e15 {
        return format!("{score}");
    }
    if score.abs() >= 0.01 {
        return format!("{score:.3}");
    }
    format!("{score:.2e}")
}

/// Why a deployment did not answer: a sentence for each attempt, and one for the whole.
pub(super) fn why_not(scenario: &Scenario, labels: &[String], story: &Story, deployment: DeploymentId) -> Vec<String> {
    let choices = Choices { scenario, labels };
    let plan = &scenario.plan;
    let who = choices.label(deployment);
    let mut list = Vec::new();
    let mut in_reach = false;
    let mut number = 0_u32;
    for (index, moment) in story.moments.iter().enumerate() {
        let What::Chose { selection, draws, resting } = &moment.what else { continue };
        number += 1;
        let at = figures::seconds(moment.at.since(story.sent).as_secs_f64());
        let attempt = format!("attempt {number}, {at} after it was sent, for {}", plan.name(selection.group));
        let filter = selection.filtered.iter().find(|(id, _)| *id == deployment);
        let reason = if selection.picked == Some(deployment) {
            in_reach = true;
            let failed = story.moments[index..].iter().find_map(|later| match &later.what {
                What::Noted { note: Note::Failed { error, deployment: Some(by), .. }, .. } if *by == deployment => {
                    Some(format!("it was called and failed: {}", error_words(error)))
                }
                What::Noted { note: Note::Succeeded { deployment: by, .. }, .. } if *by == deployment => {
                    Some("it was called, and it answered".to_owned())
                }
                What::Chose { .. } if later.at > moment.at => Some("it was called in vain".to_owned()),
                _ => None,
            });
            failed.unwrap_or_else(|| "it was called, and no answer came in time".to_owned())
        } else if let Some((_, filter)) = filter {
            in_reach = true;
            choices.filtered(deployment, *filter, resting)
        } else if selection.eligible.contains(&deployment) {
            in_reach = true;
            match selection.picked {
                Some(picked) => format!("it was eligible, but {}", choices.decided(selection, picked, draws)),
                None => "it was eligible, but the strategy found it at its limit".to_owned(),
            }
        } else {
            format!("it is not in {}", plan.name(selection.group))
        };
        list.push(format!("{attempt}: {reason}"));
    }
    if number == 0 {
        list.push("the router never came to choose anybody for this request".to_owned());
    }
    if !in_reach {
        list.push(out_of_reach(scenario, story, deployment, who));
    }
    list
}

/// Why no attempt was made for any name that a deployment answers to.
fn out_of_reach(scenario: &Scenario, story: &Story, deployment: DeploymentId, who: &str) -> String {
    let plan = &scenario.plan;
    let asked = story.ask.model;
    let lists = [
        (FallbackList::Fallbacks, "fallbacks"),
        (FallbackList::ContextWindow, "context_window_fallbacks"),
        (FallbackList::ContentPolicy, "content_policy_fallbacks"),
    ];
    let way = lists.iter().find_map(|(list, word)| {
        let chain = plan.fallback_chain(asked, *list);
        let steps = chain.iter().position(|target| {
            target.model.is_some_and(|name| name != asked && plan.members(name).contains(&deployment))
        })?;
        Some((*word, steps))
    });
    match way {
        Some((list, steps)) => format!(
            "{who} stands behind target {} of the {list} of {}, and the request ended before its turn came",
            steps + 1,
            plan.name(asked)
        ),
        None => format!(
            "{who} answers to {}, and no fallback of {} leads there",
            plan.deployment(deployment).model_name,
            plan.name(asked)
        ),
    }
}
