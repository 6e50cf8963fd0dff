//! `backstay new`: a project folder that serves at once.

use crate::Context;
use crate::output::{Colour, Exit};
use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Where and from what.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to make
    folder: PathBuf,
    /// What to start from
    #[arg(long, value_enum, default_value_t = Template::Shop)]
    template: Template,
}

/// What a project starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Template {
    /// The flagship: products, orders with states, reviews by buyers
    Shop,
    /// One type with an owner
    Empty,
}

const SHOP_SCHEMA: &str = include_str!("../../../../examples/shop/schema.graphql");
const SHOP_CONFIG: &str = include_str!("../../../../examples/shop/backstay.toml");

const EMPTY_SCHEMA: &str = r#"# The schema is GraphQL's schema language; you need not know or use GraphQL.
# A type is a table. What `@access` does not allow is denied.

"One row per signed-up account; its id is the account's id."
type User @user @access(read: "this == auth.user", update: "this == auth.user") {
  name: String
  notes: [Note!]!
}

type Note @access(all: "this.owner == auth.user") {
  owner: User! @set(create: "auth.user")
  title: String! @valid(maxLength: 200)
  body: String
  created_at: Timestamp!
}
"#;

const EMPTY_CONFIG: &str =
    "# Roles that rules may name, besides anon, authenticated and service.\nroles = []\n";

const IGNORE: &str = ".backstay/\n.env\n";

/// Makes the folder.
pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let folder = context.dir.join(&args.folder);
    let taken =
        folder.exists() && std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        bail!("{} exists and is not empty", folder.display());
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (schema, config) = match args.template {
        Template::Shop => (SHOP_SCHEMA, SHOP_CONFIG),
        Template::Empty => (EMPTY_SCHEMA, EMPTY_CONFIG),
    };
    write(&folder, "schema.graphql", schema)?;
    write(&folder, "backstay.toml", config)?;
    write(&folder, ".gitignore", IGNORE)?;
    write(&folder, ".graphqlrc.yml", "schema:\n  - schema.graphql\n  - .backstay/directives.graphql\n")?;
    let project = crate::project::Project::open(&folder)?;
    project.write_directives()?;
    let shown = args.folder.display();
    if context.output.json {
        context.output.value(&serde_json::json!({ "folder": folder.display().to_string() }));
    } else {
        context.output.data(&format!("{} {shown}", context.output.paint(Colour::Green, "made")));
        context.output.data(&format!("\nnext:  cd {shown} && backstay dev"));
    }
    Ok(Exit::Ok)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}
