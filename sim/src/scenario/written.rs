//! The pieces that a scenario file is written in: values with their place, maps of chosen names, words that may be maps.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::file::{Details, Inject, Spread, Trace, TraceShare};
use super::quantity::{Complaint, Quantity};
use super::strict::{LOCATED, NODE, OneScalar, SCALAR};
use super::tree::{NodeId, Tree};
use super::word::{InjectWord, Text};

/// A scalar whose text means a `Q`. What it means is found out later, by [`Written::read`], so that every bad one is
/// reported.
pub struct Written<Q> {
    node: NodeId,
    quantity: PhantomData<fn() -> Q>,
}

impl<Q: Quantity> Written<Q> {
    /// What the text means.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, tree: &Tree) -> Result<Q, Complaint> {
        Q::parse(tree.text(self.node))
    }
}

impl<Q> Written<Q> {
    /// Where it is written.
    pub const fn node(&self) -> NodeId {
        self.node
    }
}

impl<Q> Clone for Written<Q> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q> Copy for Written<Q> {}

impl<Q> fmt::Debug for Written<Q> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Written({})", self.node.0)
    }
}

impl<'de, Q: Quantity> Deserialize<'de> for Written<Q> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let node = deserializer.deserialize_newtype_struct(SCALAR, Number("a single value"))?;
        Ok(Self { node, quantity: PhantomData })
    }
}

impl<Q: Quantity> JsonSchema for Written<Q> {
    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed(Q::NAME)
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Q::schema()
    }
}

/// A value and where it is written.
#[derive(Clone, Debug)]
pub struct Located<T> {
    /// Where it is written.
    pub node: NodeId,
    /// The value.
    pub value: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Both<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Both<T> {
            type Value = Located<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut both: A) -> Result<Located<T>, A::Error> {
                let missing = || de::Error::invalid_length(0, &self);
                let node: Anything = both.next_element()?.ok_or_else(missing)?;
                let value = both.next_element()?.ok_or_else(missing)?;
                Ok(Located { node: node.node(), value })
            }
        }

        deserializer.deserialize_newtype_struct(LOCATED, Both(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Any part of a document, not looked into.
#[derive(Clone, Copy, Debug)]
pub struct Anything(NodeId);

impl Anything {
    /// Where it is written.
    pub const fn node(&self) -> NodeId {
        self.0
    }
}

impl<'de> Deserialize<'de> for Anything {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(NODE, Number("anything")).map(Self)
    }
}

impl JsonSchema for Anything {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("Anything")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// A LiteLLM config: the path of its file, or the config itself as a map.
#[derive(Clone, Copy, Debug)]
pub struct ConfigAt(Anything);

impl ConfigAt {
    /// Where it is written.
    pub const fn node(&self) -> NodeId {
        self.0.node()
    }
}

impl<'de> Deserialize<'de> for ConfigAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Anything::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for ConfigAt {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Borrowed("ConfigAt")
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "string" }, { "type": "object", "required": ["model_list"] }] })
    }
}

/// Takes the number of a node.
struct Number(&'static str);

impl Visitor<'_> for Number {
    type Value = NodeId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u32<E>(self, number: u32) -> Result<NodeId, E> {
        Ok(NodeId(number))
    }
}

/// A map whose keys are names that the writer chose, in the order of the file.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(NodeId, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Named<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some((key, value)) = entries.next_entry::<Anything, T>()? {
                    pairs.push((key.node(), value));
                }
                Ok(Named(pairs))
            }
        }

        deserializer.deserialize_map(Pairs(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}ByName", T::schema_name()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

/// One value, or a list of them.
#[derive(Clone, Debug)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A node number tells nothing about the node; the kind decides which visitor method is called.
        struct Either<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value or a list of them")
            }

            fn visit_u32<E: de::Error>(self, number: u32) -> Result<OneOrMany<T>, E> {
                T::deserialize(OneScalar(number, PhantomData)).map(|one| OneOrMany(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<OneOrMany<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(item) = items.next_element()? {
                    many.push(item);
                }
                if many.is_empty() { Err(de::Error::custom("at least one selector")) } else { Ok(OneOrMany(many)) }
            }
        }

        deserializer.deserialize_newtype_struct(SCALAR, Either(PhantomData))
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("OneOrMany{}", T::schema_name()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one.clone(), { "type": "array", "items": one, "minItems": 1 }] })
    }
}

impl<'de, Q: Quantity> Deserialize<'de> for Spread<Q> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either<Q>(PhantomData<Q>);

        impl<'de, Q: Quantity> Visitor<'de> for Either<Q> {
            type Value = Spread<Q>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value or quantiles like `{p50: .., p95: ..}`")
            }

            fn visit_u32<E: de::Error>(self, number: u32) -> Result<Spread<Q>, E> {
                Written::deserialize(OneScalar(number, PhantomData)).map(Spread::Always)
            }

            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Spread<Q>, A::Error> {
                Named::deserialize(de::value::MapAccessDeserializer::new(entries)).map(Spread::Quantiles)
            }
        }

        deserializer.deserialize_newtype_struct(SCALAR, Either(PhantomData))
    }
}

impl<Q: Quantity> JsonSchema for Spread<Q> {
    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("SpreadOf{}", Q::NAME))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Written<Q>>();
        json_schema!({
            "anyOf": [
                one.clone(),
                {
                    "type": "object",
                    "description": "Quantiles: `{p50: .., p95: ..}`.",
                    "patternProperties": { "^p[0-9.]+$": one },
                    "additionalProperties": false,
                    "minProperties": 1
                }
            ]
        })
    }
}

/// A word, or a map with details.
macro_rules! word_or_map {
    ($type:ident: $word:ident or $map:ident($details:ty), $hover:literal, $expecting:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Either;

                impl<'de> Visitor<'de> for Either {
                    type Value = $type;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_u32<E: de::Error>(self, number: u32) -> Result<$type, E> {
                        Written::deserialize(OneScalar(number, PhantomData)).map($type::$word)
                    }

                    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<$type, A::Error> {
                        let details = <$details>::deserialize(de::value::MapAccessDeserializer::new(entries))?;
                        Ok($type::$map(details))
                    }
                }

                deserializer.deserialize_newtype_struct(SCALAR, Either)
            }
        }

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let word = Self::word_schema(generator);
                let details = generator.subschema_for::<$details>();
                json_schema!({ "description": $hover, "anyOf": [word, details] })
            }
        }
    };
}

word_or_map!(
    Inject: Word or Details(Box<Details>),
    "What happens to the calls: a word, or a map with details.",
    "a fault: a word like `revoked`, or a map like `{status: 429}`"
);
word_or_map!(
    Trace: File or Share(TraceShare),
    "A CSV file, or a share of one.",
    "the path of a CSV file, or a map: `{file: .., every: ..}`"
);

impl Inject {
    fn word_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Written<InjectWord>>()
    }
}

impl Trace {
    fn word_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Written<Text>>()
    }
}
