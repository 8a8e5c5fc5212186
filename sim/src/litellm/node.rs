//! A configuration as a tree of values, each with its place in the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

/// A value, and where it was written.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// The bytes of the source that it was written in. Of an alias: where it is used, not where it is defined. Zero
    /// and empty where there is no source.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// A value as Python knows it after `yaml.safe_load`.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `None`.
    Null,
    /// `True` or `False`.
    Bool(bool),
    /// An integer.
    Int(i128),
    /// A float.
    Float(f64),
    /// Text.
    Text(String),
    /// A date, or a date and a time, as Python's `str` writes it.
    Time(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A dictionary.
    Mapping(Mapping),
    /// A Python object of another type, by the name of the type. No setting takes one.
    Other(&'static str),
}

/// Keys and values, in Python's order: a key stands where it first appeared and has the value given last.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Mapping {
    entries: Vec<(Key, Node)>,
}

/// A mapping in the making, which finds a key among many quickly.
#[derive(Default)]
pub(super) struct MappingBuilder {
    mapping: Mapping,
    places: BTreeMap<Identity, usize>,
}

/// What Python's `dict` compares: `1`, `1.0` and `True` are one key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Null,
    Whole(i128),
    Float(u64),
    Text(String),
    Time(String),
}

/// The key of a mapping.
#[derive(Clone, PartialEq, Debug)]
pub struct Key {
    /// Where it was written.
    pub span: Range<usize>,
    /// What it is: never a sequence or a mapping.
    pub value: Value,
}

impl Node {
    /// The same tree from JSON, without places.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(value), _) => Value::Int(value.into()),
                (None, Some(value)) => Value::Int(value.into()),
                (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Json::String(text) => Value::Text(text.clone()),
            Json::Array(items) => Value::Sequence(items.iter().map(Self::from_json).collect()),
            Json::Object(object) => {
                let key = |key: &String| Key { span: 0..0, value: Value::Text(key.clone()) };
                Value::Mapping(Mapping {
                    entries: object.iter().map(|(name, value)| (key(name), Self::from_json(value))).collect(),
                })
            }
        };
        Self { span: 0..0, value }
    }

    /// The value under a key, when this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_mapping()?.get(key)
    }

    /// The mapping, if it is one.
    pub fn as_mapping(&self) -> Option<&Mapping> {
        if let Value::Mapping(mapping) = &self.value { Some(mapping) } else { None }
    }

    /// The items, if it is a list.
    pub fn as_sequence(&self) -> Option<&[Self]> {
        if let Value::Sequence(items) = &self.value { Some(items) } else { None }
    }

    /// The text, if it is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }

    /// Whether it is `None`, which LiteLLM nearly always takes for "not set".
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }
}

impl Value {
    /// What Python calls the type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Time(_) => "a date",
            Self::Sequence(_) => "a list",
            Self::Mapping(_) => "a map",
            Self::Other(name) => name,
        }
    }
}

impl Mapping {
    /// The value of a text key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A text key and its value.
    pub fn entry(&self, key: &str) -> Option<(&Key, &Node)> {
        self.iter().find(|(known, _)| known.text() == Some(key))
    }

    /// Keys and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Node)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Keys and values in order, for good.
    pub fn into_entries(self) -> impl Iterator<Item = (Key, Node)> {
        self.entries.into_iter()
    }

    /// Sets the value of a key: in its place if it is there, else at the end.
    pub fn set(&mut self, key: Value, value: Node) {
        let identity = Identity::of(&key);
        match self.entries.iter_mut().find(|(known, _)| Identity::of(&known.value) == identity) {
            Some((_, old)) => *old = value,
            None => self.entries.push((Key { span: 0..0, value: key }, value)),
        }
    }

    /// The value of a text key; `None` is put under a key that is missing.
    pub fn get_or_insert(&mut self, key: &str) -> &mut Node {
        let place = self.entries.iter().position(|(known, _)| known.text() == Some(key)).unwrap_or_else(|| {
            let key = Key { span: 0..0, value: Value::Text(key.to_owned()) };
            self.entries.push((key, Node { span: 0..0, value: Value::Null }));
            self.entries.len() - 1
        });
        &mut self.entries[place].1
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl MappingBuilder {
    /// Sets a value as Python's `dict` does. Returns the place of the key that it replaces, if there was one.
    pub(super) fn insert(&mut self, key: Key, value: Node) -> Option<Range<usize>> {
        let entries = &mut self.mapping.entries;
        match self.places.entry(Identity::of(&key.value)) {
            Entry::Occupied(place) => {
                let (known, old) = &mut entries[*place.get()];
                *old = value;
                // The last value counts, so its place is the one to show.
                Some(std::mem::replace(&mut known.span, key.span))
            }
            Entry::Vacant(place) => {
                place.insert(entries.len());
                entries.push((key, value));
                None
            }
        }
    }

    pub(super) fn finish(self) -> Mapping {
        self.mapping
    }
}

impl Identity {
    fn of(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Whole((*value).into()),
            Value::Int(value) => Self::Whole(*value),
            // Within this range the conversion is exact.
            Value::Float(value) if *value == value.trunc() && value.abs() < 1e30 => Self::Whole(*value as i128),
            Value::Float(value) => Self::Float(value.to_bits()),
            Value::Text(text) => Self::Text(text.clone()),
            Value::Time(text) => Self::Time(text.clone()),
            // Lists and maps are no keys.
            Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Other(_) => Self::Null,
        }
    }
}

impl Key {
    /// The key, if it is text.
    pub fn text(&self) -> Option<&str> {
        if let Value::Text(text) = &self.value { Some(text) } else { None }
    }
}
