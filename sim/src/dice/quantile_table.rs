//! Sampling a distribution that is known by some of its quantiles.

use std::sync::OnceLock;

use crate::scenario::Quantiles;

/// Each half of the distribution is cut into octaves of tail probability: 1/2 to 1/4, 1/4 to 1/8, and so on ...
const OCTAVES: usize = 17;
/// ... and each octave into this many equal cells, a power of two. Within a cell the table is linear.
const CELLS: usize = 16;
/// Bits of a uniform.
const BITS: u32 = 53;

/// A distribution as a table of whole numbers: what lies between two given quantiles is interpolated as a log-normal
/// distribution would, and the outermost two go on as one outside.
///
/// Tails end: what is rarer than one in 262,144 on either side counts as that, so a lone sample cannot dwarf a whole run. Where a
/// logarithm makes no sense because a value is zero, the interpolation is that of a normal distribution, cut off at zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuantileTable {
    /// Values at the cell borders below the median, from the median outwards, then those above it. A constant has
    /// one value and no more.
    borders: Vec<u64>,
}

/// Borders of one half: both ends included.
const HALF: usize = OCTAVES * CELLS + 1;

impl QuantileTable {
    /// The table of `quantiles` in units of `1 / scale`: seconds with a scale of `1e9` give nanoseconds.
    ///
    /// Values below zero count as zero; no quantiles at all are the constant zero.
    pub fn new(quantiles: &Quantiles, scale: f64) -> Self {
        let curve = match quantiles.0.as_slice() {
            [] => return Self { borders: vec![0] },
            [(_, value)] => return Self { borders: vec![round(value * scale)] },
            several => Curve::through(several),
        };
        let grid = grid();
        let below = grid.iter().map(|z| -z);
        let above = grid.iter().copied();
        Self { borders: below.chain(above).map(|z| round(curve.at(z) * scale)).collect() }
    }

    /// The value below which a share `u` of all samples lies, for `0.0 <= u < 1.0`.
    pub fn sample(&self, u: f64) -> u64 {
        if self.borders.len() == 1 {
            return self.borders[0];
        }
        // Exact: uniforms are multiples of 2^-53.
        let u = (u * (1u64 << BITS) as f64) as u64;
        let half = 1u64 << (BITS - 1);
        let (borders, tail) =
            if u < half { (&self.borders[..HALF], u) } else { (&self.borders[HALF..], 2 * half - 1 - u) };
        // `tail` is the distance from the end of the distribution, below 2^52; its leading bit tells the octave.
        let octave = (tail.leading_zeros() - (u64::BITS - (BITS - 1))) as usize;
        if octave >= OCTAVES {
            return borders[HALF - 1];
        }
        // Within the octave, from its median end (0) to its outer end: as a fraction of 2^32.
        let top = 1u64 << (BITS - 1 - octave as u32);
        let depth = top - 1 - tail;
        let fine = depth << (octave as u32 + 1) >> (BITS - 1 - 32);
        let cell = (fine >> (32 - CELLS.trailing_zeros())) as usize;
        let within = fine << CELLS.trailing_zeros() & 0xffff_ffff;
        let index = octave * CELLS + cell;
        interpolate(borders[index], borders[index + 1], within)
    }
}

/// From `a` to `b` by a share of `share / 2^32`.
fn interpolate(a: u64, b: u64, share: u64) -> u64 {
    let step = |length: u64| ((u128::from(length) * u128::from(share)) >> 32) as u64;
    if b >= a { a + step(b - a) } else { a - step(a - b) }
}

fn round(value: f64) -> u64 {
    // `as` saturates, and turns negative numbers and NaN into zero.
    (value + 0.5) as u64
}

/// Straight lines through the given points, over the standard normal's quantiles.
struct Curve {
    /// `(z, y)`: where the point's share lies on the standard normal, and its value, or the logarithm of its value.
    points: Vec<(f64, f64)>,
    logarithmic: bool,
}

impl Curve {
    fn through(quantiles: &[(f64, f64)]) -> Self {
        let logarithmic = quantiles.iter().all(|&(_, value)| value > 0.0);
        let points = quantiles
            .iter()
            .map(|&(share, value)| (normal_quantile(share), if logarithmic { libm::log(value) } else { value }))
            .collect();
        Self { points, logarithmic }
    }

    fn at(&self, z: f64) -> f64 {
        // The segment that holds z; the outermost ones go on to both sides.
        let last = self.points.len() - 1;
        let right = self.points[1..last].iter().position(|&(end, _)| z < end).map_or(last, |before| before + 1);
        let ((z0, y0), (z1, y1)) = (self.points[right - 1], self.points[right]);
        let y = y0 + (y1 - y0) * ((z - z0) / (z1 - z0));
        if self.logarithmic { libm::exp(y) } else { y }
    }
}

/// The standard normal's quantiles at the cell borders above the median, from zero outwards.
fn grid() -> &'static [f64] {
    static GRID: OnceLock<Vec<f64>> = OnceLock::new();
    GRID.get_or_init(|| {
        (0..HALF)
            .map(|border| {
                let (octave, cell) = (border / CELLS, border % CELLS);
                let outer = libm::ldexp(0.5, -(octave as i32));
                let tail = outer * (1.0 - cell as f64 / (2 * CELLS) as f64);
                -normal_quantile(tail)
            })
            .collect()
    })
}

/// The standard normal's quantile at `share`, between 0 and 1.
fn normal_quantile(share: f64) -> f64 {
    if share > 0.5 {
        return -normal_quantile(1.0 - share);
    }
    // Newton's method on the tail beyond z, which is convex there: from z = 0 it climbs to the root and never
    // oversteps it, until rounding stops it.
    let mut z = 0.0;
    for _ in 0..64 {
        let tail = 0.5 * libm::erfc(z * std::f64::consts::FRAC_1_SQRT_2);
        let density = libm::exp(-0.5 * z * z) * 0.398_942_280_401_432_7;
        let next = z + (tail - share) / density;
        if next <= z {
            break;
        }
        z = next;
    }
    -z
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(quantiles: &[(f64, f64)]) -> QuantileTable {
        QuantileTable::new(&Quantiles(quantiles.to_vec()), 1.0)
    }

    #[test]
    fn the_given_quantiles_come_out_again() {
        let table = QuantileTable::new(&Quantiles(vec![(0.05, 0.2), (0.5, 0.8), (0.95, 4.0), (0.99, 9.0)]), 1e9);
        for (share, seconds) in [(0.05, 0.2), (0.5, 0.8), (0.95, 4.0), (0.99, 9.0)] {
            let sample = table.sample(share) as f64 / 1e9;
            assert!((sample / seconds - 1.0).abs() < 2e-3, "p{share} is {seconds} s, not {sample} s");
        }
    }

    #[test]
    fn between_two_quantiles_the_distribution_is_log_normal() {
        // p50 = 100 and p95 = 100 e^1.6449 have sigma 1: one sigma above the median lies 100 e.
        let table = QuantileTable::new(&Quantiles(vec![(0.5, 100.0), (0.95, 517.984)]), 1e6);
        let one_sigma = table.sample(0.841_344_746) as f64 / 1e6;
        assert!((one_sigma - 271.83).abs() < 0.5, "{one_sigma}");
        let below = table.sample(0.158_655_254) as f64 / 1e6;
        assert!((below - 36.79).abs() < 0.1, "{below}");
    }

    #[test]
    fn samples_rise_with_the_uniform_and_tails_end() {
        let table = QuantileTable::new(&Quantiles(vec![(0.5, 1.0), (0.9, 3.0)]), 1e9);
        let last = (1u64 << 53) - 1;
        let unit = |n: u64| n as f64 / (1u64 << 53) as f64;
        let mut before = 0;
        let near_the_ends = (0..64).flat_map(|bit| [1u64 << bit.min(52), last - (1u64 << bit.min(52))]);
        let mut points: Vec<u64> = (0..10_000).map(|n| n * (last / 10_000)).chain(near_the_ends).collect();
        points.sort_unstable();
        for n in points {
            let sample = table.sample(unit(n));
            assert!(sample >= before, "u = {n}/2^53 gives {sample} after {before}");
            before = sample;
        }
        assert!(table.sample(unit(last)) < 60_000_000_000, "the longest of all: {}", table.sample(unit(last)));
        assert!(table.sample(0.0) > 10_000_000);
    }

    #[test]
    fn one_quantile_is_a_constant_and_none_is_zero() {
        assert_eq!(table(&[(0.5, 42.0)]).sample(0.99), 42);
        assert_eq!(table(&[]).sample(0.3), 0);
    }

    #[test]
    fn zero_values_are_interpolated_without_logarithms() {
        let table = table(&[(0.5, 0.0), (0.95, 1000.0)]);
        assert_eq!(table.sample(0.2), 0);
        assert!((table.sample(0.95) as i64 - 1000).abs() <= 5);
    }

    #[test]
    fn the_normal_quantile_is_the_textbook_s() {
        for (share, z) in [(0.975, 1.959_963_984_540_054), (0.01, -2.326_347_874_040_841), (0.5, 0.0)] {
            assert!((normal_quantile(share) - z).abs() < 1e-12, "{share}");
        }
    }
}
