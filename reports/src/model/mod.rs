//! What a report says, whatever it is printed as. Times are in seconds, shares from 0 to 1, money in dollars.

mod alike;
mod beyond;
mod broken;
mod capacity;
mod check;
mod compared;
mod course;
mod drill;
mod inventory;
mod laws;
mod lines;
mod promise;
mod proof;
mod risks;
mod run;
mod slo;
mod story;
mod surroundings;
mod swarm;
mod together;
mod tune;
mod upgrade;
mod verdict;
mod why;

pub use alike::Alike;
pub use beyond::{BeyondDifferences, BeyondReport, BeyondRowReport};
pub use broken::Broken;
pub use capacity::{
    CapacityCase, CapacityContext, CapacityCurve, CapacityPoint, CapacityReport, IndicatorReport, PurchaseReport,
    TargetReport, TriedReport,
};
pub use check::{CheckReport, CheckedScenario, SeedFailure, SeedReport};
pub use compared::ComparedReport;
pub use course::{AnsweredByReport, CourseReport, DetailReport, LaneReport, PercentileReport, QuotaReport};
pub use drill::{
    BaselineReport, CauseReport, DrillContext, DrillReport, ExampleReport, FindingReport, ImpactReport, OutageReport,
    RefusalReport, RowReport, ShareReport, ThresholdsReport, VerdictCounts, WorldReport,
};
pub use inventory::{FallbackReport, FallbackTargetReport, InventoryReport, NamedSetting, PlaceReport, SettingReport};
pub use laws::{BrokenLawReport, DefectReport};
pub use lines::{ConfigLine, ConfigText};
pub use promise::ExpectationReport;
pub use proof::{EditReport, FeltReport, RecheckReport};
pub use risks::RiskReport;
pub use run::{
    AskedReport, Count, DeploymentReport, Driver, FaultReport, Latencies, LossReport, MovementReport, RequestsReport,
    RunReport, Tokens,
};
pub use slo::{BurnReport, ExpectedBurnReport, SloReport};
pub use story::{RowKind, StoryReport, StoryRow, WhyNotReport};
pub use surroundings::{BoundReport, GuardrailReport, McpServerReport, SurroundingsReport};
pub use swarm::{FeatureCount, Saving, SituationCount, SwarmFailure, SwarmReport, SwarmRun};
pub use together::{LeftOutReport, SpoilingReport, TogetherReport};
pub use tune::{
    CaseReport, ChangeReport, ComparisonReport, DifferenceReport, ImportanceReport, JudgementReport, MapReport,
    ParamReport, PointReport, StepReport, TuneReport,
};
pub use upgrade::{ChangedRequestReport, ChangedRowReport, EndReport, ReasonReport, RuleReport, UpgradeReport};
pub use verdict::{AftermathReport, GoodputReport, Verdict};
