//! `retry_policy` and `allowed_fails_policy`: numbers by kind of error.

use router_core::{AllowedFailsPolicy, Release, RetryPolicy};

use super::finding::{Findings, rule};
use super::node::Node;
use super::section::{Rejected, Section};
use crate::problem::did_you_mean;

const RETRIES: &[&str] = &[
    "BadRequestErrorRetries",
    "AuthenticationErrorRetries",
    "TimeoutErrorRetries",
    "RateLimitErrorRetries",
    "ContentPolicyViolationErrorRetries",
    "InternalServerErrorRetries",
    "ServiceUnavailableErrorRetries",
    "NotFoundErrorRetries",
    "DefaultRetries",
];

const ALLOWED_FAILS: &[&str] = &[
    "BadRequestErrorAllowedFails",
    "AuthenticationErrorAllowedFails",
    "TimeoutErrorAllowedFails",
    "RateLimitErrorAllowedFails",
    "ContentPolicyViolationErrorAllowedFails",
    "InternalServerErrorAllowedFails",
    "ServiceUnavailableErrorAllowedFails",
    "BadGatewayErrorAllowedFails",
    "NotFoundErrorAllowedFails",
];

/// Fields that only newer releases have.
const NEWER: &[&str] = &[
    "ServiceUnavailableErrorRetries",
    "NotFoundErrorRetries",
    "DefaultRetries",
    "ServiceUnavailableErrorAllowedFails",
    "BadGatewayErrorAllowedFails",
    "NotFoundErrorAllowedFails",
];

/// When LiteLLM looks into a policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadAt {
    /// In the Router's constructor: a bad value stops the start-up.
    StartUp,
    /// When the first error needs it: a bad value breaks the handling of that error.
    Use,
}

/// A retry policy; `None` when LiteLLM takes the value for none.
pub(super) fn retry_policy(
    node: &Node,
    path: &str,
    release: Release,
    read_at: ReadAt,
    findings: &mut Findings<'_>,
) -> Option<RetryPolicy> {
    let read = fields(node, path, RETRIES, release, read_at, findings)?;
    let [
        bad_request,
        authentication,
        timeout,
        rate_limit,
        content_policy,
        internal_server,
        unavailable,
        not_found,
        default,
    ] = read[..]
    else {
        return None;
    };
    Some(RetryPolicy {
        bad_request,
        authentication,
        timeout,
        rate_limit,
        content_policy,
        internal_server,
        service_unavailable: unavailable,
        not_found,
        default,
    })
}

/// An allowed-fails policy; `None` when LiteLLM takes the value for none.
pub(super) fn allowed_fails_policy(
    node: &Node,
    path: &str,
    release: Release,
    read_at: ReadAt,
    findings: &mut Findings<'_>,
) -> Option<AllowedFailsPolicy> {
    let read = fields(node, path, ALLOWED_FAILS, release, read_at, findings)?;
    let [
        bad_request,
        authentication,
        timeout,
        rate_limit,
        content_policy,
        internal_server,
        unavailable,
        bad_gateway,
        not_found,
    ] = read[..]
    else {
        return None;
    };
    Some(AllowedFailsPolicy {
        bad_request,
        authentication,
        timeout,
        rate_limit,
        content_policy,
        internal_server,
        service_unavailable: unavailable,
        bad_gateway,
        not_found,
    })
}

fn fields(
    node: &Node,
    path: &str,
    known: &[&str],
    release: Release,
    read_at: ReadAt,
    findings: &mut Findings<'_>,
) -> Option<Vec<Option<i64>>> {
    let (broken, consequence) = match read_at {
        ReadAt::StartUp => (&rule::MALFORMED_SETTING, "the proxy does not start"),
        ReadAt::Use => (&rule::WRONG_TYPE, "LiteLLM fails when it needs the policy"),
    };
    let Some(map) = node.as_mapping() else {
        let (rule, end) = match (read_at, release) {
            (ReadAt::StartUp, Release::V1_109_1) => (&rule::IGNORED_KEY, "LiteLLM goes on without one"),
            _ => (broken, consequence),
        };
        findings.add(
            rule,
            node.span.clone(),
            path,
            format!("a policy is a map of kinds of errors, and this is {}: {end}", node.value.kind()),
            format!("write keys such as `{}: 2` below it", known[0]),
        );
        return None;
    };
    let has = |name: &str| known.contains(&name) && !(release == Release::V1_80_17 && NEWER.contains(&name));
    for (key, _) in map.iter() {
        let name = key.text().unwrap_or_default();
        if !has(name) {
            let remedy = match did_you_mean(name, known.iter().copied().filter(|name| has(name))) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!(
                    "LiteLLM {release} has {}",
                    known.iter().filter(|n| has(n)).copied().collect::<Vec<_>>().join(", ")
                ),
            };
            findings.add(
                &rule::IGNORED_KEY,
                key.span.clone(),
                format!("{path}.{name}"),
                format!("the policy has no {name}, and LiteLLM {release} ignores it"),
                remedy,
            );
        }
    }
    let section = Section::new(path, map);
    let read = known.iter().map(|name| {
        if !has(name) {
            return None;
        }
        section.lax_int(name, findings).unwrap_or_else(|Rejected { span, path, message, remedy }| {
            findings.add(broken, span, path, format!("{message}, and {consequence}"), remedy);
            None
        })
    });
    Some(read.collect())
}
