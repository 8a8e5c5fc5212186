//! Whether LiteLLM knows a setting at all, for whoever names one by its path.

use router_core::Release;

use super::known::{self, Section};
use crate::problem::did_you_mean;

/// Whether a path leads to something that LiteLLM reads: `router_settings.num_retries`,
/// `model_list.0.litellm_params.weight`. What lies deeper is not looked at.
///
/// # Errors
/// What is wrong with it, and what may be meant.
pub fn known_setting(path: &[String], release: Release) -> Result<(), (String, String)> {
    const SECTIONS: [(&str, Section); 3] = [
        ("router_settings", Section::RouterSettings),
        ("litellm_settings", Section::LitellmSettings),
        ("general_settings", Section::GeneralSettings),
    ];
    const WITHIN: [(&str, Section); 2] =
        [("litellm_params", Section::LitellmParams), ("model_info", Section::ModelInfo)];
    let key = |index: usize| path.get(index).map(String::as_str);
    let unfinished = |remedy: &str| Err((format!("`{}` is no setting", path.join(".")), remedy.to_owned()));
    let Some(first) = key(0) else { return unfinished("name one: `router_settings.num_retries`") };
    if first == "model_list" {
        return match (key(2), key(3)) {
            (Some(within), Some(name)) => match WITHIN.iter().find(|(known, _)| *known == within) {
                Some((_, section)) => check(*section, &format!("{first}.N.{within}"), name, release),
                None => {
                    let near = did_you_mean(within, WITHIN.map(|(name, _)| name)).unwrap_or("litellm_params");
                    unfinished(&format!("did you mean `{first}.N.{near}.{name}`?"))
                }
            },
            _ => unfinished("name a parameter of a deployment: `model_list.0.litellm_params.weight`"),
        };
    }
    match SECTIONS.iter().find(|(known, _)| *known == first) {
        Some((name, section)) => match key(1) {
            Some(setting) => check(*section, name, setting, release),
            None => unfinished(&format!("name a key below it: `{name}.num_retries`")),
        },
        None => {
            let mut remedy = did_you_mean(first, SECTIONS.map(|(name, _)| name).into_iter().chain(["model_list"]))
                .map(|near| format!("did you mean `{near}`?"));
            if remedy.is_none() {
                let home = SECTIONS.iter().find(|(_, section)| known::is_known(*section, first, release));
                remedy = home.map(|(name, _)| format!("did you mean `{name}.{first}`?"));
            }
            let remedy =
                remedy.unwrap_or_else(|| "begin with router_settings, litellm_settings or model_list".to_owned());
            Err((format!("LiteLLM reads no `{first}` at the top of a config"), remedy))
        }
    }
}

fn check(section: Section, place: &str, name: &str, release: Release) -> Result<(), (String, String)> {
    if known::is_known(section, name, release) {
        return Ok(());
    }
    let remedy = known::nearest(section, name, release).map_or_else(
        || "routedrill lint shows where LiteLLM reads what".to_owned(),
        |near| format!("did you mean `{place}.{near}`?"),
    );
    Err((format!("LiteLLM {release} does not read `{name}` under {place}"), remedy))
}
