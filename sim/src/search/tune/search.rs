//! The search: many points under few seeds, few points under many, and a judgement under seeds that nothing was chosen
//! by.

use std::collections::BTreeMap;

use super::beyond::{Beyond, BeyondPlan};
use super::corpus::Corpus;
use super::design::{Proposer, grid, spread};
use super::measure::{Constraint, Indicator};
use super::paired::Difference;
use super::runs::{Runner, Stop};
use super::space::{Point, Space};
use crate::search::store::{Shard, Store};

/// What is searched, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct Plan {
    /// What is to be small, the most important first.
    pub objectives: Vec<Indicator>,
    /// What must hold.
    pub constraints: Vec<Constraint>,
    /// Seeds to choose by.
    pub seeds: Vec<u64>,
    /// Seeds to judge by.
    pub held_out_seeds: Vec<u64>,
    /// How many points are tried at most.
    pub points_max: usize,
    /// Every point runs under every seed. Parts of such a search do not depend on each other.
    pub exhaustive: bool,
    /// What is asked beyond the settings.
    pub beyond: BeyondPlan,
}

/// What a point came to.
#[derive(Clone, PartialEq, Debug)]
pub struct Tried {
    /// The point.
    pub point: Point,
    /// By objective, then by constraint: the mean over seeds.
    pub means: Vec<f64>,
    /// How many seeds it ran under.
    pub seeds: u64,
    /// Whether no other point is at least as good in every objective and better in one. Known of points that ran under
    /// all seeds.
    pub on_front: bool,
    /// Whether every constraint holds.
    pub holds: bool,
}

/// Two settings compared in every objective, under seeds that nothing was chosen by.
#[derive(Clone, PartialEq, Debug)]
pub struct Judged {
    /// Whether the scenarios are those held out.
    pub held_out_scenarios: bool,
    /// By objective, then by constraint: the config as it is.
    pub current: Vec<f64>,
    /// The same of the other setting.
    pub other: Vec<f64>,
    /// By objective: the other setting minus the config as it is.
    pub differences: Vec<Difference>,
}

/// How much of an objective depends on a parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Importance {
    /// Which parameter.
    pub param: usize,
    /// By objective: the share of its variance between points that the parameter explains by itself, from 0 to 1; the
    /// share that chance would explain is taken off.
    pub shares: Vec<f64>,
    /// By objective: the best mean over the points with one value of it, and the worst.
    pub ranges: Vec<(f64, f64)>,
}

/// One step away from a point.
#[derive(Clone, PartialEq, Debug)]
pub struct Neighbour {
    /// Which parameter differs.
    pub param: usize,
    /// The point there.
    pub point: Point,
    /// By objective: the neighbour minus the point.
    pub differences: Vec<Difference>,
}

/// Two parameters around a point, everything else as it is there.
#[derive(Clone, PartialEq, Debug)]
pub struct Map {
    /// Which parameters: columns, then rows.
    pub params: [usize; 2],
    /// The rows, each with its cells: the point, and the mean of each objective.
    pub rows: Vec<Vec<(Point, Vec<f64>)>>,
}

/// What a search found.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// Every point that was tried, in the order of trying; the config as it is comes first.
    pub tried: Vec<Tried>,
    /// Whether all points of the space were.
    pub all_points: bool,
    /// The point that looked best while choosing. Current: none looked better.
    pub chosen: Point,
    /// What came of it, on the scenarios tuned on, then on those held out. Empty when it is the config as it is.
    pub judged: Vec<Judged>,
    /// Whether the judgement confirms that it is better.
    pub confirmed: bool,
    /// Whether every constraint holds for what is recommended, in the final judgement too.
    pub holds: bool,
    /// What depends on which parameter, the most important first.
    pub importance: Vec<Importance>,
    /// Steps away from the chosen point.
    pub neighbours: Vec<Neighbour>,
    /// What happens around it.
    pub map: Option<Map>,
    /// What lies beyond the settings, where that was asked.
    pub beyond: Option<Beyond>,
}

/// Fewer seeds than this tell nothing apart.
const SEEDS_MIN: usize = 4;

/// Points that are proposed before any of them is run.
const PROPOSED_TOGETHER: usize = 8;

/// A map has so many values of a parameter at most.
const MAP_SIDE_MAX: usize = 9;

impl Found {
    /// What to write into the config: current when nothing is better beyond noise.
    pub fn recommended(&self) -> Point {
        if self.confirmed { self.chosen.clone() } else { Point(vec![None; self.chosen.0.len()]) }
    }
}

impl Plan {
    /// What is measured: objectives, then constraints.
    pub fn measures(&self) -> Vec<Indicator> {
        let limited = self.constraints.iter().map(|constraint| &constraint.indicator);
        self.objectives.iter().chain(limited).cloned().collect()
    }

    /// How many runs there will be, about: the last steps depend on the first.
    pub fn runs(&self, space: &Space, corpus: &Corpus) -> u64 {
        let points = space.size().min(self.points_max as u64) + 1;
        let (tuned, held) = (corpus.of(false).count() as u64, corpus.of(true).count() as u64);
        let (seeds, last) = (self.seeds.len() as u64, self.held_out_seeds.len() as u64);
        let cases = if BeyondPlan::held_out(corpus) { held } else { tuned };
        let beyond = self.beyond.routers().len() as u64 * cases * last;
        if self.exhaustive {
            return points * (tuned * (seeds + last) + held * last) + beyond;
        }
        let (mut left, mut before, mut runs) = (points, 0, 0);
        for rung in self.rungs() {
            runs += left * tuned * (rung as u64 - before);
            (left, before) = (left.div_ceil(3), rung as u64);
        }
        runs + beyond + 2 * last * (tuned + held) + 81 * tuned * self.rungs()[0] as u64
    }

    /// Under how many seeds points run, step by step.
    fn rungs(&self) -> Vec<usize> {
        let mut rungs = vec![self.seeds.len()];
        while !self.exhaustive && rungs[0].div_ceil(3) >= SEEDS_MIN {
            rungs.insert(0, rungs[0].div_ceil(3));
        }
        rungs
    }

    /// The points of a search whose parts do not depend on each other.
    fn fixed_points(&self, space: &Space) -> Vec<Point> {
        let points = if space.size() <= self.points_max as u64 { grid(space) } else { spread(space, self.points_max) };
        std::iter::once(space.current()).chain(points.into_iter().filter(|point| !point.is_current())).collect()
    }
}

/// Runs one part of an exhaustive search; what comes of it is in the store.
///
/// # Errors
/// See [`Stop`].
pub fn run_shard(
    plan: &Plan,
    space: &Space,
    corpus: &Corpus,
    store: &Store,
    shard: Shard,
    done: &(dyn Fn(u64) + Sync),
) -> Result<u64, Stop> {
    let mut runner = Runner::new(corpus, space, store, &plan.measures(), false, done);
    let points = plan.fixed_points(space);
    let mine = |seeds: &[u64], point: usize| -> Vec<u64> {
        let turn = |(index, _): &(usize, &u64)| ((index + point) as u64) % shard.of == shard.index - 1;
        seeds.iter().enumerate().filter(turn).map(|(_, seed)| *seed).collect()
    };
    // Every shard has its turn with every point and, over the points, with every seed.
    for (seeds, held_out) in [(&plan.seeds, false), (&plan.held_out_seeds, false), (&plan.held_out_seeds, true)] {
        let points = points.iter().enumerate();
        let work: Vec<_> = points.map(|(index, point)| (point.clone(), mine(seeds, index))).collect();
        runner.run_each(&work, held_out, false)?;
    }
    let beyond = plan.beyond.work(|index| mine(&plan.held_out_seeds, index));
    runner.run_beyond(&beyond, BeyondPlan::held_out(corpus))?;
    Ok(runner.runs())
}

/// Searches.
pub struct Search<'a> {
    plan: &'a Plan,
    space: &'a Space,
    corpus: &'a Corpus,
    /// What runs the points.
    pub runner: Runner<'a>,
    tried: Vec<Point>,
}

impl<'a> Search<'a> {
    /// A search that has not begun.
    pub fn new(plan: &'a Plan, space: &'a Space, corpus: &'a Corpus, runner: Runner<'a>) -> Self {
        Self { plan, space, corpus, runner, tried: Vec::new() }
    }

    /// Searches.
    ///
    /// # Errors
    /// See [`Stop`].
    pub fn run(&mut self) -> Result<Found, Stop> {
        let (plan, space) = (self.plan, self.space);
        let current = space.current();
        let rungs = plan.rungs();
        let first = &plan.seeds[..rungs[0]];
        let all_points = space.size() <= plan.points_max as u64;
        let design = self.first_points(first, all_points)?;
        let importance = self.importance(&design, first);
        let mut left = self.tried.clone();
        for (step, &rung) in rungs.iter().enumerate() {
            let seeds = &plan.seeds[..rung];
            self.runner.run(&left, false, seeds, false)?;
            if step + 1 < rungs.len() {
                let keep = left.len().div_ceil(3);
                left = self.ranked(left, seeds);
                left.truncate(keep);
                if !left.contains(&current) {
                    left.push(current.clone());
                }
            }
        }
        let mut chosen = self.choose(&left);
        if !plan.exhaustive {
            chosen = self.without_idle_changes(chosen, &importance, &mut left)?;
        }
        let fronts = self.front(&left);
        let (judged, confirmed, holds) = self.judge(&chosen)?;
        let around = if confirmed { chosen.clone() } else { current.clone() };
        let seeds = &plan.held_out_seeds;
        let beyond = Beyond::run(&plan.beyond, self.corpus, &mut self.runner, seeds, (&current, &around))?;
        let (neighbours, map) =
            if plan.exhaustive && !all_points { (Vec::new(), None) } else { self.around(&around, &importance, first)? };
        let tried = self.tried.iter().map(|point| self.told(point, &left, &fronts)).collect();
        Ok(Found { tried, all_points, chosen, judged, confirmed, holds, importance, neighbours, map, beyond })
    }

    /// Runs the first points, and those that are proposed from them; returns those that are spread evenly.
    fn first_points(&mut self, seeds: &[u64], all_points: bool) -> Result<Vec<Point>, Stop> {
        let (plan, space) = (self.plan, self.space);
        let mut points = plan.fixed_points(space);
        let proposed = if all_points || plan.exhaustive { 0 } else { plan.points_max / 3 };
        points.truncate(points.len() - proposed);
        self.runner.run(&points, false, seeds, false)?;
        self.tried = points.clone();
        let mut proposer = Proposer::new();
        while self.tried.len() < points.len() + proposed {
            let count = PROPOSED_TOGETHER.min(points.len() + proposed - self.tried.len());
            let ranked = self.ranked(self.tried.clone(), seeds);
            let new = proposer.propose(space, &ranked, count);
            if new.is_empty() {
                break;
            }
            self.runner.run(&new, false, seeds, false)?;
            self.tried.extend(new);
        }
        Ok(points)
    }

    fn means(&self, point: &Point, seeds: &[u64]) -> Vec<f64> {
        (0..self.plan.measures().len()).map(|measure| self.runner.mean(point, false, seeds, measure)).collect()
    }

    fn excess(&self, means: &[f64]) -> f64 {
        let limits = means[self.plan.objectives.len()..].iter().zip(&self.plan.constraints);
        let over =
            limits.map(|(mean, constraint)| (mean - constraint.limit).max(0.0) / constraint.limit.abs().max(1e-6));
        over.sum()
    }

    /// Points from best to worst: what holds the constraints first, then what fewer others beat in every objective,
    /// then by the objectives in their order.
    fn ranked(&self, points: Vec<Point>, seeds: &[u64]) -> Vec<Point> {
        let objectives = self.plan.objectives.len();
        let rows: Vec<(Point, Vec<f64>)> =
            points.into_iter().map(|point| (point.clone(), self.means(&point, seeds))).collect();
        let beaten = |means: &[f64]| rows.iter().filter(|(_, other)| dominates(&other[..objectives], means)).count();
        let mut keyed: Vec<(f64, usize, Vec<f64>, Point)> = (rows.iter())
            .map(|(point, means)| {
                let own = &means[..objectives];
                (self.excess(means), beaten(own), own.to_vec(), point.clone())
            })
            .collect();
        keyed.sort_by(|a, b| {
            let objectives = || a.2.iter().zip(&b.2).map(|(a, b)| a.total_cmp(b)).find(|order| order.is_ne());
            a.0.total_cmp(&b.0)
                .then(a.1.cmp(&b.1))
                .then_with(|| objectives().unwrap_or(std::cmp::Ordering::Equal))
                .then_with(|| a.3.cmp(&b.3))
        });
        keyed.into_iter().map(|(.., point)| point).collect()
    }

    /// The best point: objective by objective, whatever is not worse than the best of it beyond noise stays; of what is
    /// left at the end, the one that changes least.
    fn choose(&self, points: &[Point]) -> Point {
        let seeds = &self.plan.seeds;
        let least = |points: &[Point]| {
            points.iter().map(|point| self.excess(&self.means(point, seeds))).fold(f64::INFINITY, f64::min)
        };
        let least = least(points);
        let mut left: Vec<Point> =
            points.iter().filter(|point| self.excess(&self.means(point, seeds)) <= least).cloned().collect();
        for objective in 0..self.plan.objectives.len() {
            let mean = |point: &Point| self.runner.mean(point, false, seeds, objective);
            let Some(best) = left.iter().min_by(|a, b| mean(a).total_cmp(&mean(b))).cloned() else { break };
            left.retain(|point| *point == best || !self.difference(point, &best, objective).is_larger());
        }
        let first = |point: &Point| self.runner.mean(point, false, seeds, 0);
        let order = |a: &&Point, b: &&Point| {
            a.changes().cmp(&b.changes()).then(first(a).total_cmp(&first(b))).then_with(|| a.cmp(b))
        };
        left.iter().min_by(order).cloned().unwrap_or_else(|| self.space.current())
    }

    fn difference(&self, a: &Point, b: &Point, measure: usize) -> Difference {
        let values = |point: &Point| self.runner.values(point, false, &self.plan.seeds, measure);
        Difference::of(&values(a), &values(b))
    }

    /// Takes back, one by one, every change that makes no difference: a patch holds what matters and nothing else.
    fn without_idle_changes(
        &mut self,
        mut chosen: Point,
        importance: &[Importance],
        left: &mut Vec<Point>,
    ) -> Result<Point, Stop> {
        for Importance { param, .. } in importance.iter().rev() {
            let mut without = chosen.clone();
            if without.0[*param].take().is_none() {
                continue;
            }
            self.runner.run(std::slice::from_ref(&without), false, &self.plan.seeds, false)?;
            if !self.tried.contains(&without) {
                self.tried.push(without.clone());
            }
            if !left.contains(&without) {
                left.push(without.clone());
            }
            let excess = |point: &Point| self.excess(&self.means(point, &self.plan.seeds));
            let worse = (0..self.plan.objectives.len())
                .any(|objective| self.difference(&without, &chosen, objective).is_larger());
            if !worse && excess(&without) <= excess(&chosen) {
                chosen = without;
            }
        }
        Ok(chosen)
    }

    /// Of points that ran under all seeds: those that no other is better than.
    fn front(&self, points: &[Point]) -> Vec<Point> {
        let objectives = self.plan.objectives.len();
        let means: Vec<Vec<f64>> = points.iter().map(|point| self.means(point, &self.plan.seeds)).collect();
        let best =
            |index: &usize| !means.iter().any(|other| dominates(&other[..objectives], &means[*index][..objectives]));
        (0..points.len()).filter(best).map(|index| points[index].clone()).collect()
    }

    fn told(&self, point: &Point, finalists: &[Point], front: &[Point]) -> Tried {
        let ran = self.runner.values(point, false, &self.plan.seeds, 0).len();
        let means = self.means(point, &self.plan.seeds);
        let holds = self.excess(&means) <= 0.0;
        let on_front = finalists.contains(point) && front.contains(point);
        Tried { point: point.clone(), means, seeds: ran as u64, on_front, holds }
    }

    /// Under seeds that nothing was chosen by: what the chosen point does better, and whether that is beyond noise.
    fn judge(&mut self, chosen: &Point) -> Result<(Vec<Judged>, bool, bool), Stop> {
        let current = self.space.current();
        let seeds = &self.plan.held_out_seeds;
        let points = [current.clone(), chosen.clone()];
        let mut judged = Vec::new();
        let measures = self.plan.measures().len();
        for held_out in [false, true] {
            if self.corpus.of(held_out).next().is_none() {
                continue;
            }
            self.runner.run(&points, held_out, seeds, true)?;
            let means =
                |point: &Point| (0..measures).map(|one| self.runner.mean(point, held_out, seeds, one)).collect();
            let values = |point: &Point, one: usize| self.runner.values(point, held_out, seeds, one);
            let differences = (0..self.plan.objectives.len())
                .map(|one| Difference::of(&values(chosen, one), &values(&current, one)))
                .collect();
            judged.push(Judged {
                held_out_scenarios: held_out,
                current: means(&current),
                other: means(chosen),
                differences,
            });
        }
        let constraints_hold = |means: &[f64]| self.excess(means) <= 0.0;
        let breaks_more = judged.iter().any(|one| constraints_hold(&one.current) && !constraints_hold(&one.other));
        let mends =
            judged.iter().all(|one| constraints_hold(&one.other)) && judged.iter().any(|one| self.mends(one, chosen));
        let better = judged.iter().all(|one| one.is_not_worse()) && judged.iter().any(Judged::is_better);
        let confirmed = !chosen.is_current() && !breaks_more && (better || mends);
        let holds = judged.iter().all(|one| constraints_hold(if confirmed { &one.other } else { &one.current }));
        Ok((judged, confirmed, holds))
    }

    /// Whether a constraint that the config as it is breaks is kept with the chosen point, and better beyond noise: on
    /// the border luck alone puts one of two equal settings on this side and the other on that.
    fn mends(&self, judged: &Judged, chosen: &Point) -> bool {
        let seeds = &self.plan.held_out_seeds;
        let first = self.plan.objectives.len();
        self.plan.constraints.iter().enumerate().any(|(index, constraint)| {
            let one = first + index;
            let values = |point: &Point| self.runner.values(point, judged.held_out_scenarios, seeds, one);
            judged.current[one] > constraint.limit
                && Difference::of(&values(chosen), &values(&self.space.current())).is_smaller()
        })
    }

    fn importance(&self, points: &[Point], seeds: &[u64]) -> Vec<Importance> {
        let objectives = self.plan.objectives.len();
        let means: Vec<Vec<f64>> = points.iter().map(|point| self.means(point, seeds)).collect();
        let mut all: Vec<Importance> = (0..self.space.params.len())
            .map(|param| {
                let of = |objective: usize| explained(points, &means, param, objective);
                let (shares, ranges) = (0..objectives).map(of).unzip();
                Importance { param, shares, ranges }
            })
            .collect();
        all.sort_by(|a, b| {
            let orders = a.shares.iter().zip(&b.shares).map(|(a, b)| b.total_cmp(a));
            orders.into_iter().find(|order| order.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        });
        all
    }

    /// The values of a parameter around a point, in order, at most so many; the point's own is among them.
    fn axis(&self, point: &Point, param: usize, most: usize) -> Vec<Option<u16>> {
        let param_here = &self.space.params[param];
        let change = |level: usize| (param_here.current != Some(level)).then_some(level as u16);
        let mut all: Vec<Option<u16>> = (0..param_here.levels.len()).map(change).collect();
        if param_here.current.is_none() {
            all.insert(0, None);
        }
        let own = all.iter().position(|level| *level == point.0[param]).unwrap_or(0);
        let step = all.len().div_ceil(most).max(1);
        let last = all.len() - 1;
        let kept = |index: &usize| *index == own || *index == last || index % step == own % step;
        let mut places: Vec<usize> = (0..all.len()).filter(kept).collect();
        while places.len() > most {
            let drop = places.iter().rposition(|place| *place != own && *place != last).unwrap_or(0);
            places.remove(drop);
        }
        places.into_iter().map(|place| all[place]).collect()
    }

    fn around(
        &mut self,
        point: &Point,
        importance: &[Importance],
        seeds: &[u64],
    ) -> Result<(Vec<Neighbour>, Option<Map>), Stop> {
        let with = |base: &Point, param: usize, level: Option<u16>| {
            let mut point = base.clone();
            point.0[param] = level;
            point
        };
        // What an exhaustive search did not run is not there: what the config says now, when it is none of the values.
        let exists =
            |point: &Point| !self.plan.exhaustive || point == &self.space.current() || self.tried.contains(point);
        let mut steps: Vec<(usize, Point)> = Vec::new();
        for param in 0..self.space.params.len() {
            let axis = self.axis(point, param, usize::MAX);
            let own = axis.iter().position(|level| *level == point.0[param]).unwrap_or(0);
            let beside = [own.checked_sub(1), Some(own + 1)].into_iter().flatten();
            steps.extend(beside.filter_map(|place| axis.get(place)).map(|level| (param, with(point, param, *level))));
        }
        steps.retain(|(_, point)| exists(point));
        let mut map_points: Vec<Vec<Point>> = Vec::new();
        let params: Vec<usize> = importance.iter().map(|one| one.param).take(2).collect();
        if let [x, y] = params[..] {
            let columns = self.axis(point, x, MAP_SIDE_MAX);
            for row in self.axis(point, y, MAP_SIDE_MAX) {
                map_points.push(columns.iter().map(|column| with(&with(point, x, *column), y, row)).collect());
            }
            if map_points.iter().flatten().any(|point| !exists(point)) {
                map_points.clear();
            }
        }
        let wanted: Vec<Point> =
            steps.iter().map(|(_, point)| point).chain(map_points.iter().flatten()).chain([point]).cloned().collect();
        self.runner.run(&wanted, false, seeds, false)?;
        let objectives = self.plan.objectives.len();
        let values = |point: &Point, one: usize| self.runner.values(point, false, seeds, one);
        let neighbours = steps.into_iter().map(|(param, neighbour)| {
            let differences =
                (0..objectives).map(|one| Difference::of(&values(&neighbour, one), &values(point, one))).collect();
            Neighbour { param, point: neighbour, differences }
        });
        let neighbours = neighbours.collect();
        let cell = |point: &Point| (point.clone(), self.means(point, seeds)[..objectives].to_vec());
        let rows: Vec<Vec<_>> = map_points.iter().map(|row| row.iter().map(cell).collect()).collect();
        let map = (!rows.is_empty()).then(|| Map { params: [params[0], params[1]], rows });
        Ok((neighbours, map))
    }
}

impl Judged {
    /// Better in some objective, with none before it worse, beyond noise.
    fn is_better(&self) -> bool {
        let decided = self.differences.iter().find(|one| one.is_smaller() || one.is_larger());
        decided.is_some_and(Difference::is_smaller)
    }

    fn is_not_worse(&self) -> bool {
        let decided = self.differences.iter().find(|one| one.is_smaller() || one.is_larger());
        decided.is_none_or(Difference::is_smaller)
    }
}

/// At least as small in everything, and smaller in something.
fn dominates(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a <= b) && a.iter().zip(b).any(|(a, b)| a < b)
}

/// The share of an objective's variance between points that one parameter explains, what chance would explain taken
/// off; and the smallest and largest mean over the points with one value of it.
fn explained(points: &[Point], means: &[Vec<f64>], param: usize, objective: usize) -> (f64, (f64, f64)) {
    let mut groups: BTreeMap<Option<u16>, Vec<f64>> = BTreeMap::new();
    for (point, means) in points.iter().zip(means) {
        groups.entry(point.0[param]).or_default().push(means[objective]);
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let all: Vec<f64> = means.iter().map(|means| means[objective]).collect();
    let grand = mean(&all);
    let total: f64 = all.iter().map(|value| (value - grand) * (value - grand)).sum();
    let of_groups: Vec<(f64, f64)> = groups.values().map(|values| (values.len() as f64, mean(values))).collect();
    let between: f64 = of_groups.iter().map(|(count, mean)| count * (mean - grand) * (mean - grand)).sum();
    let (n, k) = (all.len() as f64, groups.len() as f64);
    // Of values that differ by the last digits of the arithmetic only, nothing is explained.
    let share = if total <= n * (grand * 1e-9) * (grand * 1e-9) {
        0.0
    } else if n <= k {
        // One point for each value: nothing else varies.
        1.0
    } else {
        let within = (total - between).max(0.0) / (n - k);
        ((between - (k - 1.0) * within) / total).clamp(0.0, 1.0)
    };
    let low = of_groups.iter().map(|(_, mean)| *mean).fold(f64::INFINITY, f64::min);
    let high = of_groups.iter().map(|(_, mean)| *mean).fold(f64::NEG_INFINITY, f64::max);
    (share, (low, high))
}
