//! Which points are tried first: all of them, or points that are spread evenly over the space.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::density::Levels;
use super::space::{Point, Space};

/// Every point of a small space.
pub(super) fn grid(space: &Space) -> Vec<Point> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for param in &space.params {
        let longer = all
            .iter()
            .flat_map(|levels| (0..param.levels.len()).map(|level| levels.iter().copied().chain([level]).collect()));
        all = longer.collect();
    }
    all.iter().map(|levels| space.point(levels)).collect()
}

/// Points of a large space, spread evenly: Sobol's sequence, scrambled by Owen's method. At most `count`, each once.
pub(super) fn spread(space: &Space, count: usize) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::with_capacity(count);
    // Where values are few, neighbouring numbers fall on the same ones.
    for index in 0..(4 * count).min(1 << 16) as u32 {
        if points.len() == count {
            break;
        }
        let levels: Vec<usize> = (space.params.iter().enumerate())
            .map(|(dimension, param)| {
                let share = sobol_burley::sample(index, dimension as u32, 0);
                place(f64::from(share) * param.levels.len() as f64, param.levels.len())
            })
            .collect();
        let point = space.point(&levels);
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
}

fn place(at: f64, count: usize) -> usize {
    (at as usize).min(count - 1)
}

/// Proposes points near what was good: tree-structured Parzen estimators, one for each parameter.
pub(super) struct Proposer {
    dice: ChaCha8Rng,
}

impl Proposer {
    /// A proposer; all of them propose the same.
    pub(super) fn new() -> Self {
        Self { dice: ChaCha8Rng::seed_from_u64(0) }
    }

    /// So many new points, given all points so far from best to worst.
    pub(super) fn propose(&mut self, space: &Space, ranked: &[Point], count: usize) -> Vec<Point> {
        let mut estimators: Vec<_> = (space.params.iter())
            .map(|param| {
                // Numbers have neighbours, words do not.
                let ordered = param.levels.iter().all(|level| level.number_value().is_some());
                let estimator = if ordered { Levels::Ordered } else { Levels::Words };
                let range = tpe::categorical_range(param.levels.len()).expect("a parameter has values");
                tpe::TpeOptimizer::new(estimator, range)
            })
            .collect();
        for (rank, point) in ranked.iter().enumerate() {
            for ((estimator, level), param) in estimators.iter_mut().zip(&point.0).zip(&space.params) {
                let level = level.map(usize::from).or(param.current);
                if let Some(level) = level {
                    // Ranks instead of values: no scale to choose.
                    estimator.tell(level as f64, rank as f64).expect("a level lies within its range");
                }
            }
        }
        let mut points: Vec<Point> = Vec::with_capacity(count);
        for _ in 0..8 * count {
            if points.len() == count {
                break;
            }
            let levels = (estimators.iter_mut().zip(&space.params)).map(|(estimator, param)| {
                let asked = estimator.ask(&mut self.dice).expect("the estimators take every level");
                place(asked, param.levels.len())
            });
            let point = space.point(&levels.collect::<Vec<_>>());
            if !points.contains(&point) && !ranked.contains(&point) {
                points.push(point);
            }
        }
        points
    }
}
