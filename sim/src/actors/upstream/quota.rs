//! Quotas as providers enforce them: a fixed window, a sliding one, or a bucket that refills.
//!
//! All arithmetic is exact, in whole nanoseconds. A quota is asked twice for each call: whether it has
//! [room](Meter::room), and, when every quota of the call has, to [take](Meter::take) it. Refused calls use nothing up.

use std::collections::VecDeque;

use router_core::{Span, Time};

use crate::scenario::QuotaWindow;

/// How many may pass in one window, from a moment on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitFrom {
    /// From when.
    pub from: Time,
    /// How many requests or tokens in one window.
    pub limit: u64,
    /// The fault that cut it, by its index in the scenario.
    pub cut_by: Option<u32>,
}

/// The state of one quota.
#[derive(Clone, Debug)]
pub struct Meter {
    /// In rising order; the first holds from time zero.
    limits: Vec<LimitFrom>,
    current: usize,
    window: Window,
}

#[derive(Clone, Debug)]
enum Window {
    Fixed {
        span: u64,
        /// Which window, counted from time zero.
        index: u64,
        used: u64,
    },
    Sliding {
        span: u64,
        /// What passed within the last span, oldest first.
        passed: VecDeque<(Time, u64)>,
        used: u64,
    },
    Bucket {
        span: u64,
        /// What is in it, times `span`: each nanosecond adds the limit, each unit that passes takes `span`.
        credit: u128,
        at: Time,
    },
}

/// What a provider tells about a quota in its headers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// How many in one window.
    pub limit: u64,
    /// How many would pass right now.
    pub remaining: u64,
    /// Until all of it is there again, if nothing else passes.
    pub reset: Span,
}

impl Meter {
    /// A quota of which nothing is used yet. `limits` tell how many pass in a window from when on, in rising order and
    /// from time zero.
    ///
    /// # Panics
    /// If there is no limit at all.
    pub fn new(window: QuotaWindow, limits: Vec<LimitFrom>) -> Self {
        let limit = limits.first().expect("a quota has a limit").limit;
        // A window of no length would be full for ever; one nanosecond is as good as no limit.
        let nanos = |span: Span| span.as_nanos().max(1);
        let window = match window {
            QuotaWindow::Fixed(span) => Window::Fixed { span: nanos(span), index: 0, used: 0 },
            QuotaWindow::Sliding(span) => Window::Sliding { span: nanos(span), passed: VecDeque::new(), used: 0 },
            QuotaWindow::Bucket(span) => Window::Bucket {
                span: nanos(span),
                credit: u128::from(limit) * u128::from(nanos(span)),
                at: Time::ZERO,
            },
        };
        Self { limits, current: 0, window }
    }

    /// Whether `amount` may pass at `now`.
    ///
    /// # Errors
    /// How long until it may, if nothing else passes and the limit stays as it is. What exceeds the limit itself never
    /// passes; such a caller is told the time until the quota is full, as real providers do.
    pub fn room(&mut self, now: Time, amount: u64) -> Result<(), Span> {
        self.advance(now);
        let limit = self.limit();
        match &self.window {
            Window::Fixed { span, used, .. } => {
                if used.saturating_add(amount) <= limit {
                    return Ok(());
                }
                Err(Span::from_nanos(span - now.as_nanos() % span))
            }
            Window::Sliding { span, passed, used } => {
                let mut used = *used;
                let fits = |used: u64| used.saturating_add(amount) <= limit;
                if fits(used) {
                    return Ok(());
                }
                for &(at, some) in passed {
                    used -= some;
                    if fits(used) {
                        return Err((at + Span::from_nanos(*span)).since(now));
                    }
                }
                Err(passed.back().map_or(Span::from_nanos(*span), |&(at, _)| (at + Span::from_nanos(*span)).since(now)))
            }
            Window::Bucket { span, credit, .. } => {
                let cost = u128::from(amount) * u128::from(*span);
                if cost <= *credit {
                    return Ok(());
                }
                let full = u128::from(limit) * u128::from(*span);
                Err(fill_time(cost.min(full).saturating_sub(*credit), limit, *span))
            }
        }
    }

    /// Lets `amount` pass at `now`. Only to be called when there is [room](Self::room) for it at that moment.
    pub fn take(&mut self, now: Time, amount: u64) {
        self.advance(now);
        match &mut self.window {
            Window::Fixed { used, .. } => *used = used.saturating_add(amount),
            Window::Sliding { passed, used, .. } => {
                *used = used.saturating_add(amount);
                match passed.back_mut() {
                    Some((at, some)) if *at == now => *some = some.saturating_add(amount),
                    _ => passed.push_back((now, amount)),
                }
            }
            Window::Bucket { span, credit, .. } => {
                *credit = credit.saturating_sub(u128::from(amount) * u128::from(*span));
            }
        }
    }

    /// The fault that holds the quota down since the last call, if one does.
    pub fn cut_by(&self) -> Option<u32> {
        self.limits[self.current].cut_by
    }

    /// What the headers of an answer at `now` say.
    pub fn standing(&mut self, now: Time) -> Standing {
        self.advance(now);
        let limit = self.limit();
        match &self.window {
            Window::Fixed { span, used, .. } => Standing {
                limit,
                remaining: limit.saturating_sub(*used),
                reset: Span::from_nanos(if *used == 0 { 0 } else { span - now.as_nanos() % span }),
            },
            Window::Sliding { span, passed, used } => Standing {
                limit,
                remaining: limit.saturating_sub(*used),
                reset: passed.back().map_or(Span::ZERO, |&(at, _)| (at + Span::from_nanos(*span)).since(now)),
            },
            Window::Bucket { span, credit, .. } => {
                let full = u128::from(limit) * u128::from(*span);
                Standing {
                    limit,
                    remaining: (credit / u128::from(*span)) as u64,
                    reset: fill_time(full.saturating_sub(*credit), limit, *span),
                }
            }
        }
    }

    fn limit(&self) -> u64 {
        self.limits[self.current].limit
    }

    /// Brings the quota to `now`: the limit that holds, and what has come back since the last call.
    fn advance(&mut self, now: Time) {
        while let Some(next) = self.limits.get(self.current + 1).filter(|next| next.from <= now) {
            let (from, limit) = (next.from, next.limit);
            // A bucket fills at the old pace up to the change; what a smaller one cannot hold is lost.
            self.refill(from);
            self.current += 1;
            if let Window::Bucket { span, credit, .. } = &mut self.window {
                *credit = (*credit).min(u128::from(limit) * u128::from(*span));
            }
        }
        self.refill(now);
    }

    fn refill(&mut self, now: Time) {
        let limit = self.limit();
        match &mut self.window {
            Window::Fixed { span, index, used } => {
                let this = now.as_nanos() / *span;
                if this != *index {
                    (*index, *used) = (this, 0);
                }
            }
            Window::Sliding { span, passed, used } => {
                while let Some(&(at, some)) = passed.front()
                    && at + Span::from_nanos(*span) <= now
                {
                    *used -= some;
                    passed.pop_front();
                }
            }
            Window::Bucket { span, credit, at } => {
                let full = u128::from(limit) * u128::from(*span);
                *credit = (*credit + u128::from(now.since(*at).as_nanos()) * u128::from(limit)).min(full);
                *at = now;
            }
        }
    }
}

/// How long a bucket takes to gain `missing` credit; a bucket that never fills says its span.
fn fill_time(missing: u128, limit: u64, span: u64) -> Span {
    if limit == 0 {
        return Span::from_nanos(span);
    }
    Span::from_nanos(u64::try_from(missing.div_ceil(u128::from(limit))).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const S: Span = Span::from_secs(1);
    const MINUTE: Span = Span::from_secs(60);

    fn meter(window: QuotaWindow, limit: u64) -> Meter {
        Meter::new(window, vec![LimitFrom { from: Time::ZERO, limit, cut_by: None }])
    }

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    /// Asks and takes; the wait when there was no room.
    fn pass(meter: &mut Meter, now: Time, amount: u64) -> Option<Span> {
        match meter.room(now, amount) {
            Ok(()) => {
                meter.take(now, amount);
                None
            }
            Err(wait) => Some(wait),
        }
    }

    #[test]
    fn a_fixed_window_is_full_again_at_the_whole_minute() {
        let mut quota = meter(QuotaWindow::Fixed(MINUTE), 2);
        assert_eq!(pass(&mut quota, at(10.0), 1), None);
        assert_eq!(pass(&mut quota, at(50.0), 1), None);
        assert_eq!(pass(&mut quota, at(59.5), 1), Some(Span::from_millis(500)));
        assert_eq!(pass(&mut quota, at(60.0), 1), None);
    }

    #[test]
    fn a_sliding_window_frees_each_call_one_span_after_it() {
        let mut quota = meter(QuotaWindow::Sliding(MINUTE), 2);
        assert_eq!(pass(&mut quota, at(10.0), 1), None);
        assert_eq!(pass(&mut quota, at(50.0), 1), None);
        assert_eq!(pass(&mut quota, at(60.0), 1), Some(Span::from_secs(10)));
        assert_eq!(pass(&mut quota, at(70.0), 1), None);
        assert_eq!(pass(&mut quota, at(70.0), 1), Some(Span::from_secs(40)));
    }

    #[test]
    fn a_bucket_refills_by_the_nanosecond() {
        let mut quota = meter(QuotaWindow::Bucket(MINUTE), 60);
        assert_eq!(pass(&mut quota, at(0.0), 60), None);
        assert_eq!(pass(&mut quota, at(0.0), 1), Some(S));
        assert_eq!(pass(&mut quota, Time::from_nanos(999_999_999), 1), Some(Span::from_nanos(1)));
        assert_eq!(pass(&mut quota, at(1.0), 1), None);
    }

    #[test]
    fn what_exceeds_the_limit_never_passes_and_is_told_to_wait_until_it_is_full() {
        for window in [QuotaWindow::Fixed(MINUTE), QuotaWindow::Sliding(MINUTE), QuotaWindow::Bucket(MINUTE)] {
            let mut quota = meter(window, 100);
            assert_eq!(pass(&mut quota, at(0.0), 40), None);
            let wait = pass(&mut quota, at(0.0), 101).expect("too large");
            assert!(wait > Span::ZERO && wait <= MINUTE, "{window:?}: {wait}");
            assert!(pass(&mut quota, at(0.0) + wait, 101).is_some());
        }
    }

    #[test]
    fn a_cut_holds_from_its_beginning_to_its_end() {
        let limits = vec![
            LimitFrom { from: Time::ZERO, limit: 10, cut_by: None },
            LimitFrom { from: at(10.0), limit: 2, cut_by: Some(3) },
            LimitFrom { from: at(20.0), limit: 10, cut_by: None },
        ];
        let mut quota = Meter::new(QuotaWindow::Bucket(Span::from_secs(10)), limits);
        assert_eq!(pass(&mut quota, at(9.0), 1), None);
        assert_eq!(quota.cut_by(), None);
        // Nine were left, the smaller bucket holds two of them, and gains one every five seconds.
        assert_eq!(pass(&mut quota, at(10.0), 2), None);
        assert_eq!(pass(&mut quota, at(10.0), 1), Some(Span::from_secs(5)));
        assert_eq!(quota.cut_by(), Some(3));
        // Two more by the end of the cut, then one a second again.
        assert_eq!(pass(&mut quota, at(23.0), 6), Some(S));
        assert_eq!(pass(&mut quota, at(23.0), 5), None);
        assert_eq!(quota.cut_by(), None);
    }

    #[test]
    fn the_headers_tell_what_is_left_and_when_it_is_full() {
        let mut quota = meter(QuotaWindow::Bucket(MINUTE), 60);
        quota.take(at(0.0), 10);
        let standing = |remaining, reset| Standing { limit: 60, remaining, reset };
        assert_eq!(quota.standing(at(0.0)), standing(50, Span::from_secs(10)));
        assert_eq!(quota.standing(at(2.5)), standing(52, Span::from_millis(7500)));
        let mut quota = meter(QuotaWindow::Fixed(MINUTE), 60);
        assert_eq!(quota.standing(at(1.0)), standing(60, Span::ZERO));
        quota.take(at(1.0), 1);
        assert_eq!(quota.standing(at(20.0)), standing(59, Span::from_secs(40)));
    }

    fn calls() -> impl Strategy<Value = Vec<(u64, u64)>> {
        // Gaps up to twice the window, so that windows fill, empty and are skipped.
        prop::collection::vec((prop_oneof![0..50u64, 0..2000u64], 1..8u64), 1..200)
    }

    fn admitted(quota: &mut Meter, calls: &[(u64, u64)]) -> Vec<(u64, u64)> {
        let mut now = 0;
        let mut passed = Vec::new();
        for &(gap, amount) in calls {
            now += gap;
            if pass(quota, Time::from_nanos(now), amount).is_none() {
                passed.push((now, amount));
            }
        }
        passed
    }

    const SPAN: u64 = 1000;

    proptest! {
        #[test]
        fn no_fixed_window_admits_more_than_the_limit(calls in calls(), limit in 1..20u64) {
            let mut quota = meter(QuotaWindow::Fixed(Span::from_nanos(SPAN)), limit);
            let passed = admitted(&mut quota, &calls);
            for (at, _) in &passed {
                let window = at / SPAN;
                let sum: u64 = passed.iter().filter(|(at, _)| at / SPAN == window).map(|(_, amount)| amount).sum();
                prop_assert!(sum <= limit);
            }
        }

        #[test]
        fn no_span_of_a_sliding_window_admits_more_than_the_limit(calls in calls(), limit in 1..20u64) {
            let mut quota = meter(QuotaWindow::Sliding(Span::from_nanos(SPAN)), limit);
            let passed = admitted(&mut quota, &calls);
            for &(from, _) in &passed {
                let within = |at: u64| at >= from && at < from + SPAN;
                let sum: u64 = passed.iter().filter(|(at, _)| within(*at)).map(|(_, amount)| amount).sum();
                prop_assert!(sum <= limit);
            }
        }

        #[test]
        fn a_bucket_admits_no_more_than_itself_and_what_refills(calls in calls(), limit in 1..20u64) {
            let mut quota = meter(QuotaWindow::Bucket(Span::from_nanos(SPAN)), limit);
            let passed = admitted(&mut quota, &calls);
            for (index, &(from, _)) in passed.iter().enumerate() {
                let mut sum = 0;
                for &(to, amount) in &passed[index..] {
                    sum += amount;
                    prop_assert!(sum * SPAN <= limit * SPAN + (to - from) * limit);
                }
            }
        }

        #[test]
        fn whoever_waits_as_told_passes_and_a_nanosecond_earlier_does_not(
            calls in calls(), limit in 1..20u64, amount in 1..20u64, kind in 0..3
        ) {
            let amount = amount.min(limit);
            let span = Span::from_nanos(SPAN);
            let window = [QuotaWindow::Fixed(span), QuotaWindow::Sliding(span), QuotaWindow::Bucket(span)][kind as usize];
            let mut quota = meter(window, limit);
            let now = admitted(&mut quota, &calls).last().map_or(0, |(at, _)| *at);
            let now = Time::from_nanos(now);
            if let Err(wait) = quota.room(now, amount) {
                let earlier = Time::from_nanos((now + wait).as_nanos() - 1);
                prop_assert!(earlier < now || quota.clone().room(earlier, amount).is_err());
                prop_assert_eq!(quota.room(now + wait, amount), Ok(()));
            }
        }
    }
}
