//! What became of a run after its faults: whether goodput came back, and when.

use router_core::{Span, Time};

use super::windows::{Steps, Stretch};
use crate::metrics::{Shape, Timeline};

/// What must be back of the baseline, as a share of it.
pub const BACK: f64 = 0.95;
/// How long goodput may stay away, and a request open, before that is called lasting.
pub const LASTING: Span = Span::from_secs(60);
/// The length of a window in which goodput is looked at; longer where fewer requests come.
const WINDOW: Span = Span::from_secs(10);
/// Requests of a window, and of a baseline, at least.
const REQUESTS_MIN: u64 = 20;
/// So many times the attempts of the baseline are no longer those of the baseline.
const ATTEMPTS_UP: f64 = 2.0;
/// So many times the load of the baseline is more than the load of the baseline, and no accident.
const LOAD_UP: f64 = 1.25;

/// Of the time after the faults, one part in so many at the end is not looked at, unless the longest patience is shorter.
const SETTLING: u64 = 4;

/// The time after the last fault.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Aftermath {
    /// When the last fault ended.
    pub from: Time,
    /// For how long after that requests went on coming.
    pub quiet: Span,
    /// What it is compared with.
    pub baseline: Baseline,
    /// How goodput came back.
    pub goodput: Goodput,
    /// For how long, up to the last request, attempts per request were at twice the baseline or more.
    pub attempts_up: Span,
    /// How many requests came, as a multiple of how many came before.
    pub load: f64,
}

/// How things were before the first fault.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Baseline {
    /// Share of requests that were answered.
    pub goodput: f64,
    /// Attempts per request.
    pub attempts: f64,
    /// It was seen; `false`: too few requests came before the first fault, and one attempt and one answer for each are
    /// taken instead.
    pub seen: bool,
}

/// How goodput came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Goodput {
    /// So long after the last fault it was back for good.
    Back(Span),
    /// It was away up to the last request.
    Away {
        /// For how long.
        lasting: Span,
        /// Not one request of that time was answered.
        entirely: bool,
    },
}

/// Why the time after the faults cannot be judged.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum NotJudged {
    /// There was no fault.
    NoFault,
    /// The last fault ends with the run, or not at all.
    NeverOver,
    /// Requests stop coming so soon after the last fault.
    TooShort(Span),
    /// So many times the requests that came before are more than they were: nothing is as before.
    MoreLoad(f64),
}

/// What does not end when the faults do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lasting {
    /// Nothing is answered any more.
    Silence(Span),
    /// Goodput stays away though the trigger is gone.
    Loss(Span),
    /// Goodput is there, and each request costs twice the attempts and more.
    Attempts(Span),
}

impl Aftermath {
    /// The time after the last fault of a run.
    ///
    /// # Errors
    /// Why there is none to look at.
    pub fn of(shape: &Shape, timeline: &Timeline) -> Result<Self, NotJudged> {
        let &(first_fault, _) = shape.outages.first().ok_or(NotJudged::NoFault)?;
        let from = shape.last_end().ok_or(NotJudged::NeverOver)?;
        let quiet = shape.arrivals_end.since(from);
        let steps = Steps::new(timeline, shape.arrivals_end);
        // The step in which a fault begins is not before it, and the one in which it ends is not after it.
        let (start, last) = (steps.first_from(from), steps.first_from(shape.arrivals_end));
        // Requests that come last may be answered only because none comes after them: they say nothing.
        let patience = shape.end.since(shape.arrivals_end);
        let settling = patience.min(Span::from_nanos(quiet.as_nanos() / SETTLING));
        let judged = last.saturating_sub(steps.steps_of(settling));
        let before = steps.between(0, steps.first_ending_after(first_fault));
        let baseline = Baseline::of(before);
        let windows = windows(&steps, start, judged);
        if windows.is_empty() {
            return Err(NotJudged::TooShort(quiet));
        }
        let rate = |stretch: Stretch, length: Span| stretch.due as f64 / length.as_secs_f64();
        let usual = if baseline.seen {
            rate(before, steps.start(steps.first_ending_after(first_fault)).since(Time::ZERO))
        } else {
            rate(steps.between(0, start), steps.start(start).since(Time::ZERO))
        };
        let load = rate(steps.between(start, last), steps.start(last).since(steps.start(start)));
        // How long the last windows in a row were of some kind, up to the last request.
        let lasting = |is: &dyn Fn(Stretch) -> bool| -> (usize, Span) {
            let index =
                windows.iter().rposition(|(begin, end)| !is(steps.between(*begin, *end))).map_or(0, |last| last + 1);
            match windows.get(index) {
                Some((begin, _)) if index > 0 => (index, shape.arrivals_end.since(steps.start(*begin))),
                Some(_) => (0, quiet),
                None => (index, Span::ZERO),
            }
        };
        let is_low = |stretch: Stretch| (stretch.answered as f64) < BACK * baseline.goodput * stretch.due as f64;
        let is_up =
            |stretch: Stretch| stretch.attempts as f64 >= ATTEMPTS_UP * baseline.attempts.max(1.0) * stretch.due as f64;
        let (index, away) = lasting(&is_low);
        let goodput = match windows.get(index) {
            Some((begin, _)) => Goodput::Away { lasting: away, entirely: steps.between(*begin, judged).answered == 0 },
            None => {
                let last_low = windows.iter().rposition(|(begin, end)| is_low(steps.between(*begin, *end)));
                Goodput::Back(last_low.map_or(Span::ZERO, |index| steps.start(windows[index].0 + 1).since(from)))
            }
        };
        let load = if usual > 0.0 { load / usual } else { 1.0 };
        Ok(Self { from, quiet, baseline, goodput, attempts_up: lasting(&is_up).1, load })
    }

    /// What does not end when the faults do, if something does not.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn lasting(&self) -> Result<Option<Lasting>, NotJudged> {
        if self.quiet < LASTING {
            return Err(NotJudged::TooShort(self.quiet));
        }
        let found = match self.goodput {
            Goodput::Away { lasting, entirely } if lasting >= LASTING => {
                // Attempts without end keep a metastable state alive; without them, something is stuck.
                let silent = entirely && self.attempts_up.is_zero();
                Some(if silent { Lasting::Silence(lasting) } else { Lasting::Loss(lasting) })
            }
            _ if self.attempts_up >= LASTING => Some(Lasting::Attempts(self.attempts_up)),
            _ => None,
        };
        if found.is_some() && self.load > LOAD_UP {
            return Err(NotJudged::MoreLoad(self.load));
        }
        Ok(found)
    }
}

impl Baseline {
    fn of(before: Stretch) -> Self {
        let seen = before.due >= REQUESTS_MIN;
        Self {
            goodput: before.goodput().filter(|_| seen).unwrap_or(1.0),
            attempts: before.attempts_per_request().filter(|_| seen).unwrap_or(1.0),
            seen,
        }
    }
}

/// Windows of rising starts, each no longer than it must be. Those at the end that are not full are left out.
fn windows(steps: &Steps, first: usize, last: usize) -> Vec<(usize, usize)> {
    let shortest = steps.steps_of(WINDOW);
    let mut windows = Vec::new();
    let mut end = first;
    for begin in first..last {
        end = end.max(begin + shortest);
        while end < last && steps.between(begin, end).due < REQUESTS_MIN {
            end += 1;
        }
        if end > last || steps.between(begin, end).due < REQUESTS_MIN {
            break;
        }
        windows.push((begin, end));
    }
    windows
}
