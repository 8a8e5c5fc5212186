//! Reading a tree into typed structs strictly, and reporting everything that does not fit, not only the first.
//!
//! serde stops at the first fault. So the faulty part is reported and covered up, and the rest is read again, until what
//! is left fits. The structs with `deny_unknown_fields` stay the one description of the format: they give the parser,
//! the names to suggest, and the JSON Schema.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::tree::{Kind, NodeId, Tree};
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
            Fault::NotOneKey(_) => entries.iter().any(|&(key, value)| self.hides(key, value)),
            Fault::UnknownKey { .. } | Fault::UnknownWord { .. } | Fault::Misplaced(_) => false,
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
    UnknownKey {
        written: String,
        known: &'static [&'static str],
    },
    UnknownWord {
        written: String,
        known: &'static [&'static str],
    },
    Missing(&'static str),
    NotOneKey(&'static [&'static str]),
    /// What was expected instead.
    Misplaced(String),
}

impl Fault {
    fn words(&self, tree: &Tree, at: NodeId) -> (String, String) {
        match self {
            Self::UnknownKey { written, known } => (format!("unknown key `{written}`"), suggestion(written, known)),
            Self::UnknownWord { written, known } => {
                (format!("`{written}` is not known here"), suggestion(written, known))
            }
            Self::Missing(name) => (format!("the key `{name}` is missing"), format!("add `{name}: ..`")),
            Self::NotOneKey(known) => {
                ("exactly one key belongs here".to_owned(), format!("write one of {}", known.join(", ")))
            }
            Self::Misplaced(expected) => {
                (format!("{} does not belong here", tree.kind_name(at)), format!("expected {expected}"))
            }
        }
    }
}

/// The nearest known name, or all of them.
fn suggestion(written: &str, known: &[&str]) -> String {
    // Whoever gives the config itself has no typing error to mend.
    if known.contains(&"config") && ["model_list", "router_settings", "litellm_settings"].contains(&written) {
        return "this is a LiteLLM config; give a scenario, which names it: `config: THIS-FILE.yaml`".to_owned();
    }
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
        Self::new(Fault::Misplaced(message.to_string()))
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        // What Python and YAML people call a list, serde calls a sequence.
        let expected = expected.to_string().replace("a sequence", "a list");
        Self::new(Fault::Misplaced(expected))
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
pub(super) const SCALAR: &str = "routedrill scalar";
/// The name of a newtype struct that asks for the number of any node.
pub(super) const NODE: &str = "routedrill node";
/// The name of a newtype struct that asks for the number of a node and for what it holds.
pub(super) const LOCATED: &str = "routedrill located";

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
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let Kind::Map(entries) = self.tree.kind(self.id) else { return self.deserialize_any(visitor) };
        let mut seen = entries.iter().filter(|(key, value)| !self.covered.hides(*key, *value));
        match (seen.next(), seen.next()) {
            (Some(&(key, value)), None) => visitor.visit_enum(Variant { key: self.with(key), value: self.with(value) }),
            _ => Err(Misfit::new(Fault::NotOneKey(variants))),
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
        Err(Misfit::new(Fault::Misplaced("the word alone".to_owned())).or_at(self.id))
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

/// Gives the number of a scalar node to a [`Written`] that asks for it.
pub(super) struct OneScalar<E>(pub(super) u32, pub(super) PhantomData<E>);

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
                "9: a list does not belong here; expected a single value",
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
        complains(&GOOD.replace("config: b.yaml\n", ""), &["1: the key `config` is missing; add `config: ..`"]);
        complains(&GOOD.replace("config:", "confg:"), &["2: unknown key `confg`; did you mean `config`?"]);
        complains(
            &GOOD.replace("duration: 1m", "duration: [1m]"),
            &["3: a list does not belong here; expected a single value"],
        );
    }

    #[test]
    fn wrong_shapes_say_what_belongs_there() {
        complains(
            "[1, 2]\n",
            &["1: a list does not belong here; expected a scenario: a map with name, config, duration and traffic"],
        );
        complains(
            &GOOD.replace("{poisson: 20/s}", "20/s"),
            &["6: a single value does not belong here; expected a map with one key: `{poisson: 20/s}`"],
        );
        complains(
            &GOOD.replace("{poisson: 20/s}", "{poison: 20/s}"),
            &["6: `poison` is not known here; did you mean `poisson`?"],
        );
        complains(
            &GOOD.replace("{poisson: 20/s}", "{}"),
            &["6: exactly one key belongs here; write one of poisson, constant, bursts, ramp, closed, trace, requests"],
        );
        complains(
            &GOOD.replace("{poisson: 20/s}", "{poisson: 20/s, constant: 1/s}"),
            &["6: exactly one key belongs here; write one of poisson, constant, bursts, ramp, closed, trace, requests"],
        );
        complains(
            &GOOD.replace("inject: revoked", "inject: [revoked]"),
            &["9: a list does not belong here; expected a fault: a word like `revoked`, or a map like `{status: 429}`"],
        );
        complains(
            &GOOD.replace("traffic:\n", "traffic: {}\nx:\n"),
            &[
                "4: a map does not belong here; expected a list",
                "5: unknown key `x`; known here: name, config, router, patch, litellm, mode, seed, start, duration, drain, \
             replicas, traffic, upstreams, quotas, links, faults, what_if, expect, expect_broken",
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
