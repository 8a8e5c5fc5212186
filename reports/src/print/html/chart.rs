//! A chart as data: what the page's program draws with uPlot, and shows as a table to whoever asks for it.

use serde::ser::{SerializeSeq as _, Serializer};

/// A chart over time, over a number or over percentiles. All series share its places on the horizontal axis.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Chart {
    /// What it shows, in a few words.
    #[serde(skip)]
    pub title: String,
    /// What one sees in it, in a sentence: read aloud in the chart's place, and printed below its title.
    #[serde(skip)]
    pub says: String,
    /// What the horizontal axis is.
    pub x: Axis,
    /// What it is called in the table; the axis itself is labelled where the unit does not say it.
    pub x_label: String,
    /// What the vertical axis is.
    pub y: Axis,
    /// Places on the horizontal axis, rising. Times in seconds; percentiles as shares below 1.
    #[serde(serialize_with = "as_drawn")]
    pub xs: Vec<f64>,
    /// What is drawn.
    pub series: Vec<Series>,
    /// Stretches of the horizontal axis, drawn behind the series.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<Band>,
    /// Levels that matter: limits, promises.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// The vertical axis is logarithmic: for latencies over several orders of magnitude.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// The vertical axis reaches at least to here, so that charts side by side compare; `None`: to what is drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<f64>,
    /// A low chart without a legend, one of several below each other.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lane: bool,
}

/// What a number on an axis means, and so how it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Seconds from the start of a run: `2:30`.
    Time,
    /// A share: `0.99` is `99 %`.
    Share,
    /// A percentile as a share, stretched towards 1 as HdrHistogram's plots are.
    Percentile,
    /// A length of time in seconds: `350 ms`, `2.1 s`.
    Seconds,
    /// So many per second.
    PerSecond,
    /// So many.
    Count,
    /// Any number.
    Number,
    /// Money.
    Dollars,
}

/// One line, area or cloud of points.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Series {
    /// What it is.
    pub label: String,
    /// How it is drawn.
    pub draw: Draw,
    /// What it means, which decides its colour and its dashes: it can be told from the others without colour too.
    pub role: Role,
    /// Its values, as many as the chart has places; `None`: nothing there.
    #[serde(serialize_with = "as_drawn")]
    pub values: Vec<Option<f64>>,
}

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Draw {
    /// A line from place to place.
    Line,
    /// A line that keeps its value up to the next place, filled below: for counts of intervals.
    Steps,
    /// Points alone.
    Points,
}

/// What a series means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What was asked for; a thing as such.
    Neutral,
    /// What went well.
    Good,
    /// What went badly.
    Bad,
    /// What others are compared with, such as a run in which nothing fails.
    Usual,
    /// The first of several of equal rank; then the second, and so on.
    First,
    /// The second of several.
    Second,
    /// The third of several.
    Third,
    /// The fourth of several.
    Fourth,
}

impl Role {
    /// The role of the one at `index` among several of equal rank. After the fourth they begin anew.
    pub fn nth(index: usize) -> Self {
        [Self::First, Self::Second, Self::Third, Self::Fourth][index % 4]
    }
}

/// A stretch of the horizontal axis.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Band {
    /// Where it begins.
    pub from: f64,
    /// Where it ends.
    pub until: f64,
    /// What it is.
    pub label: String,
    /// What kind of thing.
    pub kind: BandKind,
}

/// What kind of stretch a band is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BandKind {
    /// Something is broken: a tint over the whole height, labelled.
    Fault,
    /// A deployment rests: hatched.
    Cooldown,
    /// No more requests arrive.
    Quiet,
}

/// A level on the vertical axis.
#[derive(Clone, PartialEq, Debug, serde::Serialize)]
pub struct Level {
    /// Where.
    pub at: f64,
    /// What it is.
    pub label: String,
}

/// Numbers to seven digits: no screen shows more, and a page has many of them.
fn as_drawn<T: Copy + Into<Option<f64>>, S: Serializer>(values: &[T], serializer: S) -> Result<S::Ok, S::Error> {
    /// Whole numbers up to here are exact.
    const WHOLE_MAX: f64 = 9e15;
    let mut list = serializer.serialize_seq(Some(values.len()))?;
    for value in values {
        match (*value).into().map(|value| format!("{value:.6e}").parse().unwrap_or(value)) {
            Some(value) if value.fract() == 0.0 && value.abs() < WHOLE_MAX => {
                list.serialize_element(&(value as i64))?
            }
            value => list.serialize_element(&value)?,
        }
    }
    list.end()
}

impl Chart {
    /// A chart over the time of a run, with nothing in it yet. `xs` are seconds.
    pub fn over_time(title: impl Into<String>, says: impl Into<String>, y: Axis, xs: Vec<f64>) -> Self {
        Self::new(title, says, (Axis::Time, "time"), y, xs)
    }

    /// A chart with nothing in it yet; `x` is the horizontal axis and its name.
    pub fn new(title: impl Into<String>, says: impl Into<String>, x: (Axis, &str), y: Axis, xs: Vec<f64>) -> Self {
        Self {
            title: title.into(),
            says: says.into(),
            x: x.0,
            x_label: x.1.to_owned(),
            y,
            xs,
            series: Vec::new(),
            bands: Vec::new(),
            levels: Vec::new(),
            log: false,
            top: None,
            lane: false,
        }
    }

    /// The same chart with one series more.
    #[must_use]
    pub fn with(mut self, label: impl Into<String>, draw: Draw, role: Role, values: Vec<Option<f64>>) -> Self {
        debug_assert_eq!(values.len(), self.xs.len(), "a value for each place");
        self.series.push(Series { label: label.into(), draw, role, values });
        self
    }
}
