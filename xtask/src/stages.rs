//! Which stages there are, in which order they run, and what each needs from the machine.

use crate::packages::Tool;

/// One step of `cargo xtask test`, cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Tidy,
    Fmt,
    Clippy,
    Rust,
    Simulation,
    Sdk,
    Demo,
    Clients,
    Openapi,
    Console,
    Browser,
}

impl Stage {
    pub const ALL: [Stage; 11] = [
        Stage::Tidy,
        Stage::Fmt,
        Stage::Clippy,
        Stage::Rust,
        Stage::Simulation,
        Stage::Sdk,
        Stage::Demo,
        Stage::Clients,
        Stage::Openapi,
        Stage::Console,
        Stage::Browser,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Stage::Tidy => "tidy",
            Stage::Fmt => "fmt",
            Stage::Clippy => "clippy",
            Stage::Rust => "rust",
            Stage::Simulation => "simulation",
            Stage::Sdk => "sdk",
            Stage::Demo => "demo",
            Stage::Clients => "clients",
            Stage::Openapi => "openapi",
            Stage::Console => "console",
            Stage::Browser => "browser",
        }
    }

    pub fn tools(self) -> &'static [Tool] {
        match self {
            Stage::Tidy | Stage::Fmt | Stage::Clippy => &[],
            Stage::Rust | Stage::Simulation => &[Tool::PostgresServer],
            Stage::Sdk | Stage::Demo | Stage::Openapi | Stage::Console => &[Tool::Node],
            Stage::Clients => &[Tool::Node, Tool::Chromium, Tool::Python],
            Stage::Browser => &[Tool::Node, Tool::Chromium, Tool::Fonts],
        }
    }

    /// What is run while writing: no Node, no browser.
    fn is_quick(self) -> bool {
        matches!(self, Stage::Tidy | Stage::Fmt | Stage::Clippy | Stage::Rust)
    }
}

/// The stages to run, always in the order of [`Stage::ALL`]. `only` is a list of names with commas between them.
pub fn plan(quick: bool, only: Option<&str>) -> Result<Vec<Stage>, String> {
    let mut chosen = Vec::new();
    if let Some(only) = only {
        for name in only.split(',').map(str::trim) {
            match Stage::ALL.into_iter().find(|stage| stage.name() == name) {
                Some(stage) => chosen.push(stage),
                None => {
                    let known = Stage::ALL.map(Stage::name).join(", ");
                    return Err(format!("there is no stage `{name}`; there are {known}"));
                }
            }
        }
    } else {
        chosen.extend(Stage::ALL);
    }
    let planned: Vec<Stage> = Stage::ALL
        .into_iter()
        .filter(|stage| chosen.contains(stage))
        .filter(|stage| !quick || stage.is_quick())
        .collect();
    if planned.is_empty() {
        return Err("--quick leaves none of the stages named by --only".to_owned());
    }
    Ok(planned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(planned: &[Stage]) -> Vec<&'static str> {
        planned.iter().map(|stage| stage.name()).collect()
    }

    #[test]
    fn everything_runs_unless_told_otherwise() {
        let planned = plan(false, None).expect("a plan");
        assert_eq!(planned, Stage::ALL);
    }

    #[test]
    fn quick_needs_no_node() {
        let planned = plan(true, None).expect("a plan");
        assert_eq!(names(&planned), ["tidy", "fmt", "clippy", "rust"]);
        assert!(planned.iter().all(|stage| !stage.tools().contains(&Tool::Node)));
    }

    #[test]
    fn only_keeps_the_order_and_drops_repeats() {
        let planned = plan(false, Some("console, tidy,tidy")).expect("a plan");
        assert_eq!(names(&planned), ["tidy", "console"]);
    }

    #[test]
    fn unknown_stages_and_empty_plans_are_refused() {
        assert!(plan(false, Some("lint")).expect_err("unknown").contains("`lint`"));
        assert!(plan(true, Some("browser")).is_err());
    }
}
