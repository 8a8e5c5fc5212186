//! The words for policies that LiteLLM does not have: in a scenario's `what_if` and behind `--what-if`.

use std::fmt;

use router_core::{RetryBudget, Span, WhatIf};
use schemars::{Schema, json_schema};

use super::quantity::{Complaint, Count, Duration, Plain, Quantity, Share};
use crate::problem::did_you_mean;

/// Each policy's word.
const RETRY_BUDGET: &str = "retry-budget";
const COOLDOWN_JITTER: &str = "cooldown-jitter";
const HALF_OPEN: &str = "half-open";
const WAIT_FOR_COOLDOWN: &str = "wait-for-cooldown";
const HEDGE: &str = "hedge";
const WORDS: [&str; 5] = [RETRY_BUDGET, COOLDOWN_JITTER, HALF_OPEN, WAIT_FOR_COOLDOWN, HEDGE];

/// A token bucket: what each request puts into it, and what it holds: `0.2`, `0.2 burst 50`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Tokens(pub RetryBudget);

impl Quantity for Tokens {
    const NAME: &'static str = "RetryBudget";

    fn parse(text: &str) -> Result<Self, Complaint> {
        const EXAMPLES: &str = "budgets are written `0.2`, retries per request, or `0.2 burst 50`";
        let (each, burst) = match text.split_once("burst") {
            Some((each, burst)) => (each, Plain::parse(burst)?.0),
            None => (text, RetryBudget::BURST),
        };
        let each = each.trim();
        let per_request = match Plain::parse(each) {
            Ok(Plain(value)) => value,
            Err(_) if each.ends_with('%') => Share::parse(each)?.0,
            Err(Complaint { message, .. }) => return Err(Complaint::new(message).help(EXAMPLES)),
        };
        // A bucket that cannot hold a token never gives one.
        if !(1.0..=MOST).contains(&burst) {
            return Err(Complaint::new("a bucket holds 1 to 1000000 tokens").help(EXAMPLES));
        }
        if per_request > MOST {
            return Err(Complaint::new("this is more than a budget").help(EXAMPLES));
        }
        Ok(Self(RetryBudget { per_request, burst }))
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "Retries per request: `0.2`; with the most that the bucket holds: `0.2 burst 50`.",
            "anyOf": [
                { "type": "number", "minimum": 0 },
                { "type": "string", "pattern": "^\\s*[0-9][0-9.]*%?(\\s+burst\\s+[0-9][0-9.]*[kM]?)?\\s*$" }
            ],
            "examples": [0.2, "0.2 burst 50"]
        })
    }
}

/// No budget is larger.
const MOST: f64 = 1e6;

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(RetryBudget { per_request, burst }) = self;
        write!(f, "{per_request}")?;
        if *burst == RetryBudget::BURST { Ok(()) } else { write!(f, " burst {burst}") }
    }
}

/// How many calls at once a deployment gets that is half open: `true` is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probes(pub u32);

impl Quantity for Probes {
    const NAME: &'static str = "Probes";

    fn parse(text: &str) -> Result<Self, Complaint> {
        if text.trim() == "true" {
            return Ok(Self(1));
        }
        let Count(count) = Count::parse(text)?;
        match u32::try_from(count) {
            Ok(probes) if probes > 0 => Ok(Self(probes)),
            _ => Err(Complaint::new("this is not a number of probes").help("write `1` or more, or `true` for one")),
        }
    }

    fn schema() -> Schema {
        json_schema!({
            "description": "Calls at once: `1`, `2`; `true` is one.",
            "anyOf": [{ "const": true }, { "type": "integer", "minimum": 1 }],
            "examples": [true, 2]
        })
    }
}

/// A length of time above zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait(pub Span);

impl Quantity for Wait {
    const NAME: &'static str = Duration::NAME;

    fn parse(text: &str) -> Result<Self, Complaint> {
        let Duration(span) = Duration::parse(text)?;
        if span.is_zero() {
            return Err(Complaint::new("no time at all is no policy").help("leave it out, or write `2s`"));
        }
        Ok(Self(span))
    }

    fn schema() -> Schema {
        Duration::schema()
    }
}

/// One policy as it is written on a command line: `half-open`, `hedge=2s`.
///
/// # Errors
/// What is wrong with the text.
pub fn policy(text: &str) -> Result<WhatIf, Complaint> {
    let (word, value) = match text.split_once('=') {
        Some((word, value)) => (word.trim(), Some(value)),
        None => (text.trim(), None),
    };
    let off = WhatIf::default();
    let value = |example: &str| {
        value.ok_or_else(|| Complaint::new(format!("`{word}` needs a value")).help(format!("write `{word}={example}`")))
    };
    Ok(match word {
        RETRY_BUDGET => WhatIf { retry_budget: Some(Tokens::parse(value("0.2")?)?.0), ..off },
        COOLDOWN_JITTER => WhatIf { cooldown_jitter: Some(Share::parse(value("50%")?)?.0), ..off },
        HALF_OPEN => WhatIf { half_open: Some(Probes::parse(value("1").unwrap_or("true"))?.0), ..off },
        WAIT_FOR_COOLDOWN => WhatIf { wait_for_cooldown: Some(Wait::parse(value("5s")?)?.0), ..off },
        HEDGE => WhatIf { hedge_after: Some(Wait::parse(value("2s")?)?.0), ..off },
        _ => {
            let help = did_you_mean(word, WORDS)
                .map_or_else(|| format!("known are {}", WORDS.join(", ")), |word| format!("did you mean `{word}`?"));
            return Err(Complaint::new(format!("`{word}` is not a policy")).help(help));
        }
    })
}

/// The policies that are on, each as its word and its value: what [`policy`] reads, with `=` between them.
pub fn policies(what_if: &WhatIf) -> Vec<(&'static str, String)> {
    let WhatIf { retry_budget, cooldown_jitter, half_open, wait_for_cooldown, hedge_after } = what_if;
    let each = [
        retry_budget.map(|budget| (RETRY_BUDGET, Tokens(budget).to_string())),
        cooldown_jitter.map(|share| (COOLDOWN_JITTER, Share(share).to_string())),
        half_open.map(|probes| (HALF_OPEN, probes.to_string())),
        wait_for_cooldown.map(|wait| (WAIT_FOR_COOLDOWN, Duration(wait).to_string())),
        hedge_after.map(|wait| (HEDGE, Duration(wait).to_string())),
    ];
    each.into_iter().flatten().collect()
}

/// The policies that are on, as a scenario writes them: `{half-open: 1, hedge: 2s}`.
pub fn map(what_if: &WhatIf) -> String {
    let each: Vec<_> = policies(what_if).into_iter().map(|(word, value)| format!("{word}: {value}")).collect();
    format!("{{{}}}", each.join(", "))
}

/// The policies that are on, for people and command lines: `half-open=1, hedge=2s`; nothing where none is.
pub fn words(what_if: &WhatIf) -> String {
    let each: Vec<_> = policies(what_if).into_iter().map(|(word, value)| format!("{word}={value}")).collect();
    each.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> WhatIf {
        text.split(',').fold(WhatIf::default(), |all, text| policy(text).expect(text).or(all))
    }

    #[test]
    fn policies_read_back_as_they_are_written() {
        let text = "retry-budget=0.2 burst 50, cooldown-jitter=50%, half-open=2, wait-for-cooldown=5s, hedge=1500ms";
        let what_if = all(text);
        assert_eq!(words(&what_if), text);
        assert_eq!(all("half-open"), all("half-open=1"));
        assert_eq!(all("retry-budget=20%"), all("retry-budget=0.2 burst 10"));
        assert_eq!(words(&WhatIf::default()), "");
    }

    #[test]
    fn the_later_of_two_values_for_one_policy_counts() {
        assert_eq!(all("hedge=1s,hedge=2s"), all("hedge=2s"));
    }

    #[test]
    fn what_is_no_policy_is_refused_with_a_way_out() {
        let refuses = |text: &str, words: &str| {
            let complaint = policy(text).expect_err(text);
            let said = format!("{}; {}", complaint.message, complaint.help.unwrap_or_default());
            assert!(said.contains(words), "{text}: {said}");
        };
        refuses("half_open", "did you mean `half-open`?");
        refuses("prayer=1", "known are retry-budget, ");
        refuses("hedge", "write `hedge=2s`");
        refuses("hedge=0s", "no time at all");
        refuses("hedge=2", "write `2s`");
        refuses("half-open=0", "this is not a number of probes");
        refuses("retry-budget=x", "budgets are written `0.2`");
        refuses("retry-budget=0.2 burst 0", "1 to 1000000");
        refuses("cooldown-jitter=0.5", "write `50%`");
    }
}
