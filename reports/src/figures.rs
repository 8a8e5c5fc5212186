//! Numbers as people read them. Machines read the JSON, which has them in full.

use router_core::Span;

/// Thousands apart: `12,041`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many of something: `1 request`, `12,041 requests`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{} {}", count(n), plural(n, one))
}

/// The word for so many of something: `request`, `requests`, `retries`.
pub fn plural(n: u64, one: &str) -> String {
    if n == 1 {
        one.to_owned()
    } else if let Some(stem) = one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u'])) {
        format!("{stem}ies")
    } else {
        format!("{one}s")
    }
}

/// A share as a percentage, rounded towards the middle: only all is `100 %`, only none is `0 %`.
pub fn percent(share: f64) -> String {
    let percentage = share * 100.0;
    if share <= 0.0 {
        "0 %".to_owned()
    } else if share >= 1.0 {
        "100 %".to_owned()
    } else if percentage >= 99.0 {
        format!("{:.2} %", (percentage * 100.0).floor() / 100.0)
    } else if percentage < 1.0 {
        format!("{:.2} %", ((percentage * 100.0).ceil() / 100.0).max(0.01))
    } else {
        format!("{percentage:.1} %")
    }
}

/// A share that may be more than all, such as the use of a limit: `134 %`.
pub fn percent_above(share: f64) -> String {
    if share > 1.0 { format!("{:.0} %", (share * 100.0).max(101.0)) } else { percent(share) }
}

/// A part of a whole as a percentage; a dash when there is no whole.
pub fn percent_of(part: u64, whole: u64) -> String {
    if whole == 0 { DASH.to_owned() } else { percent(part as f64 / whole as f64) }
}

/// What stands where there is no figure.
pub const DASH: &str = "-";

/// A length of time to three digits: `350ms`, `2.14s`, `21.4s`, `2m 10s`, `1h 40m`.
pub fn span(span: Span) -> String {
    seconds(span.as_secs_f64())
}

/// A length of time in seconds, to three digits.
pub fn seconds(secs: f64) -> String {
    if secs <= 0.0 {
        "0s".to_owned()
    } else if secs < 0.001 {
        "<1ms".to_owned()
    } else if secs < 0.9995 {
        format!("{:.0}ms", secs * 1e3)
    } else if secs < 9.995 {
        format!("{secs:.2}s")
    } else if secs < 99.95 {
        format!("{secs:.1}s")
    } else if secs < 3599.5 {
        let whole = (secs + 0.5) as u64;
        format!("{}m {}s", whole / 60, whole % 60)
    } else {
        let minutes = (secs / 60.0 + 0.5) as u64;
        format!("{}h {}m", minutes / 60, minutes % 60)
    }
}

/// A length of time that somebody chose, without needless digits: `60s`, `2m`, `5m 30s`, `0.5s`.
pub fn chosen(span: Span) -> String {
    let nanos = span.as_nanos();
    let (whole, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    if rest != 0 {
        let text = format!("{whole}.{rest:09}");
        return format!("{}s", text.trim_end_matches('0'));
    }
    match (whole / 3600, whole / 60 % 60, whole % 60) {
        (0, minutes, secs) if minutes < 2 => format!("{}s", minutes * 60 + secs),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, secs) => format!("{minutes}m {secs}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, 0) => format!("{hours}h {minutes}m"),
        (..) => format!("{whole}s"),
    }
}

/// The same of seconds.
pub fn chosen_seconds(secs: f64) -> String {
    chosen(Span::from_secs_f64(secs))
}

/// A length of time as LiteLLM's settings have it, in seconds: `6000s`, `0.5s`.
pub fn setting(span: Span) -> String {
    format!("{}s", span.as_secs_f64())
}

/// A share that somebody chose, without needless digits: `99.9 %`.
pub fn chosen_share(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A difference of two lengths of time: `+2.1s`, `-350ms`, `0s`.
pub fn difference(secs: f64) -> String {
    if secs < 0.0 {
        format!("-{}", seconds(-secs))
    } else if secs > 0.0 {
        format!("+{}", seconds(secs))
    } else {
        "0s".to_owned()
    }
}

/// A ratio to two digits: `1.34`.
pub fn ratio(value: f64) -> String {
    format!("{value:.2}")
}

/// A rate per second without needless digits: `2/s`, `0.25/s`.
pub fn rate(per_second: f64) -> String {
    let text = format!("{per_second:.3}");
    format!("{}/s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A load to three digits: `54.2/s`, `0.123/s`, `1,250/s`.
pub fn load(per_second: f64) -> String {
    if per_second >= 999.5 {
        format!("{}/s", count((per_second + 0.5) as u64))
    } else if per_second >= 99.95 {
        format!("{per_second:.0}/s")
    } else if per_second >= 9.995 {
        format!("{per_second:.1}/s")
    } else if per_second >= 0.9995 {
        format!("{per_second:.2}/s")
    } else if per_second > 0.0 {
        format!("{per_second:.3}/s")
    } else {
        "0/s".to_owned()
    }
}

/// Dollars: `$12.41`, `$0.0034`.
pub fn dollars(amount: f64) -> String {
    let sign = if amount < 0.0 { "-" } else { "" };
    let amount = amount.abs();
    if amount == 0.0 {
        "$0".to_owned()
    } else if amount < 0.000_095 {
        // Two digits that say something, however many zeros stand before them.
        let digits =
            2 + std::iter::successors(Some(amount), |rest| Some(rest * 10.0)).take_while(|rest| *rest < 0.1).count();
        format!("{sign}${amount:.digits$}")
    } else if amount < 0.995 {
        format!("{sign}${amount:.4}")
    } else if amount < 1000.0 {
        format!("{sign}${amount:.2}")
    } else {
        format!("{sign}${}", count((amount + 0.5) as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_never_rounds_to_nothing_and_nearly_all_never_to_all() {
        assert_eq!(percent(0.999_99), "99.99 %");
        assert_eq!(percent(0.000_01), "0.01 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.5), "50.0 %");
        assert_eq!(percent_of(0, 0), "-");
    }

    #[test]
    fn plural_forms_are_right() {
        assert_eq!(counted(1, "request"), "1 request");
        assert_eq!(counted(0, "request"), "0 requests");
        assert_eq!(counted(1_234_567, "retry"), "1,234,567 retries");
        assert_eq!(counted(2, "key"), "2 keys");
    }

    #[test]
    fn lengths_of_time_have_three_digits() {
        let texts = [0.0, 0.0123, 0.9996, 9.996, 59.94, 130.2, 6000.0].map(seconds);
        assert_eq!(texts, ["0s", "12ms", "1.00s", "10.0s", "59.9s", "2m 10s", "1h 40m"]);
        assert_eq!(difference(-0.35), "-350ms");
    }

    #[test]
    fn chosen_lengths_read_as_they_were_written() {
        assert_eq!(setting(Span::from_secs(6000)), "6000s");
        assert_eq!(chosen_share(0.999), "99.9 %");
        let texts = [60, 90, 120, 330, 3600, 6000].map(|secs| chosen(Span::from_secs(secs)));
        assert_eq!(texts, ["60s", "90s", "2m", "5m 30s", "1h", "1h 40m"]);
        assert_eq!(chosen(Span::from_millis(500)), "0.5s");
    }

    #[test]
    fn loads_have_three_digits() {
        assert_eq!(
            [0.0, 0.1234, 1.0, 54.21, 99.96, 1250.4].map(load),
            ["0/s", "0.123/s", "1.00/s", "54.2/s", "100/s", "1,250/s"]
        );
    }

    #[test]
    fn dollars_keep_what_matters() {
        assert_eq!(
            [0.0, 0.000_004_21, 0.0034, 12.414, -2.5, 12_345.6].map(dollars),
            ["$0", "$0.0000042", "$0.0034", "$12.41", "-$2.50", "$12,346"]
        );
    }
}
