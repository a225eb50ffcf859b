//! The console: how lines are read, what commands print, and what they refuse to do unasked.

use std::{ffi::OsString, sync::Arc};

use paravel::{
    anyhow, clap,
    console::{Command, CommandEntry, Console, Exit, Parsed, Refused, Registry, Stage, parse},
    container::{Container, ContainerBuilder, GraphFault, NoApplication},
};

#[derive(clap::Args)]
pub struct Sail {
    /// The ship's name
    ship: String,
    /// How far
    #[arg(long, default_value_t = 1)]
    leagues: u32,
}

#[derive(serde::Serialize)]
struct Leg {
    ship: String,
    leagues: u32,
    harbours: Vec<&'static str>,
    note: Option<&'static str>,
}

impl Command for Sail {
    const NAME: &'static str = "ship:sail";
    const ABOUT: &'static str = "Sail a ship";
    type Dependencies = (Arc<String>,);

    async fn run(self, (port,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        anyhow::ensure!(self.leagues < 1000, "the world ends there");
        console.line(format!("leaving {port}"));
        let leg = Leg { ship: self.ship, leagues: self.leagues, harbours: vec!["Narrowhaven", "Avra"], note: None };
        Ok(console.rows(&[("Ship", "ship"), ("Harbours", "harbours"), ("Note", "note")], &[leg])?)
    }
}

#[derive(clap::Args)]
struct Anchor {}

impl Command for Anchor {
    const NAME: &'static str = "ship:anchor";
    const ABOUT: &'static str = "Anchor a ship";
    const STAGE: Stage = Stage::Nothing;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        console.success("anchored");
        Ok(())
    }
}

#[derive(clap::Args)]
struct OtherAnchor {}

impl Command for OtherAnchor {
    const NAME: &'static str = "ship:anchor";
    const ABOUT: &'static str = "Anchor a ship otherwise";
    type Dependencies = ();

    async fn run(self, (): (), _: &mut Console) -> anyhow::Result<()> {
        Ok(())
    }
}

fn registry() -> Registry {
    Registry::collect([CommandEntry::of::<Sail>(), CommandEntry::of::<Anchor>()])
}

fn read(line: &[&str]) -> Result<Parsed, Exit> {
    parse(&registry(), ["artisan"].iter().chain(line).map(OsString::from))
}

fn app() -> Container {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new("Narrowhaven".to_owned()));
    app.freeze().unwrap().scope()
}

async fn run(line: &[&str]) -> anyhow::Result<String> {
    let (mut console, written) = Console::memory(line.contains(&"--json"));
    let app = app();
    let parsed = read(line).map_err(|exit| anyhow::anyhow!("{exit:?}"))?;
    app.run(parsed.run(Some(&app), &mut console)).await?;
    Ok(written.text())
}

#[test]
fn a_line_that_is_wrong_is_a_usage_error() {
    for line in [&["ship:sial", "x"][..], &["ship:sail"], &["ship:sail", "x", "--leagues", "far"], &["--nonsense"]] {
        let exit = read(line).err();
        assert_eq!(exit, Some(Exit::Usage), "{line:?}");
    }
    assert_eq!([Exit::Done.code(), Exit::Failed.code(), Exit::Usage.code()], [0, 1, 2]);
}

#[test]
fn help_and_version_are_done_once_printed() {
    for line in [&["--help"][..], &["ship:sail", "--help"], &["help", "ship:sail"], &["--version"]] {
        assert_eq!(read(line).err(), Some(Exit::Done), "{line:?}");
    }
}

#[test]
fn a_line_without_a_command_lists_the_commands() {
    assert_eq!(read(&[]).ok().unwrap().name(), "list");
    assert_eq!(read(&["--json"]).ok().unwrap().name(), "list");
}

#[test]
fn a_parsed_line_says_how_far_the_application_has_to_be_started() {
    assert_eq!(read(&["ship:anchor"]).ok().unwrap().stage(), Stage::Nothing);
    assert_eq!(read(&["ship:sail", "x"]).ok().unwrap().stage(), Stage::Booted);
    assert_eq!(read(&["migrate:status", "--json"]).ok().unwrap().name(), "migrate:status");
}

#[tokio::test]
async fn rows_are_a_table_of_the_named_fields() {
    let text = run(&["ship:sail", "Dawn Treader"]).await.unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(lines, ["leaving Narrowhaven", "Ship Harbours Note", "Dawn Treader Narrowhaven, Avra"]);
    assert!(!text.contains('\x1b'), "no colour where there is no terminal");
}

#[tokio::test]
async fn json_is_all_of_each_row_and_nothing_else() {
    for line in [
        &["ship:sail", "Dawn Treader", "--leagues", "7", "--json"][..],
        &["--json", "ship:sail", "Dawn Treader", "--leagues", "7"],
    ] {
        let value: serde_json::Value = serde_json::from_str(&run(line).await.unwrap()).unwrap();
        let expected = serde_json::json!([
            { "ship": "Dawn Treader", "leagues": 7, "harbours": ["Narrowhaven", "Avra"], "note": null }
        ]);
        assert_eq!(value, expected);
    }
}

#[tokio::test]
async fn a_value_is_its_fields_as_lines_or_an_object() {
    let leg = Leg { ship: "Dawn Treader".to_owned(), leagues: 7, harbours: vec!["Avra"], note: None };
    let (mut text, text_written) = Console::memory(false);
    text.value(&serde_json::json!({ "leg": leg, "n": 1 })).unwrap();
    let expected = ["leg", "  harbours  Avra", "  leagues   7", "  note      ", "  ship      Dawn Treader", "n    1"];
    assert_eq!(text_written.text().lines().collect::<Vec<_>>(), expected);
    let (mut json, json_written) = Console::memory(true);
    json.line("prose goes to standard error");
    json.value(&leg).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&json_written.text()).unwrap().is_object());
}

#[tokio::test]
async fn a_commands_error_is_returned_as_it_is() {
    let error = run(&["ship:sail", "x", "--leagues", "1000"]).await.unwrap_err();
    assert_eq!(error.to_string(), "the world ends there");
}

#[tokio::test]
async fn a_command_without_dependencies_runs_without_an_application() {
    let (mut console, written) = Console::memory(false);
    read(&["ship:anchor"]).ok().unwrap().run(None, &mut console).await.unwrap();
    assert_eq!(written.text(), "anchored\n");
    let error = read(&["ship:sail", "x"]).ok().unwrap().run(None, &mut console).await.unwrap_err();
    assert!(error.is::<NoApplication>());
}

#[test]
fn what_cannot_be_undone_is_refused_in_production_where_nobody_can_be_asked() {
    let (mut console, _) = Console::memory(false);
    let refused = console.guard("Drop every table", true, false).unwrap_err();
    assert!(matches!(refused, Refused::NoTerminal { .. }));
    let text =
        "Drop every table? In production that has to be confirmed, and there is no terminal to ask on: pass --force";
    assert_eq!(refused.to_string(), text);
    console.guard("Drop every table", true, true).unwrap();
    console.guard("Drop every table", false, false).unwrap();
}

#[test]
fn two_commands_of_one_name_are_a_fault() {
    let registry = Registry::collect([CommandEntry::of::<Anchor>(), CommandEntry::of::<OtherAnchor>()]);
    let expected = GraphFault::DuplicateName("two commands are called `ship:anchor`".to_owned());
    assert_eq!(registry.faults(), [expected]);
    assert!(self::registry().faults().is_empty(), "the toolkit's own have a name each");
}

#[test]
fn commands_are_listed_by_name_and_are_roots_of_the_graph() {
    let registry = registry();
    let names: Vec<_> = registry.commands().iter().map(|command| command.name).collect();
    assert!(names.is_sorted() && names.contains(&"ship:sail") && names.contains(&"migrate"), "{names:?}");
    let root = registry.roots().find(|root| root.name == "ship:sail").unwrap();
    assert_eq!((root.kind, root.dependencies[0].key.to_string().as_str()), ("command", "String"));
}

#[tokio::test]
async fn completions_name_the_commands() {
    let (mut console, written) = Console::memory(false);
    read(&["completions", "bash"]).ok().unwrap().run(None, &mut console).await.unwrap();
    assert!(written.text().contains("ship:anchor"));
}
