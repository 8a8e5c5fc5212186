//! What LiteLLM makes of an upstream's failure, decided again: what the text says goes before the status (LiteLLM:
//! `exception_mapping_utils`).

use router_core::{Deployment, Error, ErrorClass, Failure, FailureKind, Rules, Wording};

use ErrorClass::*;

/// Whose errors they are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    OpenAi,
    Azure,
    Anthropic,
    Bedrock,
}

/// What a status alone becomes, wherever a provider has no rule of its own.
const BY_STATUS: [(u16, ErrorClass, u16); 8] = [
    (401, AuthenticationError, 401),
    (404, NotFoundError, 404),
    (408, Timeout, 408),
    (429, RateLimitError, 429),
    (500, InternalServerError, 500),
    (502, BadGatewayError, 502),
    (503, ServiceUnavailableError, 503),
    (504, Timeout, 504),
];

/// The error that a call's failure becomes.
pub(super) fn error(one: &Deployment, failure: &Failure, rules: &Rules) -> Error {
    let family = match one.provider.as_str() {
        "azure" | "azure_text" => Family::Azure,
        "anthropic" | "anthropic_text" => Family::Anthropic,
        "bedrock" | "bedrock_converse" => Family::Bedrock,
        _ => Family::OpenAi,
    };
    let connection_error = matches!(family, Family::Azure | Family::Bedrock);
    let (class, status) = match failure.kind {
        FailureKind::Truncated => (APIConnectionError, 500),
        FailureKind::Refused | FailureKind::Reset if connection_error => (APIConnectionError, 500),
        FailureKind::Refused | FailureKind::Reset | FailureKind::Malformed => (InternalServerError, 500),
        FailureKind::Status { code, wording } => {
            by_text(family, code, wording, rules).unwrap_or_else(|| by_status(family, code, rules))
        }
    };
    Error::new(class, Some(status))
}

/// What the text makes of it; the first that is heard counts.
fn by_text(family: Family, code: u16, wording: Wording, rules: &Rules) -> Option<(ErrorClass, u16)> {
    let hears = |phrase: Wording| wording.says(phrase);
    let own = if rules.keeps_upstream_status { code } else { 400 };
    let late = rules.late_context_phrases;
    let too_long = hears(Wording::CONTEXT_WINDOW) && !(late && hears(Wording::NOT_CONTEXT_WINDOW))
        || late && hears(Wording::CONTEXT_WINDOW_LATE) && !hears(Wording::NOT_CONTEXT_WINDOW);
    let invalid = hears(Wording::INVALID_REQUEST);
    let keeps = rules.invalid_request_keeps_status;
    let rate_limit = hears(Wording::RATE_LIMIT) || hears(Wording::BARE_429) && (code == 429 || rules.bare_429_always);
    let heard: &[(bool, ErrorClass, u16)] = match family {
        Family::OpenAi => &[
            (rate_limit, RateLimitError, 429),
            (too_long, ContextWindowExceededError, own),
            (invalid && hears(Wording::MODEL_NOT_FOUND), NotFoundError, code),
            (hears(Wording::TIMEOUT_OCCURRED), Timeout, 408),
            (hears(Wording::POLICY) || invalid && hears(Wording::POLICY_CODE), ContentPolicyViolationError, own),
            (invalid && !hears(Wording::INCORRECT_KEY) && keeps && code == 401, AuthenticationError, 401),
            (invalid && !hears(Wording::INCORRECT_KEY) && keeps && code == 404, NotFoundError, 404),
            (invalid && !hears(Wording::INCORRECT_KEY), BadRequestError, own),
            (hears(Wording::SERVER_ERROR), InternalServerError, 500),
            (hears(Wording::TOO_LARGE), RateLimitError, 429),
        ],
        Family::Azure => &[
            (hears(Wording::INTERNAL_SERVER_ERROR), InternalServerError, 500),
            (too_long || rules.azure_knows_codes && hears(Wording::CODE_CONTEXT), ContextWindowExceededError, 400),
            (hears(Wording::DEPLOYMENT_NOT_FOUND), NotFoundError, 404),
            (hears(Wording::AZURE_FILTERED) || hears(Wording::POLICY), ContentPolicyViolationError, 400),
        ],
        Family::Anthropic => &[
            (hears(Wording::ANTHROPIC_TOO_LONG), ContextWindowExceededError, 400),
            (hears(Wording::ANTHROPIC_OVERLOADED), InternalServerError, 500),
            (hears(Wording::ANTHROPIC_FILTERED), ContentPolicyViolationError, 400),
        ],
        Family::Bedrock => &[
            (hears(Wording::BEDROCK_TOO_LONG), ContextWindowExceededError, 400),
            (hears(Wording::THROTTLED), RateLimitError, 429),
            (hears(Wording::ACCESS_DENIED), PermissionDeniedError, 403),
        ],
    };
    let timed_out = hears(Wording::TIMED_OUT).then_some((Timeout, 408));
    timed_out.or_else(|| heard.iter().find(|(heard, ..)| *heard).map(|&(_, class, status)| (class, status)))
}

/// What the status makes of it.
fn by_status(family: Family, code: u16, rules: &Rules) -> (ErrorClass, u16) {
    let own = if rules.keeps_upstream_status { code } else { 400 };
    match (family, code) {
        (_, 400 | 422) | (Family::Bedrock, 413) => (BadRequestError, own),
        (Family::Anthropic, 413) => (BadRequestError, 400),
        (Family::Anthropic | Family::Bedrock, 403) => (PermissionDeniedError, 403),
        (Family::Anthropic, 529) => (InternalServerError, 500),
        (Family::Bedrock, 500) => (ServiceUnavailableError, 503),
        (Family::Azure, 500) => (APIError, 500),
        (Family::Azure, 404) if !rules.azure_knows_codes => (APIError, 404),
        _ => {
            let row = BY_STATUS.iter().find(|(status, ..)| *status == code);
            row.map_or((APIError, code), |&(_, class, status)| (class, status))
        }
    }
}

#[cfg(test)]
mod tests {
    use router_core::{Config, ModelEntry, Plan, Release, RetryAfter, exception_of};

    use super::*;

    /// One phrase, or two.
    fn wordings() -> impl Iterator<Item = Wording> {
        (0..24).flat_map(|one| (one..24).map(move |other| Wording(1 << one | 1 << other))).chain([Wording::NONE])
    }

    #[test]
    fn law_and_router_make_the_same_of_every_status_and_phrase() {
        for release in Release::ALL {
            let mut config = Config { release, ..Config::default() };
            for model in ["openai/m", "azure/m", "anthropic/m", "bedrock/m", "vertex_ai/m"] {
                let (id, model_name) = (model.to_owned(), model.to_owned());
                config.model_list.push(ModelEntry { model_name, id, model: model.to_owned(), ..ModelEntry::default() });
            }
            let plan = Plan::new(&config).expect("a plan");
            let statuses =
                (400..=599).flat_map(|code| wordings().map(move |wording| FailureKind::Status { code, wording }));
            let others = [FailureKind::Refused, FailureKind::Reset, FailureKind::Malformed, FailureKind::Truncated];
            for kind in statuses.chain(others) {
                let failure = Failure { kind, retry_after: RetryAfter::Absent };
                for one in plan.deployments() {
                    let routers = exception_of(one.dialect, &failure, false, plan.rules());
                    assert_eq!(error(one, &failure, plan.rules()), routers, "{kind:?} of {}", one.provider);
                }
            }
        }
    }
}
