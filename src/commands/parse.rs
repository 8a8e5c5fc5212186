//! Values on the command line, read as in scenario files, and written back.

use routedrill_sim::scenario;
use routedrill_sim::scenario::quantity::{Complaint, Duration, Plain, Quantity, Rate, Share};
use routedrill_sim::search::store::Shard;
use router_core::{Release, Span, WhatIf};

fn said(complaint: Complaint) -> String {
    match complaint.help {
        Some(help) => format!("{} ({help})", complaint.message),
        None => complaint.message,
    }
}

/// `60s`, `5m`: above zero.
pub(crate) fn time(text: &str) -> Result<Span, String> {
    let Duration(span) = Duration::parse(text).map_err(said)?;
    if span.is_zero() { Err("it must be above zero".to_owned()) } else { Ok(span) }
}

/// `99%`, `0.99`.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    Share::parse(text).map(|Share(share)| share).map_err(said)
}

/// Requests per second: `20`, `20/s`, `300/m`.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let written = if text.contains('/') { text.to_owned() } else { format!("{text}/s") };
    let Rate(rate) = Rate::parse(&written).map_err(said)?;
    if rate > 0.0 { Ok(rate) } else { Err("it must be above zero".to_owned()) }
}

/// A plain number of at least 1.
pub(crate) fn ratio(text: &str) -> Result<f64, String> {
    let Plain(value) = Plain::parse(text).map_err(said)?;
    if value >= 1.0 { Ok(value) } else { Err("it must be at least 1".to_owned()) }
}

/// A release that is modelled.
pub(crate) fn release(text: &str) -> Result<Release, String> {
    Release::from_number(text).ok_or_else(|| {
        let known: Vec<&str> = Release::ALL.into_iter().map(Release::number).collect();
        format!("modelled are {}", known.join(" and "))
    })
}

/// One policy that LiteLLM does not have: `half-open`, `hedge=2s`.
pub(crate) fn what_if(text: &str) -> Result<WhatIf, String> {
    scenario::what_if::policy(text).map_err(said)
}

/// Several policies together; of two values for one of them, the later counts.
pub(crate) fn together(each: &[WhatIf]) -> WhatIf {
    each.iter().fold(WhatIf::default(), |all, one| one.or(all))
}

/// A day of the calendar: `2026-11-21`.
pub(crate) fn date(text: &str) -> Result<String, String> {
    let date: jiff::civil::Date = text.parse().map_err(|_| "a date is written 2026-11-21".to_owned())?;
    Ok(date.to_string())
}

/// A length of time as [`time`] reads it.
pub(crate) fn written(span: Span) -> String {
    Duration(span).to_string()
}

/// One part of so many: `2/4`.
pub(crate) fn shard(text: &str) -> Result<Shard, String> {
    let parts = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
    match parts {
        Some((index, of)) if 1 <= index && index <= of => Ok(Shard { index, of }),
        _ => Err("expected `1/4` to `4/4`: the first to the fourth of four".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_count_from_one() {
        assert_eq!(shard("2/4"), Ok(Shard { index: 2, of: 4 }));
        assert!(["0/4", "5/4", "4", "1/0"].into_iter().all(|text| shard(text).is_err()));
    }
}
