//! JSON Schemas of what `--format json` prints, from the types of the reports: their comments explain the keys.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::model::{
    CapacityReport, CheckReport, DrillReport, RefusalReport, RunReport, StoryReport, SwarmReport, TuneReport,
    UpgradeReport,
};

/// What `run --format json` prints, and `run --out` writes as `results.json`.
pub fn run() -> String {
    one::<RunReport>("routedrill run --format json")
}

/// What `drill --format json` prints, and `drill --out` writes as `results.json`.
pub fn drill() -> String {
    let mut generator = generator();
    let ran = generator.subschema_for::<DrillReport>();
    let refused = generator.subschema_for::<RefusalReport>();
    let either = json!({
        "description": "A drill, or why there was none: LiteLLM would not start with the configuration.",
        "anyOf": [ran, refused],
    });
    document("routedrill drill --format json", either, &mut generator)
}

/// What `drill --against --format json` prints.
pub fn upgrade() -> String {
    one::<UpgradeReport>("routedrill drill --against --format json")
}

/// What `check --format json` prints.
pub fn check() -> String {
    one::<CheckReport>("routedrill check --format json")
}

/// What `check --swarm --format json` prints.
pub fn swarm() -> String {
    one::<SwarmReport>("routedrill check --swarm --format json")
}

/// What `capacity --format json` prints, and `capacity --out` writes as `results.json`.
pub fn capacity() -> String {
    one::<CapacityReport>("routedrill capacity --format json")
}

/// What `tune --format json` prints, and `tune --out` writes as `tune.json`.
pub fn tune() -> String {
    one::<TuneReport>("routedrill tune --format json")
}

/// What `explain --format json` prints.
pub fn explain() -> String {
    one::<StoryReport>("routedrill explain --format json")
}

/// The schema of one type as JSON text, with a line break at the end. The same on every machine.
pub fn one<T: JsonSchema>(title: &str) -> String {
    let mut generator = generator();
    let schema = T::json_schema(&mut generator);
    document(title, schema.into(), &mut generator)
}

/// What numbers are, unless their own key says otherwise.
const UNITS: &str = "Times are in seconds, shares from 0 to 1, money in dollars.";

/// Describes what is written: keys that are always there are required.
fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

fn document(title: &str, schema: Value, generator: &mut SchemaGenerator) -> String {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
    whole.insert("title".to_owned(), title.into());
    if let Value::Object(mut schema) = schema {
        schema.remove("title");
        let about = schema.remove("description");
        let about = about.as_ref().and_then(Value::as_str).unwrap_or_default();
        whole.insert("description".to_owned(), format!("{about} {UNITS}").into());
        whole.extend(schema);
    }
    let definitions = generator.take_definitions(true);
    if !definitions.is_empty() {
        whole.insert("$defs".to_owned(), definitions.into());
    }
    let mut whole = Value::Object(whole);
    tidy(&mut whole);
    // A value made of maps and lists alone cannot fail to be written.
    serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
}

/// Nothing is written that a schema does not list; comments are wrapped in the source for its readers only; and how wide
/// a number is in memory says nothing about the text.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if object.get("format").is_some_and(Value::is_string) {
                object.remove("format");
            }
            if object.get("properties").is_some_and(Value::is_object) {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}
