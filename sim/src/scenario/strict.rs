//! Reading a tree into typed structs strictly, and reporting everything that does not fit, not only the first.
//!
//! serde stops at the first fault. So the faulty part is reported and covered up, and the rest is read again, until what
//! is left fits. The structs with `deny_unknown_fields` stay the one description of the format: they give the parser,
//! the names to suggest, and the JSON Schema.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::file::{Details, Inject, Spread, Trace, TraceShare};
use super::quantity::{Complaint, Quantity};
pub use super::tree::NodeId;
use super::tree::{Kind, Tree};
use super::word::{InjectWord, Text};
use crate::problem::{Problem, Problems, did_you_mean};
use crate::source::Source;

/// The most problems that are reported of one file. Who has more than this has given the wrong file.
const PROBLEMS_MAX: usize = 100;

/// Reads a tree into `T`, as far as it fits, and says of every part that does not fit why, and which of the `required`
/// keys it lacks. `None` when what is left is no `T`.
pub fn read<T: for<'de> Deserialize<'de>>(
    source: &Source,
    tree: &Tree,
    required: &[&'static str],
    problems: &mut Problems,
) -> Option<T> {
    let mut covered = Covered::default();
    for _ in 0..PROBLEMS_MAX {
        let misfit = match T::deserialize(At { tree, covered: &covered, id: tree.root() }) {
            Ok(value) => {
                for name in required {
                    report(source, tree, &covered, tree.root(), &Fault::Missing(name), problems);
                }
                return Some(value);
            }
            Err(misfit) => misfit,
        };
        let at = misfit.at.unwrap_or_else(|| tree.root());
        report(source, tree, &covered, at, &misfit.fault, problems);
        if let Fault::UnknownKey { written, known } = &misfit.fault
            && let Some(meant) = did_you_mean(written, known.iter().copied())
        {
            covered.meant.insert((misfit.within.unwrap_or_default(), meant));
        }
        if at == tree.root() || !covered.nodes.insert(at) {
            return None;
        }
    }
    None
}

fn report(source: &Source, tree: &Tree, covered: &Covered, at: NodeId, fault: &Fault, problems: &mut Problems) {
    if !covered.explains(tree, at, fault) {
        let (message, remedy) = fault.words(tree, at);
        problems.push(Problem::at(source, tree.span(at), message, remedy));
    }
}

/// What was reported already and is left out of further readings.
#[derive(Default)]
struct Covered {
    nodes: BTreeSet<NodeId>,
    /// A key of that map was probably meant to be this one.
    meant: BTreeSet<(NodeId, &'static str)>,
}

impl Covered {
    fn hides(&self, key: NodeId, value: NodeId) -> bool {
        self.nodes.contains(&key) || self.nodes.contains(&value)
    }

    /// Whether a fault is only the consequence of one that was reported.
    fn explains(&self, tree: &Tree, at: NodeId, fault: &Fault) -> bool {
        let Kind::Map(entries) = tree.kind(at) else { return false };
        match fault {
            // The key is there, whatever is wrong with it; or it is there in another spelling.
            Fault::Missing(name) => {
                entries.iter().any(|(key, _)| tree.text(*key) == *name) || self.meant.contains(&(at, name))
            }
            Fault::NotOneKey => entries.iter().any(|&(key, value)| self.hides(key, value)),
            Fault::UnknownKey { .. } | Fault::UnknownWord { .. } | Fault::Other(_) => false,
        }
    }
}

/// Why a part of a tree does not fit.
#[derive(Debug)]
struct Misfit {
    at: Option<NodeId>,
    /// The map that holds an unknown key.
    within: Option<NodeId>,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    UnknownKey { written: String, known: &'static [&'static str] },
    UnknownWord { written: String, known: &'static [&'static str] },
    Missing(&'static str),
    NotOneKey,
    Other(String),
}

impl Fault {
    fn words(&self, tree: &Tree, at: NodeId) -> (String, String) {
        match self {
            Self::UnknownKey { written, known } => (format!("unknown key `{written}`"), suggestion(written, known)),
            Self::UnknownWord { written, known } => {
                (format!("`{written}` is not known here"), suggestion(written, known))
            }
            Self::Missing(name) => (format!("the key `{name}` is missing"), String::new()),
            Self::NotOneKey => ("exactly one key belongs here".to_owned(), String::new()),
            Self::Other(message) => (format!("{message}, found {}", tree.kind_name(at)), String::new()),
        }
    }
}

/// The nearest known name, or all of them.
fn suggestion(written: &str, known: &[&str]) -> String {
    match did_you_mean(written, known.iter().copied()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

impl Misfit {
    const fn new(fault: Fault) -> Self {
        Self { at: None, within: None, fault }
    }

    /// The innermost place wins: it was there first.
    fn or_at(mut self, id: NodeId) -> Self {
        self.at.get_or_insert(id);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.fault)
    }
}

impl std::error::Error for Misfit {}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Fault::Other(message.to_string()))
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        // What Python and YAML people call a list, serde calls a sequence.
        let expected = expected.to_string().replace("a sequence", "a list");
        Self::new(Fault::Other(format!("expected {expected}")))
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownKey { written: field.to_owned(), known })
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownWord { written: variant.to_owned(), known })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Fault::Missing(field))
    }
}

/// A node to be read.
#[derive(Clone, Copy)]
struct At<'t> {
    tree: &'t Tree,
    covered: &'t Covered,
    id: NodeId,
}

/// The name of a newtype struct that asks for the number of a scalar node.
const SCALAR: &str = "routedrill scalar";
/// The name of a newtype struct that asks for the number of any node.
const NODE: &str = "routedrill node";
/// The name of a newtype struct that asks for the number of a node and for what it holds.
const LOCATED: &str = "routedrill located";

impl<'t> At<'t> {
    const fn with(self, id: NodeId) -> Self {
        Self { id, ..self }
    }

    fn items<'a>(self, ids: &'a [NodeId]) -> Items<'a, 't> {
        Items { at: self, rest: ids.iter() }
    }
}

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let result = match self.tree.kind(self.id) {
            Kind::Scalar(text) => visitor.visit_borrowed_str(text),
            Kind::List(ids) => visitor.visit_seq(self.items(ids)),
            Kind::Map(entries) => visitor.visit_map(Entries { at: self, rest: entries.iter(), value: None }),
        };
        result.map_err(|misfit: Misfit| misfit.or_at(self.id))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Misfit> {
        let scalar = matches!(self.tree.kind(self.id), Kind::Scalar(_));
        if name == NODE || (name == SCALAR && scalar) {
            return visitor.visit_u32(self.id.0);
        }
        match name {
            SCALAR => self.deserialize_any(visitor),
            LOCATED => visitor.visit_seq(Pair { at: self, given: 0 }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    /// serde would take a list for a struct too, by position. Nobody should.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.tree.kind(self.id) {
            Kind::List(_) => Err(Misfit::or_at(de::Error::invalid_type(de::Unexpected::Seq, &visitor), self.id)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Kind::Map(entries) = self.tree.kind(self.id) else { return self.deserialize_any(visitor) };
        let mut seen = entries.iter().filter(|(key, value)| !self.covered.hides(*key, *value));
        match (seen.next(), seen.next()) {
            (Some(&(key, value)), None) => visitor.visit_enum(Variant { key: self.with(key), value: self.with(value) }),
            _ => Err(Misfit::new(Fault::NotOneKey)),
        }
        .map_err(|misfit| misfit.or_at(self.id))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The number of a node, then what it holds.
struct Pair<'t> {
    at: At<'t>,
    given: u8,
}

impl<'de> SeqAccess<'de> for Pair<'de> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        self.given += 1;
        match self.given {
            1 => seed.deserialize(OneScalar(self.at.id.0, PhantomData)).map(Some),
            2 => seed.deserialize(self.at).map(Some),
            _ => Ok(None),
        }
    }
}

struct Items<'a, 't> {
    at: At<'t>,
    rest: std::slice::Iter<'a, NodeId>,
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = Misfit;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        let at = self.at;
        let next = self.rest.find(|id| !at.covered.nodes.contains(id));
        next.map(|&id| seed.deserialize(at.with(id)).map_err(|misfit| misfit.or_at(id))).transpose()
    }
}

struct Entries<'a, 't> {
    at: At<'t>,
    rest: std::slice::Iter<'a, (NodeId, NodeId)>,
    value: Option<NodeId>,
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Misfit;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Misfit> {
        let at = self.at;
        let Some(&(key, value)) = self.rest.find(|(key, value)| !at.covered.hides(*key, *value)) else {
            return Ok(None);
        };
        self.value = Some(value);
        seed.deserialize(at.with(key)).map(Some).map_err(|mut misfit| {
            misfit.within.get_or_insert(at.id);
            misfit.or_at(key)
        })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Misfit> {
        // serde asks for a value only after its key.
        let id = self.value.take().unwrap_or(self.at.id);
        seed.deserialize(self.at.with(id)).map_err(|misfit| misfit.or_at(id))
    }
}

struct Variant<'t> {
    key: At<'t>,
    value: At<'t>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Misfit;
    type Variant = At<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, At<'de>), Misfit> {
        let name: BorrowedStrDeserializer<'de, Misfit> = BorrowedStrDeserializer::new(self.key.tree.text(self.key.id));
        let variant = seed.deserialize(name).map_err(|misfit| misfit.or_at(self.key.id))?;
        Ok((variant, self.value))
    }
}

impl<'de> VariantAccess<'de> for At<'de> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        Err(Misfit::new(Fault::Other("expected the word alone".to_owned())).or_at(self.id))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Misfit> {
        seed.deserialize(self).map_err(|misfit| misfit.or_at(self.id))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_any(visitor)
    }
}

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
                if many.is_empty() {
                    Err(de::Error::custom("expected at least one selector"))
                } else {
                    Ok(OneOrMany(many))
                }
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

/// Gives the number of a scalar node to a [`Written`] that asks for it.
struct OneScalar<E>(u32, PhantomData<E>);

impl<'de, E: de::Error> Deserializer<'de> for OneScalar<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_u32(self.0)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
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

#[cfg(test)]
mod tests {
    use super::super::file::File;
    use super::*;

    const GOOD: &str = "\
name: a
config: b.yaml
duration: 1m
traffic:
  - model: gpt-4
    arrivals: {poisson: 20/s}
    prompt_tokens: {p50: 800, p95: 4k}
faults:
  - {at: 1s, on: all, inject: revoked}
  - at: 2s
    on: [provider:azure, key:K]
    inject: {status: 429, retry_after: 20s}
";

    /// The problems of a text, and whether a file is left of it.
    fn problems(text: &str) -> (Vec<String>, bool) {
        let source = Source::new("s.yaml", text);
        let tree = Tree::read(&source).unwrap_or_else(|problems| panic!("{problems}"));
        let mut problems = Problems::new();
        let file: Option<File> = read(&source, &tree, &File::REQUIRED, &mut problems);
        let shown = problems.into_iter().map(|problem| {
            let line = problem.at.as_ref().map_or(0, |at| at.line);
            format!("{line}: {}; {}", problem.message, problem.remedy)
        });
        (shown.collect(), file.is_some())
    }

    #[track_caller]
    fn complains(text: &str, expected: &[&str]) {
        let (found, _) = problems(text);
        assert_eq!(found, expected);
    }

    #[test]
    fn what_fits_is_read_without_a_word() {
        assert_eq!(problems(GOOD), (Vec::new(), true));
    }

    #[test]
    fn every_misfit_is_reported_and_the_rest_is_still_read() {
        let text = GOOD
            .replace("    prompt_tokens:", "    promt_tokens:")
            .replace("at: 1s, ", "at: [1s], fro: 2s, ")
            .replace("retry_after", "retry_aftr")
            + "expct: 1\n";
        let (found, left) = problems(&text);
        assert_eq!(
            found,
            [
                "7: unknown key `promt_tokens`; did you mean `prompt_tokens`?",
                "9: expected a single value, found a list; ",
                "9: unknown key `fro`; known here: at, for, on, inject, probability, label",
                "12: unknown key `retry_aftr`; did you mean `retry_after`?",
                "13: unknown key `expct`; did you mean `expect`?",
            ]
            .map(str::to_owned)
        );
        assert!(left);
    }

    #[test]
    fn a_missing_key_is_named_unless_a_typo_explains_it() {
        complains(&GOOD.replace("config: b.yaml\n", ""), &["1: the key `config` is missing; "]);
        complains(&GOOD.replace("config:", "confg:"), &["2: unknown key `confg`; did you mean `config`?"]);
        complains(&GOOD.replace("duration: 1m", "duration: [1m]"), &["3: expected a single value, found a list; "]);
    }

    #[test]
    fn wrong_shapes_say_what_belongs_there() {
        complains(
            "[1, 2]\n",
            &["1: expected a scenario: a map with name, config, duration and traffic, found a list; "],
        );
        complains(
            &GOOD.replace("{poisson: 20/s}", "20/s"),
            &["6: expected a map with one key: `{poisson: 20/s}`, found a single value; "],
        );
        complains(
            &GOOD.replace("{poisson: 20/s}", "{poison: 20/s}"),
            &["6: `poison` is not known here; did you mean `poisson`?"],
        );
        complains(&GOOD.replace("{poisson: 20/s}", "{}"), &["6: exactly one key belongs here; "]);
        complains(
            &GOOD.replace("{poisson: 20/s}", "{poisson: 20/s, constant: 1/s}"),
            &["6: exactly one key belongs here; "],
        );
        complains(
            &GOOD.replace("inject: revoked", "inject: [revoked]"),
            &["9: expected a fault: a word like `revoked`, or a map like `{status: 429}`, found a list; "],
        );
        complains(
            &GOOD.replace("traffic:\n", "traffic: {}\nx:\n"),
            &[
                "4: expected a list, found a map; ",
                "5: unknown key `x`; known here: name, config, router, patch, litellm, mode, seed, start, duration, drain, \
             replicas, traffic, upstreams, quotas, links, faults, expect",
            ],
        );
    }

    #[test]
    fn hundreds_of_misfits_come_to_an_end() {
        let text: String = (0..500).map(|number| format!("key{number}: 1\n")).collect();
        let (found, left) = problems(&text);
        assert_eq!((found.len(), left), (PROBLEMS_MAX, false));
    }
}
