//! The search for the highest load that holds, by bisection over answers that may stay open.

use std::cmp::Ordering;

use crate::search::slo::Standing;

/// Loads that are tried, in requests per second.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Limits {
    /// The first one.
    pub start: f64,
    /// None below this is tried.
    pub min: f64,
    /// None above this is tried.
    pub max: f64,
    /// How far apart two neighbours may stay, as a share of the lower one; above zero.
    pub precision: f64,
}

/// Between which loads the capacity lies.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Bracket {
    /// The highest load that keeps the objective, with confidence, with no broken one below it; `None`: none does.
    pub holds: Option<f64>,
    /// The lowest load that breaks it, with confidence; `None`: none does.
    pub breaks: Option<f64>,
}

impl Bracket {
    /// The middle between both, in ratio, where both are known.
    pub fn middle(&self) -> Option<f64> {
        self.holds.zip(self.breaks).map(|(holds, breaks)| libm::sqrt(holds * breaks))
    }

    /// Orders by what holds; where that is the same, as where nothing does, by what breaks.
    pub fn least_first(&self, other: &Self) -> Ordering {
        let holds = |one: &Self| one.holds.unwrap_or(0.0);
        let breaks = |one: &Self| one.breaks.unwrap_or(f64::INFINITY);
        holds(self).total_cmp(&holds(other)).then(breaks(self).total_cmp(&breaks(other)))
    }
}

/// Searches for the load at which `judge` turns from kept to broken.
///
/// Loads go up or down by the factor of two until one keeps and one breaks the objective, then the gaps between the
/// kept, the open and the broken ones are halved until they are within the precision. Low loads have few requests, from
/// which little can be told: that they stay open is no reason not to look for one that is kept above them.
pub fn search(limits: Limits, mut judge: impl FnMut(f64) -> Standing) -> Bracket {
    let Limits { start, min, max, precision } = limits;
    let mut range = Range::default();
    let mut load = start.clamp(min, max);
    // Down until one holds.
    loop {
        range.learn(load, judge(load));
        if range.kept.is_some() || load <= min {
            break;
        }
        load = (load / 2.0).max(min);
    }
    // Up until one breaks.
    let mut load = range.open.map_or(start, |(_, high)| high).max(start).clamp(min, max);
    while range.broken.is_none() && load < max {
        load = (load * 2.0).min(max);
        range.learn(load, judge(load));
    }
    while let Some(load) = range.widest_gap(precision) {
        range.learn(load, judge(load));
    }
    Bracket { holds: range.kept, breaks: range.broken }
}

/// What is known: `kept < open < broken`.
#[derive(Default)]
struct Range {
    kept: Option<f64>,
    /// The lowest and the highest load between the other two for which the runs do not tell.
    open: Option<(f64, f64)>,
    broken: Option<f64>,
}

impl Range {
    fn learn(&mut self, load: f64, standing: Standing) {
        match standing {
            Standing::Kept => {
                self.kept = Some(self.kept.map_or(load, |kept| kept.max(load)));
                // What a higher load keeps, a lower one that was open keeps too.
                self.open = self.open.filter(|(_, high)| *high > load).map(|(low, high)| (low.max(load), high));
            }
            Standing::Broken => {
                self.broken = Some(self.broken.map_or(load, |broken| broken.min(load)));
                self.open = self.open.filter(|(low, _)| *low < load).map(|(low, high)| (low, high.min(load)));
            }
            Standing::Open => {
                self.open = Some(self.open.map_or((load, load), |(low, high)| (low.min(load), high.max(load))));
            }
        }
    }

    /// The middle of a gap that is wider than the precision; the one next to what holds first.
    fn widest_gap(&self, precision: f64) -> Option<f64> {
        let gaps = match (self.kept, self.open, self.broken) {
            (Some(kept), None, Some(broken)) => vec![(kept, broken)],
            (Some(kept), Some((low, _)), None) => vec![(kept, low)],
            (Some(kept), Some((low, high)), Some(broken)) => vec![(kept, low), (high, broken)],
            (None, Some((_, high)), Some(broken)) => vec![(high, broken)],
            (_, None, None) | (None, None, _) | (None, _, None) => return None,
        };
        gaps.into_iter().find(|(low, high)| high / low - 1.0 > precision).map(|(low, high)| libm::sqrt(low * high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { start: 10.0, min: 0.01, max: 1000.0, precision: 0.01 };

    /// Kept up to the first, broken from the second on.
    fn steps(kept: f64, broken: f64) -> (Bracket, usize) {
        let mut tried = 0;
        let bracket = search(LIMITS, |load| {
            tried += 1;
            if load <= kept {
                Standing::Kept
            } else if load < broken {
                Standing::Open
            } else {
                Standing::Broken
            }
        });
        (bracket, tried)
    }

    #[test]
    fn the_turning_point_is_found_from_below_and_from_above() {
        for truth in [0.05, 3.0, 10.0, 77.0, 900.0] {
            let (bracket, tried) = steps(truth, truth);
            let (holds, breaks) = (bracket.holds.unwrap(), bracket.breaks.unwrap());
            assert!(holds <= truth && truth <= breaks && breaks / holds < 1.0101, "{bracket:?} around {truth}");
            assert!(tried < 25, "{tried}");
        }
    }

    #[test]
    fn where_the_runs_do_not_tell_both_ends_are_found() {
        let (bracket, _) = steps(40.0, 44.0);
        let (holds, breaks) = (bracket.holds.unwrap(), bracket.breaks.unwrap());
        assert!((39.6..=40.0).contains(&holds) && (44.0..44.5).contains(&breaks), "{bracket:?}");
    }

    #[test]
    fn loads_with_too_few_requests_to_tell_hide_none_that_is_kept() {
        for (least, truth) in [(5.0, 40.0), (12.0, 13.0), (0.5, 2.0), (60.0, 70.0)] {
            let bracket = search(LIMITS, |load| match load {
                load if load > truth => Standing::Broken,
                load if load < least => Standing::Open,
                _ => Standing::Kept,
            });
            let (holds, breaks) = (bracket.holds.unwrap(), bracket.breaks.unwrap());
            assert!(holds <= truth && truth <= breaks && breaks / holds < 1.0101, "{bracket:?} around {truth}");
        }
    }

    #[test]
    fn where_none_is_kept_the_lowest_that_breaks_is_found_all_the_same() {
        let (bracket, _) = steps(0.0, 3.0);
        assert!(bracket.holds.is_none() && (3.0..3.04).contains(&bracket.breaks.unwrap()), "{bracket:?}");
    }

    #[test]
    fn what_never_breaks_or_never_holds_is_said() {
        assert_eq!(steps(1e9, 1e9).0, Bracket { holds: Some(1000.0), breaks: None });
        assert_eq!(steps(0.0, 0.0).0, Bracket { holds: None, breaks: Some(0.01) });
        assert_eq!(steps(0.0, 1e9).0, Bracket { holds: None, breaks: None });
    }
}
