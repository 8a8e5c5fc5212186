//! What another LiteLLM release would change for the users: the same outages, the same seeds, two releases.
//!
//! Once two runs have parted they draw their random numbers for different questions, so that all that follows may
//! differ by chance. What tells the truth is the *first* request that ends differently, and the rule that makes it so.
//! That rule is then taken over from the release to come, and the search goes on for the next one, until both end every
//! request the same: an early difference does not hide the later ones.

use std::sync::Arc;

use rayon::prelude::*;
use router_core::{Config, NameId, Outcome as Ending, Plan, RequestId, Rule, Rules, Span, Time};

use super::rows::Row;
use super::world::World;
use crate::actor::{Effect, Event, Message, Step, Watcher};
use crate::cast::Cast;
use crate::engine::Engine;

/// One configuration under two releases.
#[derive(Clone, Debug)]
pub struct Upgrade {
    /// As the release that runs today decides.
    pub from: World,
    /// As the release to come decides.
    pub to: World,
    /// What fails; the same for both.
    pub rows: Vec<Row>,
    /// The seeds under which each row runs.
    pub seeds: Vec<u64>,
}

/// One thing that an upgrade changes in one row: the first difference that is left.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The row, as an index; `None` is the run in which nothing fails.
    pub row: Option<usize>,
    /// The first seed under which something differs.
    pub seed: u64,
    /// The first request that ends differently.
    pub request: RequestId,
    /// The name it asks for.
    pub asked: NameId,
    /// When its user wanted it.
    pub due: Time,
    /// The rules of the release to come that were taken over before, because they are behind earlier differences.
    pub after: Vec<&'static str>,
    /// How it ends under the release of today, with those rules.
    pub from: End,
    /// How it ends under the release to come.
    pub to: End,
    /// The rules behind it; none when the two releases read the configuration itself differently.
    pub rules: Vec<&'static str>,
    /// It takes all these rules.
    pub together: bool,
}

/// How a request ended, and when.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct End {
    /// When.
    pub at: Time,
    /// What came back; `None` when the client gave up waiting.
    pub outcome: Option<Ending>,
}

impl Upgrade {
    /// The differences in each row that has any, the run in which nothing fails first. `done` is called after each row,
    /// from whichever thread ran it.
    pub fn changes(&self, done: &(dyn Fn() + Sync)) -> Vec<Change> {
        let rows: Vec<Option<usize>> = std::iter::once(None).chain((0..self.rows.len()).map(Some)).collect();
        rows.into_par_iter()
            .map(|row| {
                let changes = self.changes_of(row);
                done();
                changes
            })
            .collect::<Vec<_>>()
            .into_iter()
            .flatten()
            .collect()
    }

    /// The rules in which the releases differ and that are behind none of `changes`.
    pub fn without_effect(&self, changes: &[Change]) -> Vec<&'static str> {
        let (ours, theirs) = (self.from.config.release.rules(), self.to.config.release.rules());
        let differing = Rules::CATALOGUE.iter().filter(|rule| rule.taken_over(ours, &theirs).is_some());
        let silent = differing.filter(|rule| changes.iter().all(|change| !change.rules.contains(&rule.name)));
        silent.map(|rule| rule.name).collect()
    }

    fn changes_of(&self, row: Option<usize>) -> Vec<Change> {
        let failing = row.map(|row| &self.rows[row]);
        let mut changes = Vec::new();
        let mut half_way = HalfWay {
            world: self.from.clone(),
            rules: self.from.config.release.rules(),
            reads_as_to_come: false,
            after: Vec::new(),
        };
        while let Some(change) = self.next_change(row, failing, &mut half_way) {
            changes.push(change);
        }
        changes
    }

    /// The first difference between the router half-way and the release to come; takes over what is behind it.
    fn next_change(&self, row: Option<usize>, failing: Option<&Row>, half_way: &mut HalfWay) -> Option<Change> {
        let (seed, (request, from, to)) = self.seeds.iter().find_map(|&seed| {
            let (from, to) = (ends(&half_way.world, failing, seed, None), ends(&self.to, failing, seed, None));
            Some((seed, first_difference(&from, &to)?))
        })?;
        let trial = Trial { upgrade: self, half_way, row: failing, seed, request: request.id, from, to };
        let cause = trial.responsible();
        let after = half_way.after.clone();
        let rules: Vec<&'static str> = cause.rules.iter().map(|rule| rule.name).collect();
        if half_way.take_over(self, &cause).is_none() {
            // Nothing is left to be taken over: what remains cannot be told apart.
            half_way.world = self.to.clone();
        }
        Some(Change {
            row,
            seed,
            request: request.id,
            asked: request.asked,
            due: request.due,
            after,
            from,
            to,
            rules,
            together: cause.together,
        })
    }
}

/// The release of today with some rules of the release to come.
struct HalfWay {
    world: World,
    rules: Rules,
    /// It reads the configuration as the release to come does.
    reads_as_to_come: bool,
    /// The rules that were taken over.
    after: Vec<&'static str>,
}

impl HalfWay {
    /// Takes over what is behind a difference; `None` when there is nothing new to take over.
    fn take_over(&mut self, upgrade: &Upgrade, cause: &Cause) -> Option<()> {
        let reads_anew = cause.reads_as_to_come && !self.reads_as_to_come;
        if cause.rules.is_empty() && !reads_anew {
            return None;
        }
        let theirs = upgrade.to.config.release.rules();
        self.rules = taken_over(self.rules, &cause.rules, &theirs);
        self.reads_as_to_come |= cause.reads_as_to_come;
        self.after.extend(cause.rules.iter().map(|rule| rule.name));
        let config = if self.reads_as_to_come { &upgrade.to.config } else { &upgrade.from.config };
        let plan = Plan::with_rules(config, self.rules).ok()?;
        self.world = World { plan: Arc::new(plan), config: config.clone(), ..upgrade.from.clone() };
        Some(())
    }
}

fn taken_over(rules: Rules, taken: &[&'static Rule], theirs: &Rules) -> Rules {
    taken.iter().fold(rules, |rules, rule| rule.taken_over(rules, theirs).unwrap_or(rules))
}

/// Some of `all` that are enough, found in few trials: the first so many rules are enough, one fewer are not, so the last
/// of them is needed; and so on, with those that are needed always taken.
fn smallest_that(all: &[&'static Rule], enough: &dyn Fn(&[&'static Rule]) -> bool) -> Vec<&'static Rule> {
    let mut needed: Vec<&'static Rule> = Vec::new();
    let mut among = all.len();
    while needed.is_empty() || !enough(&needed) {
        let with_first = |count: usize| [&all[..count], &needed[..]].concat();
        let (mut too_few, mut plenty) = (0, among);
        while plenty - too_few > 1 {
            let middle = too_few.midpoint(plenty);
            if enough(&with_first(middle)) {
                plenty = middle;
            } else {
                too_few = middle;
            }
        }
        if plenty == 0 {
            break;
        }
        needed.push(all[plenty - 1]);
        among = plenty - 1;
    }
    needed
}

/// What is behind a difference.
struct Cause {
    /// The rules; none when the releases read the configuration itself differently.
    rules: Vec<&'static Rule>,
    /// It takes all of them.
    together: bool,
    /// The configuration has to be read as the release to come reads it.
    reads_as_to_come: bool,
}

impl End {
    /// Whether a user can tell the two apart: by when it came, by who answered, or by what the error says.
    pub fn same_for_user(&self, other: &Self) -> bool {
        let seen = |end: &Self| match end.outcome {
            None => None,
            Some(Ending::Answered(answered)) => Some(Ok(answered)),
            Some(Ending::Failed(error)) => Some(Err((error.class, error.client_status, error.client_retry_after))),
        };
        self.at == other.at && seen(self) == seen(other)
    }
}

/// The first request, by when it ends under either release, that ends differently under the other.
fn first_difference(from: &[Told], to: &[Told]) -> Option<(Request, End, End)> {
    // Clients ask at the same moments under both: a request that one run lacks is one that nobody retried there.
    from.iter()
        .filter_map(|told| {
            let other = to.iter().find(|other| other.request.id == told.request.id)?;
            (!told.end.same_for_user(&other.end)).then_some((told.request, told.end, other.end))
        })
        .min_by_key(|(request, from, to)| (from.at.min(to.at), request.id))
}

/// A request as its client knows it.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Request {
    id: RequestId,
    asked: NameId,
    due: Time,
}

#[derive(Clone, Copy, Debug)]
struct Told {
    request: Request,
    end: End,
}

/// Keeps how every request ended.
#[derive(Default)]
struct Ends {
    asked: Vec<(RequestId, NameId)>,
    told: Vec<Told>,
}

impl Watcher for Ends {
    fn watch(&mut self, step: &Step<'_>) {
        if let Event::Message { message: Message::Ask { request, ask }, .. } = step.event {
            self.asked.push((*request, ask.model));
        }
        for effect in step.effects {
            let Effect::Ended(ended) = effect else { continue };
            let Some(place) = self.asked.iter().position(|(request, _)| *request == ended.request) else { continue };
            let (id, asked) = self.asked.swap_remove(place);
            self.told.push(Told {
                request: Request { id, asked, due: ended.due },
                end: End { at: step.at, outcome: ended.outcome },
            });
        }
    }
}

fn ends(world: &World, row: Option<&Row>, seed: u64, until: Option<Time>) -> Vec<Told> {
    let scenario = world.scenario(row);
    let horizon = until.unwrap_or(Time::ZERO + scenario.duration + scenario.drain);
    let mut ends = Ends::default();
    Engine::new().run(&mut Cast::new(&scenario), seed, horizon, &mut ends);
    ends.told.sort_by_key(|told| told.request.id);
    ends.told
}

/// One difference, and the search for the rules behind it.
struct Trial<'a> {
    upgrade: &'a Upgrade,
    half_way: &'a HalfWay,
    row: Option<&'a Row>,
    seed: u64,
    request: RequestId,
    from: End,
    to: End,
}

impl Trial<'_> {
    /// Which rules of the other release does the router half-way need to end the request as the other does?
    fn responsible(&self) -> Cause {
        let theirs = self.upgrade.to.config.release.rules();
        let ours = self.half_way.rules;
        let all: Vec<&'static Rule> =
            Rules::CATALOGUE.iter().filter(|rule| rule.taken_over(ours, &theirs).is_some()).collect();
        // Each release also reads the configuration in its own way: what one does not know may be missing in it.
        for reads_as_to_come in [self.half_way.reads_as_to_come, true] {
            let config = if reads_as_to_come { &self.upgrade.to.config } else { &self.upgrade.from.config };
            let makes_it = |rules: &[&'static Rule]| self.ends_like_the_other(config, taken_over(ours, rules, &theirs));
            let cause = |rules, together| Cause { rules, together, reads_as_to_come };
            if makes_it(&[]) {
                return cause(Vec::new(), false);
            }
            if !makes_it(&all) {
                continue;
            }
            let mut needed = smallest_that(&all, &makes_it);
            for rule in needed.clone() {
                let fewer: Vec<_> = needed.iter().copied().filter(|kept| kept.name != rule.name).collect();
                if makes_it(&fewer) {
                    needed = fewer;
                }
            }
            let together = needed.len() > 1;
            return cause(needed, together);
        }
        Cause { rules: Vec::new(), together: false, reads_as_to_come: true }
    }

    fn ends_like_the_other(&self, config: &Config, rules: Rules) -> bool {
        let Ok(plan) = Plan::with_rules(config, rules) else { return false };
        let world = World { plan: Arc::new(plan), config: config.clone(), ..self.upgrade.from.clone() };
        // What comes after both ends does not matter, and the run need not go there.
        let until = self.from.at.max(self.to.at) + Span::from_nanos(1);
        ends(&world, self.row, self.seed, Some(until))
            .iter()
            .any(|told| told.request.id == self.request && told.end.same_for_user(&self.to))
    }
}

#[cfg(test)]
mod tests {
    use router_core::{FallbackEntry, FallbackTarget, ModelEntry, Release};

    use super::*;
    use crate::drill::{Load, rows};
    use crate::litellm::{Inventory, Place};

    fn upgrade(groups: &[&str], change: impl Fn(&mut Config)) -> Upgrade {
        let mut inventory = Inventory::default();
        let mut config = Config::default();
        for (index, group) in groups.iter().enumerate() {
            let before = groups[..index].iter().filter(|other| *other == group).count();
            config.model_list.push(ModelEntry {
                model_name: (*group).to_owned(),
                // An id like its group's name would be a difference of its own.
                id: format!("{group}-{}", before + 1),
                model: format!("openai/{group}"),
                ..ModelEntry::default()
            });
            inventory.places.push(Place { provider: "openai".to_owned(), ..Place::default() });
        }
        change(&mut config);
        let world = |release| {
            let config = Config { release, ..config.clone() };
            let plan = Arc::new(Plan::new(&config).unwrap());
            World {
                asked: vec![plan.deployments()[0].group],
                plan,
                config,
                config_path: std::path::PathBuf::new(),
                inventory: Arc::new(inventory.clone()),
                load: Load::Rate(2.0),
                duration: Span::from_secs(60),
                deadline: Span::from_secs(60),
            }
        };
        let (from, to) = (world(Release::V1_80_17), world(Release::V1_109_1));
        Upgrade { rows: rows(&config, &inventory), from, to, seeds: vec![1] }
    }

    #[test]
    fn the_same_release_changes_nothing() {
        let mut upgrade = upgrade(&["gpt", "spare"], |_| ());
        upgrade.from = upgrade.to.clone();
        assert_eq!(upgrade.changes(&|| ()), []);
    }

    #[test]
    fn sdk_retries_of_the_older_release_are_named_where_they_lengthen_an_outage() {
        let upgrade = upgrade(&["gpt", "spare"], |config| {
            config.model_list[0].num_retries = Some(router_core::Number::Is(1.0));
            let targets = vec![FallbackTarget::Name("spare".to_owned())];
            config.router_settings.fallbacks = Some(vec![FallbackEntry { group: "gpt".to_owned(), targets }]);
        });
        let changes = upgrade.changes(&|| ());
        let row = upgrade.rows.iter().position(|row| row.name() == "deployment:gpt-1/5xx").unwrap();
        let change = changes.iter().find(|change| change.row == Some(row)).expect("a change");
        assert_eq!(change.rules, ["client_retries"], "{change:#?}");
        assert_ne!(change.from.at, change.to.at, "the retries of the HTTP client take time of their own: {change:#?}");
        assert!(changes.iter().all(|change| change.row.is_some()), "nothing changes while nothing fails");
    }

    #[test]
    fn a_rule_that_changes_a_run_early_does_not_hide_the_next_one() {
        let upgrade = upgrade(&["gpt", "gpt"], |config| {
            config.router_settings.routing_strategy = Some(router_core::RoutingStrategy::LatencyBased);
            config.router_settings.allowed_fails = Some(3);
        });
        let changes = upgrade.changes(&|| ());
        let mut followed = 0;
        for (earlier, later) in changes.iter().zip(&changes[1..]).filter(|(earlier, later)| earlier.row == later.row) {
            let known = [&earlier.after[..], &earlier.rules].concat();
            assert_eq!(later.after, known);
            assert!(later.rules.iter().all(|rule| !known.contains(rule)), "{later:#?}");
            followed += 1;
        }
        assert!(followed > 0, "{changes:#?}");
        let silent = upgrade.without_effect(&changes);
        let named = |rule: &Rule| changes.iter().any(|change| change.rules.contains(&rule.name));
        for rule in Rules::CATALOGUE {
            let differs = rule.taken_over(Rules::V1_80_17, &Rules::V1_109_1).is_some();
            assert_eq!(differs && !named(rule), silent.contains(&rule.name), "{}", rule.name);
        }
    }
}
