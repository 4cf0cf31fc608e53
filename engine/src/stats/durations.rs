//! Distributions of durations, in whole microseconds.

use hdrhistogram::Histogram;

use super::snapshot::Quantiles;

/// Longer durations count as this long.
const LONGEST_US: u64 = 60_000_000;
/// Decimal digits that a percentile since the start is exact to.
const DIGITS: u8 = 2;

/// All durations since the start: about 10 KiB, allocated once.
#[derive(Clone, Debug)]
pub struct Durations {
    histogram: Histogram<u32>,
    sum_us: u64,
    max_us: u64,
}

impl Default for Durations {
    fn default() -> Self {
        // INVARIANT: the bounds are constants that the library accepts (1 <= low, 2 * low <= high).
        let histogram = Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("valid bounds");
        Self { histogram, sum_us: 0, max_us: 0 }
    }
}

impl Durations {
    /// Counts one duration.
    pub fn record(&mut self, duration_us: u64) {
        self.histogram.saturating_record(duration_us);
        self.sum_us = self.sum_us.saturating_add(duration_us);
        self.max_us = self.max_us.max(duration_us);
    }

    /// Percentiles of everything recorded, within one percent (mean and maximum are exact).
    pub fn quantiles(&self) -> Quantiles {
        let count = self.histogram.len();
        if count == 0 {
            return Quantiles::default();
        }
        let at = |quantile| self.histogram.value_at_quantile(quantile).min(self.max_us);
        Quantiles {
            count,
            mean_us: self.sum_us as f64 / count as f64,
            p50_us: at(0.50),
            p95_us: at(0.95),
            p99_us: at(0.99),
            max_us: self.max_us,
        }
    }
}

/// The exact percentiles of `durations_us` (nearest rank). Sorts them.
pub fn exact_quantiles(durations_us: &mut [u64]) -> Quantiles {
    durations_us.sort_unstable();
    let count = durations_us.len();
    let Some(&max_us) = durations_us.last() else {
        return Quantiles::default();
    };
    let at = |percent: usize| {
        let rank = (count * percent).div_ceil(100).max(1);
        durations_us.get(rank - 1).copied().unwrap_or(max_us)
    };
    Quantiles {
        count: count as u64,
        mean_us: durations_us.iter().sum::<u64>() as f64 / count as f64,
        p50_us: at(50),
        p95_us: at(95),
        p99_us: at(99),
        max_us,
    }
}
