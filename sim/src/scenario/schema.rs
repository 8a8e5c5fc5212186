//! The JSON Schema of scenario files, for editors: completion, hover texts and red lines while typing.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::file::File;

/// The schema as JSON text, with a line break at the end. The same on every machine.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<File>();
    let mut schema = Value::from(schema);
    tidy(&mut schema);
    // A value made of maps and lists alone cannot fail to be written.
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// A key that may be left out may not be left empty, though schemars says so; and comments are wrapped in the source for
/// its readers only.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(tidy),
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    let description = object.remove("description");
                    object.extend(only);
                    object.extend(description.map(|text| ("description".to_owned(), text)));
                }
            }
            object.values_mut().for_each(tidy);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused_by_the_schema_too() {
        let schema: Value = serde_json::from_str(&schema()).expect("JSON");
        assert_eq!(schema["additionalProperties"], Value::Bool(false));
        let definitions = schema["$defs"].as_object().expect("definitions");
        for (name, definition) in definitions.iter().filter(|(_, definition)| definition["type"] == "object") {
            assert_eq!(definition["additionalProperties"], Value::Bool(false), "{name}");
        }
    }

    #[test]
    fn every_key_has_a_hover_text() {
        let schema: Value = serde_json::from_str(&schema()).expect("JSON");
        let definitions = schema["$defs"].as_object().expect("definitions").values();
        for definition in definitions.chain([&schema]) {
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{key}: {property}");
            }
        }
    }
}
