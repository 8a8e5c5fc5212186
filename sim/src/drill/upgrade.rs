//! What another LiteLLM release would change for the users: the same outages, the same seeds, two releases.
//!
//! Once two runs have parted they draw their random numbers for different questions, so that all that follows may
//! differ by chance. What tells the truth is the *first* request that ends differently, and the rule that makes it so.

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

/// What an upgrade changes in one row: its first difference.
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
    /// How it ends under the release of today.
    pub from: End,
    /// How it ends under the release to come.
    pub to: End,
    /// The rules behind it; none when the two releases read the configuration itself differently.
    pub rules: Vec<&'static str>,
    /// It takes all these rules. Otherwise each by itself makes the difference.
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
    /// The first difference in each row that has one, the run in which nothing fails first. `done` is called after
    /// each row, from whichever thread ran it.
    pub fn changes(&self, done: &(dyn Fn() + Sync)) -> Vec<Change> {
        let rows: Vec<Option<usize>> = std::iter::once(None).chain((0..self.rows.len()).map(Some)).collect();
        rows.into_par_iter()
            .map(|row| {
                let change = self.change(row);
                done();
                change
            })
            .collect::<Vec<_>>()
            .into_iter()
            .flatten()
            .collect()
    }

    fn change(&self, row: Option<usize>) -> Option<Change> {
        let failing = row.map(|row| &self.rows[row]);
        self.seeds.iter().find_map(|&seed| {
            let (from, to) = (ends(&self.from, failing, seed, None), ends(&self.to, failing, seed, None));
            let (request, from, to) = first_difference(&from, &to)?;
            let trial = Trial { upgrade: self, row: failing, seed, request: request.id, from, to };
            let (rules, together) = trial.responsible();
            Some(Change {
                row,
                seed,
                request: request.id,
                asked: request.asked,
                due: request.due,
                from,
                to,
                rules,
                together,
            })
        })
    }
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
    row: Option<&'a Row>,
    seed: u64,
    request: RequestId,
    from: End,
    to: End,
}

impl Trial<'_> {
    /// Each rule of the other release is tried by itself: does today's release with just that one end the request as
    /// the other does? If none does, rules are left out of all of them as long as it still ends so.
    fn responsible(&self) -> (Vec<&'static str>, bool) {
        let (ours, theirs) = (self.rules_of(&self.upgrade.from), self.rules_of(&self.upgrade.to));
        // Each release also reads the configuration in its own way: what one does not know may be missing in it.
        for config in [&self.upgrade.from.config, &self.upgrade.to.config] {
            let makes_it = |rules: &[&'static Rule]| {
                let taken = rules.iter().fold(ours, |taken, rule| rule.taken_over(taken, &theirs).unwrap_or(taken));
                self.ends_like_the_other(config, taken)
            };
            if makes_it(&[]) {
                continue;
            }
            let all: Vec<&'static Rule> =
                Rules::CATALOGUE.iter().filter(|rule| rule.taken_over(ours, &theirs).is_some()).collect();
            let alone: Vec<&'static str> =
                all.iter().filter(|&&rule| makes_it(&[rule])).map(|rule| rule.name).collect();
            if !alone.is_empty() {
                return (alone, false);
            }
            if !makes_it(&all) {
                continue;
            }
            let mut needed = all.clone();
            for rule in all {
                let fewer: Vec<_> = needed.iter().copied().filter(|kept| kept.name != rule.name).collect();
                if makes_it(&fewer) {
                    needed = fewer;
                }
            }
            return (needed.into_iter().map(|rule| rule.name).collect(), true);
        }
        (Vec::new(), false)
    }

    fn rules_of(&self, world: &World) -> Rules {
        world.config.release.rules()
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

    fn upgrade(change: impl Fn(&mut Config)) -> Upgrade {
        let mut inventory = Inventory::default();
        let mut config = Config::default();
        for group in ["gpt", "spare"] {
            config.model_list.push(ModelEntry {
                model_name: group.to_owned(),
                // An id like its group's name would be a difference of its own.
                id: format!("{group}-1"),
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
        let mut upgrade = upgrade(|_| ());
        upgrade.from = upgrade.to.clone();
        assert_eq!(upgrade.changes(&|| ()), []);
    }

    #[test]
    fn sdk_retries_of_the_older_release_are_named_where_they_lengthen_an_outage() {
        let upgrade = upgrade(|config| {
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
}
