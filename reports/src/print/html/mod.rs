//! Pages: reports that people open in a browser, each one file without anything beside it.
//!
//! A page draws nothing from a network (its Content-Security-Policy forbids it), is dark where its reader's system is,
//! fits a telephone and a sheet of paper, and says everything in words or tables that it says in colours. A page is
//! written from its top to its end with [`Page`], whatever the report:
//!
//! ```
//! use routedrill_reports::print::html::{Axis, Cell, Chart, Draw, Kind, Page, Role, Table, Tile, Tone};
//!
//! let mut page = Page::new("Capacity of gpt-4", "It holds 12 requests per second.", &[("LiteLLM", "1.109.1".into())]);
//! page.tiles(&[Tile::new("Healthy", "12/s", "p99 below 8s").with_tone(Tone::Good)]);
//! page.section("How much it carries");
//! let mut chart = Chart::new(
//!     "Availability by load",
//!     "Availability falls below 99.9 % at 13 requests per second.",
//!     (Axis::PerSecond, "load"),
//!     Axis::Share,
//!     vec![10.0, 12.0, 14.0],
//! );
//! chart = chart.with("healthy", Draw::Line, Role::Good, vec![Some(1.0), Some(0.9995), Some(0.97)]);
//! chart = chart.with("azure lost", Draw::Line, Role::Bad, vec![Some(1.0), Some(0.91), None]);
//! page.chart(&chart);
//! let mut table = Table::new("Limits", &[("what fails", Kind::Text), ("load", Kind::Figure)]).with_filter();
//! table.row([Cell::code("provider:azure"), Cell::figure("10/s", 10.0)]);
//! page.table(&table);
//! let html = page.finish();
//! assert!(html.starts_with("<!doctype html>"));
//! ```
//!
//! Every text that goes in is escaped on its way; nobody has to think of it. A chart needs a sentence that says what one
//! sees in it; its figures open as a table below it. A row that opens takes what [`Page::inner`] returns. The same page
//! comes out as the same bytes.
//!
//! `page.css` holds every colour and measure as a variable at its top, `page.js` draws the charts and moves the tables.

mod chart;
mod compare;
mod drill;
mod escape;
mod over_time;
mod page;
mod run;
mod story;
mod table;

pub use chart::{Axis, Band, BandKind, Chart, Draw, Level, Role, Series};

pub use drill::{drill, refusal};
pub use page::{Page, Tile};
pub use run::{Beside, run};
pub use table::{Cell, Kind, Table, Tone};
