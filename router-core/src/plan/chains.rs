//! Fallback lists, and which chain a name finds in them.

use super::names::Names;
use super::provider;
use crate::config::{Config, FallbackEntry, FallbackTarget, RequestParams};
use crate::ids::{NameId, TagId};
use crate::input::{Params, RequestLists, Target};
use crate::note::FallbackList;
use crate::rules::{Release, Rules};

/// The three configured fallback lists, looked up for every name once and for all.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Chains {
    /// All chains of targets.
    chains: Vec<Vec<Target>>,
    /// `fallbacks` together with `default_fallbacks`.
    pub(crate) fallbacks: List,
    /// `context_window_fallbacks`.
    pub(crate) context_window: List,
    /// `content_policy_fallbacks`.
    pub(crate) content_policy: List,
    /// Those that requests bring along.
    pub(crate) of_requests: Vec<List>,
    /// The first model of the first `*` chain, which also stands in for names that nobody serves.
    pub(crate) first_default: Option<NameId>,
    /// That first one is a map instead, which LiteLLM cannot look up.
    pub(crate) default_is_map: bool,
}

/// One list.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct List {
    /// Somebody wrote it, be it empty. LiteLLM tells a list without entries from no list.
    pub(crate) is_set: bool,
    /// It has no entry at all.
    pub(crate) is_empty: bool,
    /// What each name finds, by name.
    found: Vec<Option<Found>>,
}

/// A chain that a name finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    /// The chain.
    pub(crate) chain: ChainId,
    /// It belongs to the name itself, not to everybody (`*`).
    pub(crate) specific: bool,
}

/// A chain in the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ChainId(u32);

impl Chains {
    /// The lists of `config`. Their names are interned; call [`Chains::look_up`] when all names are known.
    pub(super) fn new(config: &Config, names: &mut Names, labels: (&mut Names, &mut Names)) -> (Self, Written) {
        let (router, litellm) = (&config.router_settings, &config.litellm_settings);
        let mut builder =
            Builder { chains: Vec::new(), names, tags: labels.0, regions: labels.1, maps: Names::default() };
        let mut fallbacks = builder.list(set(&router.fallbacks, &litellm.fallbacks));
        let defaults = router.default_fallbacks.as_ref().or(litellm.default_fallbacks.as_ref());
        if let Some(defaults) = defaults.filter(|defaults| !defaults.is_empty()) {
            let targets = defaults.iter().map(|name| FallbackTarget::Name(name.clone())).collect();
            let star = builder.entry(&FallbackEntry { group: "*".to_owned(), targets });
            fallbacks.get_or_insert_default().push(star);
        }
        let context_window = builder.list(set(&router.context_window_fallbacks, &litellm.context_window_fallbacks));
        let content_policy = builder.list(set(&router.content_policy_fallbacks, &litellm.content_policy_fallbacks));
        let of_requests =
            config.request_lists.iter().map(|list| (list.typed, builder.list(Some(&list.entries)))).collect();
        let chains = builder.chains;
        let stars = fallbacks.iter().flatten().filter(|(key, _)| key == "*");
        let first = stars.filter_map(|&(_, chain)| chains[chain.0 as usize].first()).next();
        let is_map = |target: &&Target| target.params.is_some() || target.map.is_some();
        let first_default = first.filter(|target| !is_map(target)).and_then(|target| target.model);
        let default_is_map = first.is_some_and(|target| is_map(&target));
        let unresolved = Self {
            chains,
            fallbacks: List::default(),
            context_window: List::default(),
            content_policy: List::default(),
            of_requests: Vec::new(),
            first_default,
            default_is_map,
        };
        (unresolved, Written { fallbacks, context_window, content_policy, of_requests })
    }

    /// Looks every name up in every list.
    pub(super) fn look_up(&mut self, written: Written, names: &Names, rules: &Rules) {
        let list = |entries: Option<Entries>, full: bool| {
            let is_set = entries.is_some();
            let entries = entries.unwrap_or_default();
            let found = (0..names.len()).map(|id| look_up(names.text(id as u32), &entries, full, rules)).collect();
            List { is_set, is_empty: entries.is_empty(), found }
        };
        self.fallbacks = list(written.fallbacks, true);
        self.context_window = list(written.context_window, rules.typed_lists_know_star);
        self.content_policy = list(written.content_policy, rules.typed_lists_know_star);
        let thorough = |typed: bool| !typed || rules.typed_lists_know_star;
        let of_requests = written.of_requests.into_iter();
        self.of_requests = of_requests.map(|(typed, entries)| list(entries, thorough(typed))).collect();
    }

    /// The targets of a chain.
    pub(crate) fn targets(&self, chain: ChainId) -> &[Target] {
        &self.chains[chain.0 as usize]
    }

    /// The list of a kind, if it is one that names are looked up in: the request's, else the configured one.
    pub(crate) fn list(&self, list: FallbackList, of_request: RequestLists) -> Option<&List> {
        let (own, configured) = match list {
            FallbackList::Fallbacks | FallbackList::Default => (of_request.fallbacks, &self.fallbacks),
            FallbackList::ContextWindow => (of_request.context_window, &self.context_window),
            FallbackList::ContentPolicy => (of_request.content_policy, &self.content_policy),
            FallbackList::Request | FallbackList::Order | FallbackList::WeightedFailover => return None,
        };
        Some(own.and_then(|own| self.of_requests.get(own as usize)).unwrap_or(configured))
    }
}

impl List {
    /// What `name` finds.
    pub(crate) fn find(&self, name: NameId) -> Option<Found> {
        self.found.get(name.index()).copied().flatten()
    }
}

/// Entries as written: the key, and the chain made of the targets.
type Entries = Vec<(String, ChainId)>;

/// The three lists as written, `None` where nobody wrote one.
pub(super) struct Written {
    fallbacks: Option<Entries>,
    context_window: Option<Entries>,
    content_policy: Option<Entries>,
    of_requests: Vec<(bool, Option<Entries>)>,
}

/// Which of the two places sets a list. LiteLLM: an empty list in `router_settings` counts as none.
fn set<'a>(
    router: &'a Option<Vec<FallbackEntry>>,
    litellm: &'a Option<Vec<FallbackEntry>>,
) -> Option<&'a Vec<FallbackEntry>> {
    router.as_ref().filter(|list| !list.is_empty()).or(litellm.as_ref())
}

/// The entry of a fallback list, by its place, that LiteLLM takes for a name when the list has these keys.
pub fn fallback_entry_of<'k>(
    name: &str,
    keys: impl IntoIterator<Item = &'k str>,
    list: FallbackList,
    release: Release,
) -> Option<usize> {
    let rules = release.rules();
    let typed = matches!(list, FallbackList::ContextWindow | FallbackList::ContentPolicy);
    entry_of(name, keys, !typed || rules.typed_lists_know_star, &rules).map(|(index, _)| index)
}

/// LiteLLM: `get_fallback_model_group`. An exact key ends the search; otherwise the last key that is the name without
/// or with its provider's prefix; otherwise the last `*`. With the entry's place comes whether its key is more than `*`.
fn entry_of<'k>(
    name: &str,
    keys: impl IntoIterator<Item = &'k str>,
    full: bool,
    rules: &Rules,
) -> Option<(usize, bool)> {
    let bare = provider::split(name).map(|(prefix, _)| name.replace(&format!("{prefix}/"), ""));
    let prefixed = provider::inferred(name)
        .filter(|_| rules.finds_prefixed_keys && !name.contains('/'))
        .map(|provider| format!("{provider}/{name}"));
    let (mut by_prefix, mut star) = (None, None);
    for (index, key) in keys.into_iter().enumerate() {
        if key == name {
            return Some((index, key != "*"));
        } else if full && [&bare, &prefixed].into_iter().flatten().any(|other| other == key) {
            by_prefix = Some((index, true));
        } else if full && key == "*" {
            star = Some((index, false));
        }
    }
    by_prefix.or(star)
}

/// What a name finds in the entries of a list.
fn look_up(name: &str, entries: &Entries, full: bool, rules: &Rules) -> Option<Found> {
    let (index, specific) = entry_of(name, entries.iter().map(|(key, _)| key.as_str()), full, rules)?;
    entries.get(index).map(|&(_, chain)| Found { chain, specific })
}

struct Builder<'a> {
    chains: Vec<Vec<Target>>,
    names: &'a mut Names,
    tags: &'a mut Names,
    regions: &'a mut Names,
    /// The texts of targets that are maps.
    maps: Names,
}

impl Builder<'_> {
    fn list(&mut self, entries: Option<&Vec<FallbackEntry>>) -> Option<Entries> {
        entries.map(|entries| entries.iter().map(|entry| self.entry(entry)).collect())
    }

    fn entry(&mut self, entry: &FallbackEntry) -> (String, ChainId) {
        self.names.intern(&entry.group);
        let targets = entry.targets.iter().map(|target| self.target(target)).collect();
        self.chains.push(targets);
        (entry.group.clone(), ChainId(self.chains.len() as u32 - 1))
    }

    fn target(&mut self, target: &FallbackTarget) -> Target {
        match target {
            FallbackTarget::Name(name) => Target { model: Some(self.names.intern_name(name)), map: None, params: None },
            FallbackTarget::Map { model, text, params } => {
                // A map with nothing but a model is the same target as the bare name.
                let only_a_model = model.is_some() && text.matches(':').count() == 1 && !text.contains(',');
                Target {
                    model: model.as_ref().map(|model| self.names.intern_name(model)),
                    map: (!only_a_model).then(|| self.maps.intern(text)),
                    params: Some(Box::new(self.params(params))),
                }
            }
        }
    }

    fn params(&mut self, params: &RequestParams) -> Params {
        Params {
            num_retries: params.num_retries,
            max_retries: params.max_retries,
            timeout: params.timeout,
            request_timeout: params.request_timeout,
            stream_timeout: params.stream_timeout,
            fallbacks: params
                .fallbacks
                .as_ref()
                .map(|targets| targets.iter().map(|target| self.target(target)).collect()),
            lists: RequestLists::default(),
            disable_fallbacks: params.disable_fallbacks.unwrap_or(false),
            tags: params.tags.iter().map(|tag| TagId(self.tags.intern(tag))).collect(),
            region: params.region.as_deref().map(|region| self.regions.intern(region)),
        }
    }
}
