//! The page of all rules, for the documentation: the same text as `routedrill lint --explain`.

use routedrill_sim::litellm::rule;

use super::word;

/// Markdown: a table of all rules, and the story of each.
pub fn page() -> String {
    let mut out = String::from(
        "# The rules of `routedrill lint`\n\n\
        <!-- Generated from the rules themselves: `UPDATE_SNAPSHOTS=1 cargo test --test lint`. -->\n\n\
        `routedrill lint --explain RULE` prints one of them. Notes do not fail a run unless `--fail-on note` is given.\n\
        A comment silences a rule for its own line, or for the next one when it stands alone:\n\
        `# routedrill: ignore RULE because REASON`. What `--fix` can mend, it shows as a patch; `--fix --write` writes it.\n\
        Files and functions are those of LiteLLM's own source.\n\n\
        | rule | severity | proxy starts |\n|---|---|---|\n",
    );
    for rule in rule::RULES {
        let starts = if rule.stops_start_up { "no" } else { "yes" };
        out += &format!("| [`{0}`](#{0}) | {1} | {starts} |\n", rule.name, word(rule.severity));
    }
    for rule in rule::RULES {
        out += &format!("\n## {}\n\n{}\n\nSource: {}\n", rule.name, rule.story, rule.source);
    }
    out
}
