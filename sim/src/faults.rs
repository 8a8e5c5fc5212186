//! The timeline of what is broken, worked out once for each deployment and each quota.
//!
//! Where several faults are on at one time, the first of the scenario's list wins; the next one gets its chance when the
//! first does not strike that call.

use router_core::{DeploymentId, Failure, FailureKind, RetryAfter, Time, Wording};

use crate::actor::TextId;
use crate::actors::upstream::LimitFrom;
use crate::provider::{Dialect, ErrorAnswer, ErrorKind, Said, said, wording_of};
use crate::scenario::{Fault, Inject, Quota};

/// A fault as one deployment suffers it.
#[derive(Clone, PartialEq, Debug)]
pub struct Strike {
    /// Index of the fault in the scenario.
    pub fault: u32,
    /// From when.
    pub from: Time,
    /// Until before when.
    pub until: Time,
    /// Which share of the calls it strikes.
    pub probability: f64,
    /// What happens to them.
    pub blow: Blow,
}

/// What happens to a call that is struck.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Blow {
    /// It fails at once.
    Fail(Refusal),
    /// It is answered in time, but the answer was filtered.
    Filtered,
    /// It is never answered.
    Silent,
    /// The connection breaks when the answer was due.
    Reset,
    /// It takes so many times as long.
    Slow(f64),
}

/// How a call is refused.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Refusal {
    /// What the router sees.
    pub failure: Failure,
    /// What the body says, if there is one.
    pub text: Option<TextId>,
}

impl Strike {
    /// Whether the fault is on at `now`.
    pub fn is_on(&self, now: Time) -> bool {
        self.from <= now && now < self.until
    }
}

/// The texts of all error answers of a run, each once: status and body tell them apart, so that a text can be known again
/// by what comes over a wire.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Texts(Vec<Text>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Text {
    answer: ErrorAnswer,
    body: String,
    wording: Wording,
}

impl Texts {
    /// The text of that number.
    pub fn get(&self, id: TextId) -> Option<&ErrorAnswer> {
        self.0.get(id.0 as usize).map(|text| &text.answer)
    }

    /// All texts, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (TextId, &ErrorAnswer)> {
        (0..).map(TextId).zip(self.0.iter().map(|text| &text.answer))
    }

    /// The refusal that says `answer`.
    pub fn refusal(&mut self, answer: ErrorAnswer, retry_after: RetryAfter) -> Refusal {
        let place = self.place(answer);
        let Text { answer, wording, .. } = &self.0[place];
        let kind = FailureKind::Status { code: answer.status, wording: *wording };
        Refusal { failure: Failure { kind, retry_after }, text: Some(TextId(place as u32)) }
    }

    fn place(&mut self, answer: ErrorAnswer) -> usize {
        if let Some(known) = self.0.iter().position(|known| known.answer == answer) {
            return known;
        }
        let body = answer.body();
        if let Some(alike) = self.0.iter().position(|known| known.answer.status == answer.status && known.body == body)
        {
            return alike;
        }
        self.0.push(Text { wording: wording_of(answer.dialect, &body), answer, body });
        self.0.len() - 1
    }
}

/// What strikes the calls to `deployment`, whose provider speaks `dialect`, in the order of the scenario's list.
pub fn strikes(faults: &[Fault], deployment: DeploymentId, dialect: Dialect, texts: &mut Texts) -> Vec<Strike> {
    let mut strikes = Vec::new();
    for (index, fault) in faults.iter().enumerate().filter(|(_, fault)| fault.on.contains(&deployment)) {
        let mut error = |kind, retry_after, message| match said(dialect, kind, message) {
            Said::Error(answer) => Blow::Fail(texts.refusal(answer, retry_after)),
            Said::Filtered => Blow::Filtered,
        };
        let blow = match &fault.inject {
            Inject::Error { kind, retry_after, message } => error(*kind, *retry_after, message.as_deref()),
            Inject::Silent => Blow::Silent,
            Inject::Refused => {
                let failure = Failure { kind: FailureKind::Refused, retry_after: RetryAfter::Absent };
                Blow::Fail(Refusal { failure, text: None })
            }
            Inject::Reset => Blow::Reset,
            Inject::Slow { factor } => Blow::Slow(*factor),
            Inject::Quota { left } if *left <= 0.0 => error(ErrorKind::QuotaExhausted, RetryAfter::Absent, None),
            // What is left of a quota is a matter of the quota: see `limits`.
            Inject::Quota { .. } => continue,
        };
        strikes.push(Strike {
            fault: index as u32,
            from: fault.from,
            until: fault.until.unwrap_or(Time::MAX),
            probability: fault.probability,
            blow,
        });
    }
    strikes
}

/// How much of `quota` there is from when on, under the faults that cut it: those that name any deployment of its scope.
pub fn limits(faults: &[Fault], quota: &Quota) -> Vec<LimitFrom> {
    let cuts: Vec<(u32, &Fault, f64)> = faults
        .iter()
        .enumerate()
        .filter_map(|(index, fault)| match fault.inject {
            Inject::Quota { left } if left > 0.0 && fault.on.iter().any(|on| quota.scope.contains(on)) => {
                Some((index as u32, fault, left))
            }
            _ => None,
        })
        .collect();
    let mut changes: Vec<Time> =
        cuts.iter().flat_map(|(_, fault, _)| [Some(fault.from), fault.until]).flatten().collect();
    changes.push(Time::ZERO);
    changes.sort_unstable();
    changes.dedup();
    let mut limits: Vec<LimitFrom> = changes
        .into_iter()
        .map(|from| {
            let on = |fault: &Fault| fault.from <= from && fault.until.is_none_or(|until| from < until);
            match cuts.iter().find(|(_, fault, _)| on(fault)) {
                // Rounded down: what is left of a quota is never more than the share says.
                Some(&(index, _, left)) => {
                    LimitFrom { from, limit: (quota.limit as f64 * left) as u64, cut_by: Some(index) }
                }
                None => LimitFrom { from, limit: quota.limit, cut_by: None },
            }
        })
        .collect();
    limits.dedup_by_key(|limit| (limit.limit, limit.cut_by));
    limits
}

#[cfg(test)]
mod tests {
    use router_core::Span;

    use super::*;
    use crate::scenario::{QuotaUnit, QuotaWindow};

    const A: DeploymentId = DeploymentId(0);
    const B: DeploymentId = DeploymentId(1);

    fn at(seconds: u64) -> Time {
        Time::ZERO + Span::from_secs(seconds)
    }

    fn fault(from: u64, until: Option<u64>, on: &[DeploymentId], inject: Inject) -> Fault {
        Fault { from: at(from), until: until.map(at), on: on.to_vec(), probability: 1.0, inject, label: String::new() }
    }

    #[test]
    fn each_provider_answers_a_fault_in_its_own_words() {
        let revoked = Inject::Error { kind: ErrorKind::Revoked, retry_after: RetryAfter::Absent, message: None };
        let faults = [fault(5, None, &[A, B], revoked)];
        let mut texts = Texts::default();
        let mut code = |deployment, dialect| match strikes(&faults, deployment, dialect, &mut texts)[0].blow {
            Blow::Fail(Refusal { failure: Failure { kind: FailureKind::Status { code, .. }, .. }, .. }) => code,
            ref other => panic!("{other:?}"),
        };
        assert_eq!(code(A, Dialect::Anthropic), 401);
        assert_eq!(code(B, Dialect::Bedrock), 403);
        assert_eq!(texts.0.len(), 2);
    }

    #[test]
    fn a_fault_is_on_from_its_start_to_before_its_end() {
        let faults = [fault(5, Some(8), &[A], Inject::Silent), fault(9, None, &[B], Inject::Reset)];
        let strikes = strikes(&faults, A, Dialect::OpenAi, &mut Texts::default());
        assert_eq!(strikes.len(), 1);
        assert_eq!([4, 5, 7, 8].map(|second| strikes[0].is_on(at(second))), [false, true, true, false]);
    }

    #[test]
    fn of_overlapping_cuts_the_first_in_the_list_holds() {
        let faults = [
            fault(10, Some(20), &[A], Inject::Quota { left: 0.5 }),
            fault(5, Some(30), &[B], Inject::Quota { left: 0.1 }),
            fault(5, None, &[DeploymentId(7)], Inject::Quota { left: 0.2 }),
        ];
        let window = QuotaWindow::Fixed(Span::from_secs(60));
        let quota = Quota { scope: vec![A, B], unit: QuotaUnit::Requests, limit: 105, window };
        let expected = [(0, 105, None), (5, 10, Some(1)), (10, 52, Some(0)), (20, 10, Some(1)), (30, 105, None)];
        let expected = expected.map(|(from, limit, cut_by)| LimitFrom { from: at(from), limit, cut_by });
        assert_eq!(limits(&faults, &quota), expected);
    }

    #[test]
    fn an_exhausted_quota_refuses_without_being_configured() {
        let faults = [fault(0, None, &[A], Inject::Quota { left: 0.0 })];
        let strikes = strikes(&faults, A, Dialect::OpenAi, &mut Texts::default());
        assert!(matches!(
            strikes[0].blow,
            Blow::Fail(Refusal { failure: Failure { kind: FailureKind::Status { code: 429, .. }, .. }, .. })
        ));
    }
}
