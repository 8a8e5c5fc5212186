//! The world of a drill: what stands in for everything that the configuration does not say.

use std::path::PathBuf;
use std::sync::Arc;

use router_core::{Config, NameId, Plan, Span, Time};

use super::rows::Row;
use crate::litellm::Inventory;
use crate::scenario::{
    Arrivals, Expect, Fault, Links, Origin, Quantiles, Recording, Scenario, Traffic, default_upstreams,
};

/// What is drilled, and under which load.
#[derive(Clone, Debug)]
pub struct World {
    /// The configuration.
    pub config: Config,
    /// Where it was read from.
    pub config_path: PathBuf,
    /// What it means.
    pub plan: Arc<Plan>,
    /// What stands behind each deployment.
    pub inventory: Arc<Inventory>,
    /// The names that clients ask for.
    pub asked: Vec<NameId>,
    /// How much they ask for.
    pub load: Load,
    /// How long requests keep arriving.
    pub duration: Span,
    /// How long a caller waits before giving up.
    pub deadline: Span,
}

/// How many requests arrive.
#[derive(Clone, PartialEq, Debug)]
pub enum Load {
    /// Independently of each other, so many per second on average, over all names together; each name gets an equal
    /// share.
    Rate(f64),
    /// As recorded; each name gets every so-manieth request.
    Trace(Recording),
}

/// Requests per second for each name when nobody says otherwise.
pub const RATE_PER_NAME: f64 = 2.0;
/// The most requests per second over all names when nobody says otherwise.
pub const RATE_MAX: f64 = 20.0;
/// When a run starts, for windows of the calendar: 2026-01-01, a whole minute, hour and day.
pub const START_UNIX_NANOS: u64 = 1_767_225_600_000_000_000;
/// How long a caller waits when nobody says otherwise.
pub const DEADLINE: Span = Span::from_secs(60);
/// Tokens of prompts: quantiles. The tail fits into the context windows of older models (8,192 tokens).
pub const PROMPT_TOKENS: [(f64, f64); 3] = [(0.5, 800.0), (0.95, 4000.0), (0.9999, 6000.0)];
/// Tokens of answers. The tail is cut so short that no answer of a healthy upstream comes near the callers' deadline.
pub const OUTPUT_TOKENS: [(f64, f64); 3] = [(0.5, 150.0), (0.95, 600.0), (0.9999, 1200.0)];
/// One way between client and proxy, and between proxy and upstream.
pub const LINK: Span = Span::from_millis(1);
/// How long requests keep arriving when nobody says otherwise and no cooldown is longer than usual.
pub const DURATION_MIN: Span = Span::from_secs(300);
/// However long the cooldowns are.
pub const DURATION_MAX: Span = Span::from_secs(3600);

/// Fifths of the duration at which the outage begins and ends.
const OUTAGE_FIFTHS: (u64, u64) = (1, 3);

impl World {
    /// The load when nobody says otherwise.
    pub fn default_load(names: usize) -> Load {
        Load::Rate((names as f64 * RATE_PER_NAME).min(RATE_MAX))
    }

    /// The duration when nobody says otherwise: long enough for the longest cooldown to end after the outage.
    pub fn default_duration(plan: &Plan) -> Span {
        const SPARE: f64 = 30.0;
        let longest =
            plan.deployments().iter().map(|deployment| deployment.cooldown_time.value).fold(0.0_f64, f64::max);
        let after = OUTAGE_FIFTHS.1 as f64 / 5.0;
        let wanted = Span::from_secs(((longest + SPARE) / (1.0 - after) + 0.5) as u64);
        wanted.clamp(DURATION_MIN, DURATION_MAX)
    }

    /// From when until when something fails.
    pub fn outage(&self) -> (Time, Time) {
        let fifth = self.duration.as_nanos() / 5;
        let at = |fifths| Time::from_nanos(fifth * fifths);
        (at(OUTAGE_FIFTHS.0), at(OUTAGE_FIFTHS.1))
    }

    /// A run in which nothing fails, or in which one row happens.
    pub fn scenario(&self, row: Option<&Row>) -> Scenario {
        /// What is under way when the last request comes ends by its deadline; the rest is travel.
        const TRAVEL: Span = Span::from_secs(1);
        let (from, until) = self.outage();
        Scenario {
            name: row.map_or_else(|| "baseline".to_owned(), Row::name),
            plan: Arc::clone(&self.plan),
            inventory: Arc::clone(&self.inventory),
            seed: 0,
            duration: self.duration,
            drain: self.deadline + TRAVEL,
            traffic: self.traffic(),
            upstreams: default_upstreams(&self.config, &self.inventory),
            quotas: Vec::new(),
            faults: row
                .map(|row| Fault {
                    from,
                    until: Some(until),
                    on: row.struck().to_vec(),
                    probability: 1.0,
                    inject: row.outage.inject(),
                    label: format!("{} on {}", row.outage.meaning(), row.target),
                })
                .into_iter()
                .collect(),
            links: Links { client: LINK, upstream: LINK },
            expect: Expect::default(),
            origin: Origin { config: self.config_path.clone(), ..Origin::default() },
        }
    }

    fn traffic(&self) -> Vec<Traffic> {
        let names = self.asked.len();
        let quantiles = |points: [(f64, f64); 3]| Quantiles(points.to_vec());
        (self.asked.iter().enumerate())
            .map(|(index, name)| Traffic {
                model: *name,
                arrivals: match &self.load {
                    Load::Rate(rate) => Arrivals::Poisson { rate: rate / names as f64 },
                    Load::Trace(recording) => {
                        Arrivals::Trace(recording.share(names as u32, index as u32, Time::ZERO + self.duration))
                    }
                },
                prompt_tokens: quantiles(PROMPT_TOKENS),
                output_tokens: quantiles(OUTPUT_TOKENS),
                deadline: Some(self.deadline),
                retry: None,
                params: None,
            })
            .collect()
    }
}
