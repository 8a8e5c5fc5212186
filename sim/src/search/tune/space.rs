//! The settings that vary, what is written for them now, and every way to set them.

use router_core::{Config, Release};

use super::corpus::Corpus;
use super::vary::{Level, Vary};
use crate::litellm::lint::{Choice, lint};
use crate::litellm::{self, Mapping, Node, Options, Severity, Value, edited, known_setting, written};
use crate::problem::{Problem, Problems};
use crate::scenario::Patch;
use crate::source::Source;

/// A setting that varies.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its path as reports show it.
    pub name: String,
    /// The values that are tried.
    pub levels: Vec<Level>,
    /// What the config says now; `None`: nothing, LiteLLM's default holds.
    pub written: Option<String>,
    /// Which level that is.
    pub current: Option<usize>,
    /// Where it stands: several places when its path has a `*`.
    paths: Vec<Vec<String>>,
}

/// One way to set the parameters: by parameter, the place of its level, or `None` for what the config says now.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Point(pub Vec<Option<u16>>);

/// Every way to set the parameters.
#[derive(Clone, Debug)]
pub struct Space {
    /// What varies.
    pub params: Vec<Param>,
    config: Source,
    options: Options,
    /// Ids of the deployments as the config derives them. A changed setting would change them, and with them which
    /// random numbers a deployment gets.
    ids: Vec<Patch>,
}

impl Point {
    /// How many settings differ from the config.
    pub fn changes(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The config as it is.
    pub fn is_current(&self) -> bool {
        self.changes() == 0
    }
}

impl Space {
    /// Looks every setting up.
    ///
    /// # Errors
    /// Everything that is wrong with them: no such path, values that LiteLLM does not take, settings that the scenarios
    /// set themselves, settings that change nothing.
    pub fn new(varies: Vec<Vary>, corpus: &Corpus) -> Result<Self, Problems> {
        let options = Options { release: corpus.release, ..Options::default() };
        let root = litellm::parse(&corpus.config)?.root;
        let base = litellm::read_source(&corpus.config, &options)?;
        let mut space =
            Self { params: Vec::new(), config: corpus.config.clone(), options, ids: ids(&root, &base.config) };
        let mut problems = Problems::new();
        let known: Vec<(&str, String)> = base.findings.iter().map(|one| (one.rule.name, one.path.clone())).collect();
        for vary in varies {
            let name = format!("--vary {}", vary.text);
            let problem = |message: String, remedy: String| Problem::of_file(&name, message, remedy);
            match space.param(&vary, &root, corpus.release) {
                Err((message, remedy)) => problems.push(problem(message, remedy)),
                Ok(param) if space.params.iter().any(|other| overlap(&other.paths, &param.paths)) => {
                    problems.push(problem("this setting varies twice".to_owned(), "name it once".to_owned()));
                }
                Ok(param) => {
                    for case in corpus.cases.iter().filter(|case| sets(&case.patches, &param.paths)) {
                        let message = format!("the scenario {} sets it by itself", case.path);
                        problems.push(problem(message, "take it out of there, or do not vary it".to_owned()));
                    }
                    space.params.push(param);
                    if let Some((message, remedy)) = space.refused(&known, &base.config) {
                        problems.push(problem(message, remedy));
                    }
                }
            }
        }
        problems.or(space)
    }

    fn param(&self, vary: &Vary, root: &Node, release: Release) -> Result<Param, (String, String)> {
        let paths = resolve(root, &vary.path)?;
        if let Some(first) = paths.first() {
            known_setting(first, release)?;
        }
        let now: Vec<Option<&Node>> = paths.iter().map(|path| at(root, path)).collect();
        let now = now.first().copied().flatten().filter(|_| now.iter().all(|other| same(*other, now[0])));
        let written_now = now.filter(|node| !node.is_null()).map(|node| written(&node.value));
        let mut levels = vary.levels.clone();
        // What is written now is tried among the others when it lies between them.
        let number = |level: &Level| level.number_value();
        let value = now.and_then(|node| match node.value {
            Value::Int(value) => Some(value as f64),
            Value::Float(value) => Some(value),
            _ => None,
        });
        let same_value = |level: &Level, value: f64| number(level) == Some(value);
        if let (Some(value), Some(node)) = (value, now)
            && !levels.iter().any(|level| same_value(level, value))
            && let Some(above) = levels.iter().position(|level| number(level).is_some_and(|other| other > value))
            && above > 0
        {
            let value = Node { span: 0..0, value: node.value.clone() };
            levels.insert(above, Level { label: written(&value.value), value });
        }
        let current = levels.iter().position(|level| match value {
            Some(value) => same_value(level, value),
            None => written_now.as_ref() == Some(&level.label),
        });
        let name = shown(&vary.path);
        Ok(Param { name, levels, written: written_now, current, paths })
    }

    /// What LiteLLM has against the values of the newest parameter, or that nothing depends on it.
    fn refused(&self, known: &[(&str, String)], base: &Config) -> Option<(String, String)> {
        let index = self.params.len().checked_sub(1)?;
        let param = &self.params[index];
        let mut matters = false;
        for (place, level) in param.levels.iter().enumerate() {
            let mut point = self.current();
            point.0[index] = Some(place as u16);
            let mut failed = None;
            let read = litellm::read_changed(&self.config, &self.options, |root| {
                failed = self.patches(&point).iter().find_map(|patch| patch.apply(root).err());
            });
            if let Some(complaint) = failed {
                return Some((complaint.message, complaint.help.unwrap_or_default()));
            }
            let read = match read {
                Ok(read) => read,
                Err(problems) => {
                    let first = problems.iter().next()?;
                    return Some((format!("with {}: {}", level.label, first.message), first.remedy.clone()));
                }
            };
            let new = read
                .findings
                .iter()
                .find(|one| one.rule.severity != Severity::Note && !known.contains(&(one.rule.name, one.path.clone())));
            if let Some(finding) = new {
                return Some((format!("with {}: {}", level.label, finding.message), finding.remedy.clone()));
            }
            matters |= Some(place) == param.current || unnamed(&read.config) != unnamed(base);
        }
        // One level may well be what holds anyway; all of them cannot be.
        let changes = matters && (param.levels.len() > 1 || param.current.is_none());
        (!changes).then(|| {
            let message = "nothing that routedrill models depends on it".to_owned();
            (message, "vary a setting that routing reads: retries, timeouts, cooldowns, weights, limits".to_owned())
        })
    }

    /// The config as it is.
    pub fn current(&self) -> Point {
        Point(vec![None; self.params.len()])
    }

    /// The point with these levels; a level that the config has already is no change.
    pub fn point(&self, levels: &[usize]) -> Point {
        let pairs = levels.iter().zip(&self.params);
        Point(pairs.map(|(&level, param)| (param.current != Some(level)).then_some(level as u16)).collect())
    }

    /// How many ways there are.
    pub fn size(&self) -> u64 {
        self.params.iter().fold(1, |size, param| size.saturating_mul(param.levels.len() as u64))
    }

    /// What a parameter is at a point, as a config has it; `None`: LiteLLM's default holds.
    pub fn label(&self, point: &Point, param: usize) -> Option<&str> {
        let Param { levels, written, .. } = &self.params[param];
        match point.0[param] {
            Some(level) => Some(&levels[level as usize].label),
            None => written.as_deref(),
        }
    }

    /// The changes of a point, for a scenario's config.
    pub fn patches(&self, point: &Point) -> Vec<Patch> {
        let changes = self.changes(point).into_iter().map(|(path, value)| patch(&path, value));
        changes.chain(self.ids.iter().cloned()).collect()
    }

    /// The changes of a point: where, and what.
    pub fn changes(&self, point: &Point) -> Vec<(Vec<String>, Value)> {
        let chosen = point.0.iter().zip(&self.params);
        let values =
            chosen.filter_map(|(level, param)| Some((param, &param.levels[level.as_ref().copied()? as usize])));
        values
            .flat_map(|(param, level)| param.paths.iter().map(|path| (path.clone(), level.value.value.clone())))
            .collect()
    }

    /// The text of the config with a point's settings, comments kept; `None` when it is written in a way that cannot be
    /// changed in these places alone.
    pub fn edited(&self, point: &Point) -> Option<String> {
        edited(&self.config, &self.changes(point))
    }

    /// What `lint` says about the config with a point's settings that it does not say about the config as it is.
    pub fn new_findings(&self, text: &str) -> Vec<String> {
        let found = |source: &Source| {
            let linted = lint(source, &self.options, &Choice::default());
            linted.map(|linted| linted.findings).unwrap_or_default()
        };
        let before = found(&self.config);
        let after = found(&Source::new(self.config.name(), text));
        let is_new = |one: &&litellm::Finding| {
            one.rule.severity != Severity::Note
                && !before.iter().any(|other| other.rule.name == one.rule.name && other.path == one.path)
        };
        after.iter().filter(is_new).map(|one| format!("{}: {}", one.rule.name, one.message)).collect()
    }
}

/// A change as scenarios write it. Keys with a dot in them are set through the map above them.
fn patch(path: &[String], value: Value) -> Patch {
    let dotted = path.iter().position(|key| key.contains('.')).unwrap_or(path.len());
    let inner = path[dotted..].iter().rev().fold(Node { span: 0..0, value }, |inner, key| {
        let mut map = Mapping::default();
        map.set(Value::Text(key.clone()), inner);
        Node { span: 0..0, value: Value::Mapping(map) }
    });
    Patch { path: path[..dotted].join("."), value: inner }
}

/// The path as people write it.
fn shown(path: &[String]) -> String {
    path.join(".")
}

/// The value at a path.
fn at<'a>(root: &'a Node, path: &[String]) -> Option<&'a Node> {
    path.iter().try_fold(root, |node, segment| match &node.value {
        Value::Sequence(items) => items.get(segment.parse::<usize>().ok()?),
        _ => node.get(segment),
    })
}

fn same(a: Option<&Node>, b: Option<&Node>) -> bool {
    a.map(|node| &node.value) == b.map(|node| &node.value)
}

fn is_within(a: &[String], b: &[String]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

fn overlap(a: &[Vec<String>], b: &[Vec<String>]) -> bool {
    a.iter().any(|a| b.iter().any(|b| is_within(a, b)))
}

/// Whether a scenario's own changes touch one of these settings.
fn sets(patches: &[Patch], paths: &[Vec<String>]) -> bool {
    patches.iter().any(|patch| {
        let own: Vec<String> = patch.path.split('.').map(str::to_owned).collect();
        // A map is laid over the other: only a key that both have is set by both.
        paths.iter().any(|path| {
            is_within(&own, path)
                && (own.len() >= path.len()
                    || !matches!(patch.value.value, Value::Mapping(_))
                    || at(&patch.value, &path[own.len()..]).is_some())
        })
    })
}

/// The places that a path names. Positions exist, `*` is all of a list, and keys with dots in them are put together.
fn resolve(root: &Node, path: &[String]) -> Result<Vec<Vec<String>>, (String, String)> {
    let mut places: Vec<(Vec<String>, Option<&Node>)> = vec![(Vec::new(), Some(root))];
    let mut index = 0;
    while index < path.len() {
        let mut taken = 1;
        let mut next = Vec::new();
        for (walked, node) in places {
            let segment = &path[index];
            let through = if walked.is_empty() { "the config".to_owned() } else { format!("`{}`", shown(&walked)) };
            let step = |key: String, node| (walked.iter().cloned().chain([key]).collect::<Vec<_>>(), node);
            match node.map(|node| &node.value) {
                Some(Value::Sequence(items)) if segment == "*" => {
                    next.extend(items.iter().enumerate().map(|(at, item)| step(at.to_string(), Some(item))));
                }
                Some(Value::Sequence(items)) => {
                    let item = segment.parse::<usize>().ok().and_then(|at| items.get(at));
                    let Some(item) = item else {
                        let message =
                            format!("{through} is a list of {}, and `{segment}` is no position in it", items.len());
                        return Err((message, "positions count from 0; `*` is all of them".to_owned()));
                    };
                    next.push(step(segment.clone(), Some(item)));
                }
                Some(Value::Mapping(map)) => {
                    let joined = (index + 1..=path.len()).rev().map(|end| (end - index, path[index..end].join(".")));
                    let found = joined.filter_map(|(count, key)| Some((count, key.clone(), map.get(&key)?))).next();
                    match found {
                        Some((count, key, value)) => {
                            taken = count;
                            next.push(step(key, Some(value)));
                        }
                        None => next.push(step(segment.clone(), None)),
                    }
                }
                None | Some(Value::Null) => next.push(step(segment.clone(), None)),
                Some(value) => {
                    let message = format!("{through} is {}, and has no `{segment}` below it", value.kind());
                    return Err((message, "end the path there".to_owned()));
                }
            }
        }
        places = next;
        index += taken;
    }
    Ok(places.into_iter().map(|(path, _)| path).collect())
}

/// Patches that keep the id of each deployment; none where entries and deployments are not one to one.
fn ids(root: &Node, config: &Config) -> Vec<Patch> {
    let entries = root.get("model_list").and_then(Node::as_sequence).unwrap_or_default();
    let plain = |node: &Node| node.get("model_info").is_none_or(|info| info.as_mapping().is_some() || info.is_null());
    if entries.len() != config.model_list.len() || !entries.iter().all(plain) {
        return Vec::new();
    }
    let ids = config.model_list.iter().enumerate().map(|(index, deployment)| Patch {
        path: format!("model_list.{index}.model_info.id"),
        value: Node { span: 0..0, value: Value::Text(deployment.id.clone()) },
    });
    ids.collect()
}

/// A config without the names that are derived from its text.
fn unnamed(config: &Config) -> Config {
    let mut config = config.clone();
    for entry in &mut config.model_list {
        entry.id.clear();
    }
    config
}
