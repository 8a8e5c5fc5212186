//! Running a drill: the baseline, then every row, each under several seeds, on several threads.

use rayon::prelude::*;
use router_core::Time;

use super::assess::{Assessment, Judge};
use super::rows::Row;
use super::verdict::{Thresholds, Verdict};
use super::world::World;
use crate::cast::Casting;
use crate::digest::Digest;
use crate::engine::Engine;
use crate::invariants::{Breaches, Defects, Laws};
use crate::metrics::{Course, Courses, Metrics, Phase, Shape};
use crate::scenario::Scenario;
use crate::step::{Ending, RunEnd};

/// A drill that is ready to run.
#[derive(Clone, Debug)]
pub struct Drill {
    /// What is drilled, and under which load.
    pub world: World,
    /// What fails.
    pub rows: Vec<Row>,
    /// The seeds under which each row runs, and the baseline too.
    pub seeds: Vec<u64>,
    /// How outages are judged.
    pub thresholds: Thresholds,
}

/// What came of a drill.
#[derive(Debug)]
pub struct Outcome {
    /// The run in which nothing failed, all seeds added up.
    pub baseline: Metrics,
    /// The course of its first run.
    pub baseline_course: Course,
    /// By name asked for: whether its users are served when nothing fails.
    pub works: Vec<bool>,
    /// What came of each row, in the order of the rows. Empty when no name works.
    pub rows: Vec<Assessment>,
    /// All runs as one number, in the order of rows and seeds.
    pub digest: Digest,
    /// How many runs there were.
    pub runs: u64,
    /// How many requests they had.
    pub requests: u64,
    /// Runs that did not come to their end, by the name of their row.
    pub cut_short: Vec<(String, u64, Ending)>,
    /// Runs in which the router broke a law, by the name of their row and their seed.
    pub breaches: Vec<(String, u64, Breaches)>,
    /// What showed of the release's known defects, in all runs together.
    pub defects: Defects,
}

/// What is kept of the runs of one row: their metrics would fill the memory.
struct Assessed {
    assessment: Assessment,
    ends: Vec<RunOf>,
    requests: u64,
}

/// The runs of one scenario, added up.
struct Runs {
    metrics: Metrics,
    /// The course of the first.
    course: Course,
    ends: Vec<RunOf>,
}

/// How one run ended.
struct RunOf {
    seed: u64,
    end: RunEnd,
    breaches: Breaches,
    defects: Defects,
}

/// Steps of a course that is kept for each row.
const COURSE_STEPS: u64 = 60;
/// Deployments with a lane of their own in it: as many as this, shared by all rows, but no fewer and no more than
/// [`LANES`].
const LANES_OF_ALL_ROWS: usize = 4_800;
/// The least and the most of them for one row.
const LANES: (usize, usize) = (4, 12);

impl Drill {
    /// Runs it. `done` is called after each row, from whichever thread ran it; nothing in the outcome depends on the
    /// number of threads.
    pub fn run(&self, done: &(dyn Fn() + Sync)) -> Outcome {
        let outage = self.world.outage();
        let base = self.world.scenario(None);
        let prices: Vec<(f64, f64)> = base.upstreams.iter().map(|upstream| upstream.price).collect();
        let baseline = runs(&base, &self.seeds, Some(outage));
        done();
        let judge =
            Judge { world: &self.world, baseline: &baseline.metrics, thresholds: self.thresholds, prices: &prices };
        let lanes = (LANES_OF_ALL_ROWS / self.rows.len().max(1)).clamp(LANES.0, LANES.1);
        let works: Vec<bool> = (0..self.world.asked.len()).map(|asked| judge.works(asked)).collect();
        let rows: &[Row] = if works.contains(&true) { &self.rows } else { &[] };
        let assessed: Vec<Assessed> = rows
            .par_iter()
            .map(|row| {
                let Runs { metrics, course, ends } = runs(&self.world.scenario(Some(row)), &self.seeds, None);
                let course = course.with_lanes(lanes, &metrics.shape().struck);
                let assessment = judge.assess(row, &metrics, course);
                done();
                Assessed { assessment, ends, requests: metrics.ends_over(&Phase::ALL).total() }
            })
            .collect();

        let mut digests: Vec<u8> = Vec::new();
        let (mut cut_short, mut broken, mut showed) = (Vec::new(), Vec::new(), Defects::default());
        let mut keep = |name: String, ends: &[RunOf]| {
            for RunOf { seed, end, breaches, defects } in ends {
                showed.absorb(defects);
                digests.extend_from_slice(&end.digest.0.to_le_bytes());
                if end.ending != Ending::Finished {
                    cut_short.push((name.clone(), *seed, end.ending.clone()));
                }
                if !breaches.is_empty() {
                    broken.push((name.clone(), *seed, breaches.clone()));
                }
            }
        };
        keep("baseline".to_owned(), &baseline.ends);
        let mut requests = baseline.metrics.ends_over(&Phase::ALL).total();
        let mut count = baseline.ends.len() as u64;
        let mut rows = Vec::with_capacity(assessed.len());
        for one in assessed {
            keep(one.assessment.row.name(), &one.ends);
            requests += one.requests;
            count += one.ends.len() as u64;
            rows.push(Assessment { digests: one.ends.iter().map(|run| run.end.digest).collect(), ..one.assessment });
        }
        let digest = Digest(xxhash_rust::xxh3::xxh3_128(&digests));
        Outcome {
            baseline: baseline.metrics,
            baseline_course: baseline.course.with_lanes(LANES.1, &[]),
            works,
            rows,
            digest,
            runs: count,
            requests,
            cut_short,
            breaches: broken,
            defects: showed,
        }
    }
}

impl Outcome {
    /// How many rows have that verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }

    /// The worst verdict. A name that is not served when nothing fails is lost.
    pub fn worst(&self) -> Verdict {
        if self.works.contains(&false) {
            return Verdict::Lost;
        }
        self.rows.iter().map(|row| row.verdict).min().unwrap_or(Verdict::Untouched)
    }
}

/// Runs a scenario once under each seed, in order. `outage` cuts the phases of a scenario without faults.
fn runs(scenario: &Scenario, seeds: &[u64], outage: Option<(Time, Time)>) -> Runs {
    let mut shape = Shape::of(scenario);
    if let Some((from, until)) = outage {
        shape = shape.with_outage(from, until);
    }
    let horizon = shape.end;
    let mut engine = Engine::new();
    let mut sum: Option<Metrics> = None;
    let mut ends = Vec::with_capacity(seeds.len());
    // The first seed stands for all where time is shown, and says why deployments are passed over.
    let mut courses = Courses::new(shape.deployments, horizon, COURSE_STEPS);
    let casting = Casting::new(scenario);
    let fresh = Laws::new(scenario.plan.clone());
    for &seed in seeds {
        let mut watchers = (Metrics::new(shape.clone(), seed), fresh.again());
        let mut cast = casting.cast();
        let end = if ends.is_empty() {
            cast.explain();
            engine.run(&mut cast, seed, horizon, &mut (&mut watchers, &mut courses))
        } else {
            engine.run(&mut cast, seed, horizon, &mut watchers)
        };
        let (mut metrics, mut laws) = watchers;
        metrics.finish();
        laws.finish(horizon, cast.router());
        let (breaches, defects) = laws.into_parts();
        ends.push(RunOf { seed, end, breaches, defects });
        match &mut sum {
            Some(sum) => sum.absorb(&metrics),
            None => sum = Some(metrics),
        }
    }
    Runs { metrics: sum.unwrap_or_else(|| Metrics::new(shape, 0)), course: courses.finish(), ends }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use router_core::{Config, FallbackEntry, FallbackTarget, ModelEntry, Plan, Span};

    use super::*;
    use crate::drill::{CauseKind, Load, Outage, rows};
    use crate::litellm::{Inventory, Place};

    /// Deployments as `group provider`; drilled for 100 s with 4 requests per second for the first group.
    fn drill(deployments: &[&str], change: impl FnOnce(&mut Config)) -> Drill {
        let (mut config, mut inventory) = (Config::default(), Inventory::default());
        for (index, line) in deployments.iter().enumerate() {
            let (group, provider) = line.split_once(' ').unwrap();
            config.model_list.push(ModelEntry {
                model_name: group.to_owned(),
                id: format!("d{index}"),
                model: format!("{provider}/{group}"),
                ..ModelEntry::default()
            });
            inventory.places.push(Place { provider: provider.to_owned(), ..Place::default() });
        }
        change(&mut config);
        let plan = Arc::new(Plan::new(&config).unwrap());
        let asked = vec![plan.deployments()[0].group];
        let rows = rows(&config, &inventory);
        let world = World {
            config,
            config_path: std::path::PathBuf::new(),
            plan,
            inventory: Arc::new(inventory),
            asked,
            load: Load::Rate(4.0),
            duration: Span::from_secs(100),
            deadline: Span::from_secs(60),
        };
        Drill { world, rows, seeds: vec![1, 2], thresholds: Thresholds::default() }
    }

    fn row<'a>(outcome: &'a Outcome, name: &str) -> &'a Assessment {
        outcome.rows.iter().find(|row| row.row.name() == name).unwrap_or_else(|| panic!("no row {name}"))
    }

    #[test]
    fn a_sibling_carries_on_when_one_of_two_refuses_and_nobody_does_when_both_do() {
        let outcome = drill(&["gpt openai", "gpt openai"], |_| ()).run(&|| ());
        assert_eq!(outcome.works, [true]);
        let one = row(&outcome, "deployment:d0/429-retry-after");
        assert_eq!(one.verdict, Verdict::Held, "{one:#?}");
        assert!(one.took_over[0].1 > 0.4);
        assert!(one.failed_over_after.is_some() && one.recovered_after.is_some());
        let both = row(&outcome, "group:gpt/429-retry-after");
        assert_eq!(both.verdict, Verdict::Lost);
        assert!(matches!(both.causes[0].kind, CauseKind::NoFallback { .. }), "{:#?}", both.causes);
    }

    #[test]
    fn a_silent_upstream_without_a_timeout_costs_everybody_who_meets_it() {
        let outcome = drill(&["gpt openai"], |_| ()).run(&|| ());
        let silent = row(&outcome, "deployment:d0/silent");
        assert_eq!(silent.names[0].during, 0.0);
        assert!(matches!(silent.causes[0].kind, CauseKind::TimeoutAfterDeadline { .. }), "{:#?}", silent.causes);
    }

    #[test]
    fn a_fallback_that_is_not_there_is_named() {
        let outcome = drill(&["gpt openai"], |config| {
            let targets = vec![FallbackTarget::Name("ghost".to_owned())];
            config.router_settings.fallbacks = Some(vec![FallbackEntry { group: "gpt".to_owned(), targets }]);
        })
        .run(&|| ());
        let row = row(&outcome, "deployment:d0/5xx");
        assert!(matches!(row.causes[0].kind, CauseKind::FallbackUndefined { .. }), "{:#?}", row.causes);
    }

    #[test]
    fn a_fallback_on_another_provider_takes_over() {
        let outcome = drill(&["gpt openai", "claude anthropic"], |config| {
            let targets = vec![FallbackTarget::Name("claude".to_owned())];
            config.router_settings.fallbacks = Some(vec![FallbackEntry { group: "gpt".to_owned(), targets }]);
        })
        .run(&|| ());
        let gone = row(&outcome, "deployment:d0/5xx");
        assert_ne!(gone.verdict, Verdict::Lost, "{gone:#?}");
        assert!(gone.names[0].fell_back > 0.9);
        assert_eq!(row(&outcome, "deployment:d1/5xx").verdict, Verdict::Untouched);
    }

    #[test]
    fn a_name_that_nobody_serves_is_not_drilled_but_lost() {
        let mut drill = drill(&["gpt openai"], |config| config.asked_names.push("nothing".to_owned()));
        drill.world.asked = vec![drill.world.plan.name_id("nothing").unwrap()];
        let outcome = drill.run(&|| ());
        assert!(outcome.rows.is_empty());
        assert_eq!(outcome.worst(), Verdict::Lost);
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let drill = drill(&["gpt openai", "gpt openai"], |_| ());
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let outcome = pool.install(|| drill.run(&|| ()));
            (outcome.digest, format!("{:?}", outcome.rows))
        };
        assert!(on(1) == on(3));
        assert!(drill.rows.iter().any(|row| row.outage == Outage::Slow));
    }
}
