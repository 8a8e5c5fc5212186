//! Rows as CSV files. Times are in seconds since the start of the run, with nine decimals: whole nanoseconds.

use std::io::{self, Write};

use csv::Writer;
use routedrill_sim::metrics::{AttemptEnd, AttemptRow, Metrics, RequestEnd, RequestRow, RowSink};
use router_core::{Plan, Span, Time};

use super::hlog::SecondQuantiles;
use crate::folder::{Folder, OutFile, WriteError};

/// The files `requests.csv` and `attempts.csv`, written while the run goes on.
#[derive(Debug)]
pub struct RowFiles<'a> {
    plan: &'a Plan,
    labels: &'a [String],
    requests: Writer<OutFile>,
    attempts: Writer<OutFile>,
    /// The first error: a watcher cannot return one.
    error: Option<io::Error>,
}

const REQUESTS: [&str; 14] = [
    "request",
    "model",
    "due",
    "ended",
    "latency",
    "outcome",
    "status",
    "error",
    "answered_by",
    "attempts",
    "retries",
    "fallbacks",
    "prompt_tokens",
    "completion_tokens",
];
const ATTEMPTS: [&str; 10] =
    ["request", "attempt", "n", "group", "deployment", "started", "ended", "outcome", "status", "error"];

impl<'a> RowFiles<'a> {
    /// Begins both files. `labels` are the short names of the deployments.
    ///
    /// # Errors
    /// When they cannot be created.
    pub fn begin(folder: &Folder, plan: &'a Plan, labels: &'a [String]) -> Result<Self, WriteError> {
        let mut files = Self {
            plan,
            labels,
            requests: Writer::from_writer(folder.file("requests.csv")?),
            attempts: Writer::from_writer(folder.file("attempts.csv")?),
            error: None,
        };
        let written = files.requests.write_record(REQUESTS).and_then(|()| files.attempts.write_record(ATTEMPTS));
        files.keep(written);
        Ok(files)
    }

    /// Completes both files.
    ///
    /// # Errors
    /// When something could not be written, then or earlier.
    pub fn finish(self) -> Result<(), WriteError> {
        if let Some(error) = self.error {
            return Err(self.requests.get_ref().error(error));
        }
        close(self.requests)?;
        close(self.attempts)
    }

    fn keep(&mut self, written: Result<(), csv::Error>) {
        if let Err(error) = written {
            self.error.get_or_insert_with(|| io::Error::from(error));
        }
    }

    fn label(&self, deployment: router_core::DeploymentId) -> &'a str {
        self.labels.get(deployment.index()).map_or("", String::as_str)
    }
}

impl RowSink for RowFiles<'_> {
    fn request(&mut self, row: &RequestRow) {
        let (outcome, status, error, by, usage) = match row.end {
            RequestEnd::Answered { by, usage } => ("answered", Some(200), "", self.label(by), usage),
            RequestEnd::Failed(error) => {
                ("failed", Some(error.client_status), error.class.name(), "", router_core::Usage::default())
            }
            RequestEnd::GaveUp => ("gave_up", None, "", "", router_core::Usage::default()),
            RequestEnd::Open => ("open", None, "", "", router_core::Usage::default()),
        };
        let written = self.requests.write_record([
            row.request.to_string().as_str(),
            self.plan.name(row.asked),
            &at(row.due),
            &at(row.ended),
            &span(row.ended.since(row.due)),
            outcome,
            &status.map_or_else(String::new, |status| status.to_string()),
            error,
            by,
            &row.attempts.to_string(),
            &row.retries.to_string(),
            &row.fallbacks.to_string(),
            &usage.prompt_tokens.to_string(),
            &usage.completion_tokens.to_string(),
        ]);
        self.keep(written);
    }

    fn attempt(&mut self, row: &AttemptRow) {
        let (outcome, status, error) = match row.end {
            AttemptEnd::Answered(_) => ("answered", None, ""),
            AttemptEnd::Failed { sent: true, error } => ("failed", error.status, error.class.name()),
            AttemptEnd::Failed { sent: false, error } => ("refused_by_router", error.status, error.class.name()),
            AttemptEnd::Abandoned => ("abandoned", None, ""),
            AttemptEnd::Open => ("open", None, ""),
        };
        let written = self.attempts.write_record([
            row.request.to_string().as_str(),
            &row.attempt.0.to_string(),
            &row.n.to_string(),
            self.plan.name(row.group),
            self.label(row.deployment),
            &at(row.started),
            &at(row.ended),
            outcome,
            &status.map_or_else(String::new, |status| status.to_string()),
            error,
        ]);
        self.keep(written);
    }
}

/// Writes `timeline.csv`: one row per second, with the calls to each deployment in columns of their own.
///
/// # Errors
/// When it cannot be written.
pub fn timeline(
    folder: &Folder,
    metrics: &Metrics,
    labels: &[String],
    quantiles: &[SecondQuantiles],
) -> Result<(), WriteError> {
    let mut writer = Writer::from_writer(folder.file("timeline.csv")?);
    let written = write_timeline(&mut writer, metrics, labels, quantiles);
    if let Err(error) = written {
        return Err(writer.get_ref().error(io::Error::from(error)));
    }
    close(writer)
}

const TIMELINE: [&str; 13] = [
    "second",
    "sent",
    "sent_answered",
    "answered",
    "failed",
    "gave_up",
    "attempts",
    "attempts_failed",
    "fallbacks",
    "cooldowns",
    "latency_p50",
    "latency_p99",
    "latency_max",
];

fn write_timeline<W: Write>(
    writer: &mut Writer<W>,
    metrics: &Metrics,
    labels: &[String],
    quantiles: &[SecondQuantiles],
) -> Result<(), csv::Error> {
    let calls_to = labels.iter().map(|label| format!("calls {label}"));
    writer.write_record(TIMELINE.into_iter().map(str::to_owned).chain(calls_to))?;
    let timeline = metrics.timeline();
    let mut quantiles = quantiles.iter().peekable();
    for (index, second) in timeline.seconds().iter().enumerate() {
        let starts = index as u64 * timeline.width();
        // In a timeline with longer steps the last second of a step stands for its quantiles.
        let mut latest = None;
        while let Some(known) = quantiles.next_if(|known| known.second < starts + timeline.width()) {
            latest = Some(known);
        }
        let quantile = |of: fn(&SecondQuantiles) -> Span| latest.map_or_else(String::new, |known| span(of(known)));
        let mut record = vec![starts.to_string()];
        record.extend(
            [
                second.sent,
                second.sent_answered,
                second.answered,
                second.failed,
                second.gave_up,
                second.attempts,
                second.attempts_failed,
                second.fallbacks,
                second.cooldowns,
            ]
            .map(|count| count.to_string()),
        );
        record.extend([quantile(|known| known.p50), quantile(|known| known.p99), quantile(|known| known.max)]);
        record.extend(timeline.calls(index).iter().map(u32::to_string));
        writer.write_record(record)?;
    }
    Ok(())
}

fn close(mut writer: Writer<OutFile>) -> Result<(), WriteError> {
    // The file's own buffer is flushed with it.
    writer.flush().map_err(|source| writer.get_ref().error(source))
}

fn at(time: Time) -> String {
    decimal(time.as_nanos())
}

fn span(span: Span) -> String {
    decimal(span.as_nanos())
}

fn decimal(nanos: u64) -> String {
    format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000)
}
