//! What a report says, whatever it is printed as. Times are in seconds, shares from 0 to 1, money in dollars.

mod check;
mod drill;
mod run;
mod upgrade;

pub use check::{CheckReport, CheckedScenario, SeedFailure, SeedReport};
pub use drill::{
    BaselineReport, CauseReport, DrillContext, DrillReport, ExampleReport, FallbackReport, FallbackTargetReport,
    FindingReport, ImpactReport, InventoryReport, NamedSetting, OutageReport, PlaceReport, RefusalReport, RiskReport,
    RowReport, SettingReport, ShareReport, ThresholdsReport, VerdictCounts, WorldReport,
};
pub use run::{
    AskedReport, BrokenLawReport, Count, DeploymentReport, Driver, ExpectationReport, FaultReport, Latencies,
    LossReport, MovementReport, RequestsReport, RunReport, Tokens,
};
pub use upgrade::{ChangedRequestReport, ChangedRowReport, EndReport, ReasonReport, RuleReport, UpgradeReport};
