//! What became of the promises of a scenario.

use routedrill_sim::drill::labels;
use routedrill_sim::metrics::{Metrics, Phase};
use routedrill_sim::promises::{Aftermath, Goodput, LASTING, Lasting, NotJudged, Promise};
use routedrill_sim::scenario::{Expect, Scenario};
use router_core::{Span, Time};
use schemars::JsonSchema;
use serde::Serialize;

use crate::figures;
use crate::words;

/// A promise of the scenario.
#[derive(Clone, PartialEq, Debug, JsonSchema, Serialize)]
pub struct ExpectationReport {
    /// Its key in the scenario: `availability`, `latency.p99`.
    pub key: String,
    /// What was promised.
    pub promise: String,
    /// What was seen, or why nothing can be told.
    pub seen: String,
    /// Whether it held.
    pub held: bool,
    /// Nothing happened that it could be judged by, so that it has not been shown to hold.
    #[serde(skip_serializing_if = "is_false")]
    pub not_judged: bool,
    /// The scenario shows it to be broken.
    #[serde(skip_serializing_if = "is_false")]
    pub expected_broken: bool,
}

impl ExpectationReport {
    /// Whether it held where it should, and broke where it should.
    pub fn is_as_expected(&self) -> bool {
        !self.not_judged && self.held != self.expected_broken
    }

    /// What became of it, in a word or three.
    pub fn verdict(&self) -> &'static str {
        match (self.held, self.expected_broken) {
            _ if self.not_judged => "NOT JUDGED",
            (true, false) => "held",
            (false, false) => "BROKEN",
            (false, true) => "broken, as expected",
            (true, true) => "HELD, but expected to break",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What was seen of a promise: in words, and whether it held. An error says why nothing can be told.
type Seen = Result<(String, bool), String>;

/// What became of the promises in one run.
pub(crate) fn expectations(scenario: &Scenario, metrics: &Metrics) -> Vec<ExpectationReport> {
    let expect = &scenario.expect;
    let look = Look { scenario, metrics };
    let mut list = Vec::new();
    let mut add = |key: String, promise: String, seen: Seen| {
        let expected_broken = expect.broken.contains(&key);
        let not_judged = seen.is_err();
        let (seen, held) = seen.unwrap_or_else(|why| (why, false));
        list.push(ExpectationReport { key, promise, seen, held, not_judged, expected_broken });
    };
    let chosen = |span: Span| figures::chosen(span);
    for promise in Promise::ALL {
        let key = || promise.key().to_owned();
        let share = |what: &str, least: f64| format!("{what} >= {}", figures::chosen_share(least));
        match promise {
            Promise::Availability => {
                if let Some(least) = expect.availability {
                    add(key(), share("availability", least), look.availability(least));
                }
            }
            Promise::Latency => {
                for &(quantile, most) in &expect.latency {
                    let text = format!("{} <= {}", words::quantile(quantile), chosen(Span::from_secs_f64(most)));
                    add(Expect::latency_key(quantile), text, look.latency(quantile, most));
                }
            }
            Promise::Deadline => {
                if let Some(least) = expect.deadline {
                    add(key(), share("ended before the caller's deadline", least), look.deadline(least));
                }
            }
            Promise::ServedByFallback => {
                if let Some(least) = expect.served_by_fallback {
                    let text = share("served by a fallback while faults are on", least);
                    add(key(), text, look.served_by_fallback(least));
                }
            }
            Promise::FallbackReached => {
                if let Some(least) = expect.fallback_reached {
                    let text = share("answered, where a configured target was free", least);
                    add(key(), text, look.fallback_reached(least));
                }
            }
            Promise::AttemptsPerRequest => {
                if let Some(most) = expect.attempts_per_request {
                    let text = format!("attempts per request <= {}", figures::ratio(most));
                    add(key(), text, look.attempts_per_request(most));
                }
            }
            Promise::Amplification => {
                for &(window, most) in &expect.amplification {
                    let text = format!("attempts per request in any {} <= {}", chosen(window), figures::ratio(most));
                    add(Expect::amplification_key(window), text, Ok(look.amplification(window, most)));
                }
            }
            Promise::Recovery => {
                if let Some(most) = expect.recovery {
                    add(
                        key(),
                        format!("goodput is back <= {} after the last fault", chosen(most)),
                        look.recovery(most),
                    );
                }
            }
            // Always promised, and told where it broke or should have.
            Promise::Liveness => {
                let seen = look.liveness();
                if !expect.liveness_off && (expect.broken.contains(&key()) || matches!(seen, Ok((_, false)))) {
                    add(key(), "when the faults are over, everything ends and goodput comes back".to_owned(), seen);
                }
            }
            Promise::FairShares => {
                if let Some(most) = expect.fair_shares {
                    let text = format!("off the due share of calls <= {}", figures::chosen_share(most));
                    add(key(), text, look.fair_shares(most));
                }
            }
            Promise::NoStarvation => {
                if let Some(most) = expect.no_starvation {
                    let text = format!("without an answer while others are served <= {}", chosen(most));
                    add(key(), text, look.no_starvation(most));
                }
            }
            Promise::Isolation => {
                if let Some(least) = expect.isolation {
                    add(key(), share("availability of groups that no fault touches", least), look.isolation(least));
                }
            }
        }
    }
    for &situation in &expect.must_see {
        let seen = metrics.reached().contains(situation);
        let word = if seen { "seen" } else { "never seen" };
        let text = format!("must see {}", words::situation(situation));
        add("must_see".to_owned(), text, Ok((word.to_owned(), seen)));
    }
    list
}

/// A run, looked at promise by promise.
struct Look<'a> {
    scenario: &'a Scenario,
    metrics: &'a Metrics,
}

/// What is said of a promise about requests where no request came.
const NOTHING: &str = "nothing to tell it by";

impl Look<'_> {
    fn availability(&self, least: f64) -> Seen {
        at_least(self.metrics.ends_over(&Phase::ALL).availability(), least, NOTHING)
    }

    fn latency(&self, quantile: f64, most: f64) -> Seen {
        let seen = self.metrics.latency_over(&Phase::ALL).quantile(quantile).ok_or(NOTHING)?.as_secs_f64();
        Ok((figures::seconds(seen), seen <= most))
    }

    fn deadline(&self, least: f64) -> Seen {
        let seen = self.metrics.watched().and_then(routedrill_sim::promises::Watched::deadlines_kept);
        at_least(seen, least, "no request with a deadline ended")
    }

    fn served_by_fallback(&self, least: f64) -> Seen {
        let during = self.metrics.over(&[Phase::During]);
        at_least(super::run::share(during.fell_back, during.ends.answered), least, NOTHING)
    }

    fn fallback_reached(&self, least: f64) -> Seen {
        let reached = self.metrics.watched().and_then(|watched| watched.reached());
        let Some((reached, share)) = reached.and_then(|reached| Some((reached, reached.share()?))) else {
            return Err("no request could have been answered".to_owned());
        };
        let mut seen = figures::percent(share);
        if let Some((request, at)) = reached.first_missed {
            let missed = figures::counted(reached.missed, "request");
            seen += &format!("; {missed} lost beside a free target, the first: {request} at {}", moment(at));
        }
        Ok((seen, share >= least))
    }

    fn attempts_per_request(&self, most: f64) -> Seen {
        let all = self.metrics.ends_over(&Phase::ALL).total();
        let seen = super::run::share(self.metrics.attempts(), all).ok_or(NOTHING)?;
        Ok((figures::ratio(seen), seen <= most))
    }

    fn amplification(&self, window: Span, most: f64) -> (String, bool) {
        let (seen, at) = self.metrics.steps().worst_amplification(window);
        (format!("{} from {} on", figures::ratio(seen), moment(at)), seen <= most)
    }

    fn recovery(&self, most: Span) -> Seen {
        let after = self.metrics.aftermath().map_err(not_judged)?;
        match after.goodput {
            Goodput::Back(Span::ZERO) => Ok(("never away".to_owned(), true)),
            Goodput::Back(span) => Ok((figures::span(span), span <= most)),
            Goodput::Away { .. } if after.quiet < most => Err(not_judged(NotJudged::TooShort(after.quiet))),
            Goodput::Away { .. } => Ok((away(&after), false)),
        }
    }

    fn liveness(&self) -> Seen {
        if let Some((count, request, at)) = self.metrics.unanswered() {
            return Ok((unanswered(count, &request.to_string(), at), false));
        }
        let after = self.metrics.aftermath().map_err(not_judged)?;
        Ok(match after.lasting().map_err(not_judged)? {
            None => ("they are".to_owned(), true),
            Some(lasting) => (lasting_in_words(&after, lasting), false),
        })
    }

    fn fair_shares(&self, most: f64) -> Seen {
        let unfair = self.metrics.watched().and_then(|watched| watched.unfair());
        let unfair = unfair.ok_or("no group of several deployments had 100 calls under simple-shuffle")?;
        let plan = &self.scenario.plan;
        let name = &labels::of_plan(plan)[unfair.deployment.index()];
        let (got, due) = (figures::percent(unfair.got), figures::percent(unfair.due));
        Ok((format!("{name} got {got} of the calls, {due} are its due"), unfair.off() <= most))
    }

    fn no_starvation(&self, most: Span) -> Seen {
        let starved = self.metrics.watched().and_then(|watched| watched.starved());
        let (span, stream) = starved.ok_or("there is only one stream of traffic")?;
        let model = self.scenario.plan.name(self.scenario.traffic[stream].model);
        let stream = format!("entry {} of traffic, for {model}", stream + 1);
        let seen = if span.is_zero() { "nobody was".to_owned() } else { format!("{}: {stream}", figures::span(span)) };
        Ok((seen, span <= most))
    }

    fn isolation(&self, least: f64) -> Seen {
        let after = &[Phase::During, Phase::After];
        let names = self.metrics.watched().map_or(&[][..], |watched| watched.bystanders());
        let each = names.iter().filter_map(|&index| {
            let share = self.metrics.asked_over(index, after).ends.availability()?;
            Some((share, self.metrics.shape().asked[index]))
        });
        let worst = each.reduce(|worst, one| if one.0 < worst.0 { one } else { worst });
        let (share, name) = worst.ok_or("no group that is asked for is out of the faults' reach")?;
        Ok((format!("{}: {}", figures::percent(share), self.scenario.plan.name(name)), share >= least))
    }
}

fn at_least(seen: Option<f64>, least: f64, otherwise: &str) -> Seen {
    let seen = seen.ok_or(otherwise)?;
    Ok((figures::percent(seen), seen >= least))
}

/// A moment of a run.
pub(super) fn moment(at: Time) -> String {
    figures::seconds(at.as_secs_f64())
}

/// Why the time after the faults cannot be judged.
pub(super) fn not_judged(why: NotJudged) -> String {
    match why {
        NotJudged::NoFault => "not judged: the scenario has no fault".to_owned(),
        NotJudged::NeverOver => "not judged: the last fault lasts to the end of the run".to_owned(),
        NotJudged::TooShort(quiet) if quiet.is_zero() => "not judged: no request comes after the last fault".to_owned(),
        NotJudged::TooShort(quiet) => {
            format!("not judged: requests stop coming {} after the last fault", figures::span(quiet))
        }
        NotJudged::MoreLoad(times) => {
            format!("not judged: {} times as many requests come as before the faults", figures::ratio(times))
        }
    }
}

/// Requests that never ended.
pub(super) fn unanswered(count: u64, request: &str, at: Time) -> String {
    let have = if count == 1 { "has" } else { "have" };
    format!(
        "{} {have} no answer when the run ends, though {} and more have passed; the first: {request}, sent at {}",
        figures::counted(count, "request"),
        figures::chosen(LASTING),
        moment(at)
    )
}

/// How goodput stayed away.
fn away(after: &Aftermath) -> String {
    match after.goodput {
        Goodput::Away { lasting, .. } if lasting < after.quiet => {
            format!("away in the last {} of requests", figures::span(lasting))
        }
        _ => format!("not back {} later, when the last request comes", figures::span(after.quiet)),
    }
}

/// What did not end with the faults.
fn lasting_in_words(after: &Aftermath, lasting: Lasting) -> String {
    let over = format!("{} after the last fault", figures::span(after.quiet));
    match lasting {
        Lasting::Silence(_) => format!("{over} still nothing is answered"),
        Lasting::Loss(_) => format!("{over} goodput is not back"),
        Lasting::Attempts(_) => format!("{over} there are still twice as many attempts per request as before"),
    }
}
