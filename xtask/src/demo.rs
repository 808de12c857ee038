//! `cargo xtask demo`: a whole shop on one machine, with real purchases in it: console, shop, till and mailbox.
//!
//! The order matters: the shop and the till need the keys that `braid demo seed` gives, so they start last, but Braid must
//! know their mailbox from the start, so its port is fixed beforehand.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::args::Args;
use crate::braid::{self, Braid, Keys, Profile};
use crate::packages::{self, Tool};
use crate::process;
use crate::stop::{self, BadInput, Interrupted};
use crate::workspace::Workspace;
use crate::{demo_server, node, temporary};

const DEFAULT_PORT: u16 = 8800;
const PURCHASES: &str = "examples/online_retail_ii/year_2009_2010.csv.gz";
/// The data set is of a British shop.
pub const SHOP: [&str; 8] = ["--time-zone", "Europe/London", "--currency", "GBP", "--locale", "en", "--country", "GB"];

/// Where the demo keeps what must survive a restart, beside the shop's own files.
struct DemoFolder {
    shop: PathBuf,
}

struct Ports {
    braid: u16,
    shop: u16,
    mail: u16,
}

pub fn command(mut args: Args) -> Result<()> {
    let port = args.value("--port")?;
    let start_over = args.flag("--fresh");
    // What happens anyway; the word is taken so that scripts can say that they rely on it.
    let keep = args.flag("--keep");
    args.finish()?;
    if start_over && keep {
        return Err(BadInput("--fresh and --keep exclude each other".to_owned()).into());
    }
    let ports = parse_ports(port.as_deref())?;
    let workspace = Workspace::find()?;
    packages::ensure(&[Tool::Node], false, &workspace)?;
    for (port, what) in [(ports.braid, "the console"), (ports.shop, "the shop"), (ports.mail, "mail")] {
        refuse_taken(port, what)?;
    }
    let folder = DemoFolder { shop: workspace.root.join("demo-data") };
    if start_over && folder.shop.exists() {
        fs::remove_dir_all(&folder.shop).context("cannot remove demo-data")?;
    }
    match run(&workspace, &folder, &ports) {
        Err(error) if error.is::<Interrupted>() => {
            println!("\nstopped; `cargo xtask demo` goes on with the same shop");
            Ok(())
        }
        other => other,
    }
}

fn run(workspace: &Workspace, folder: &DemoFolder, ports: &Ports) -> Result<()> {
    for name in ["demo", "demo-braid", "demo-shop"] {
        process::empty_log(&workspace.log(name))?;
    }
    let log = workspace.log("demo");
    let program = build(workspace, &log)?;
    let keys = folder.keys(&program, &log)?;
    folder.live_once(workspace, &program, &log)?;

    step("starting Braid");
    let ready = temporary::TemporaryFolder::new("demo")?;
    let listen = format!("127.0.0.1:{}", ports.braid);
    let environment = [
        ("BRAID_MAIL_SMTP_URL", format!("smtp://127.0.0.1:{}", ports.mail)),
        ("BRAID_MAIL_FROM", "shop@braid.example".to_owned()),
    ];
    let mut braid = Braid::serve(
        &program,
        &folder.shop,
        &listen,
        &ready.path().join("braid"),
        &environment,
        &workspace.log("demo-braid"),
    )?;
    folder.import_once(workspace, &program, &log)?;
    let shop_keys = folder.seed_once(&program, &log)?;

    step("starting the shop, the till and the mailbox");
    let shop_ready = ready.path().join("shop");
    let key = |name: &str| {
        let text = shop_keys[name].as_str().map(str::to_owned);
        text.with_context(|| format!("`braid demo seed` gave no {name}"))
    };
    let setting = demo_server::Setting {
        ports: (ports.shop, ports.mail),
        braid_url: braid.url(),
        shop_write_key: &key("shop_write_key")?,
        till_write_key: &key("till_write_key")?,
        api_key: &key("api_key")?,
        mail_dir: &folder.shop.join("mail"),
        ready: &shop_ready,
    };
    let (mut shop, shop_url) = demo_server::start(workspace, &setting, &workspace.log("demo-shop"))?;
    println!("{}", welcome(braid.url(), &shop_url, &keys));
    loop {
        stop::check()?;
        if let Some(status) = braid.running().poll()? {
            bail!("braid ended by itself ({status})\n{}", process::tail(&workspace.log("demo-braid")));
        }
        if let Some(status) = shop.poll()? {
            bail!("the shop ended by itself ({status})\n{}", process::tail(&workspace.log("demo-shop")));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The console first, since the program embeds it.
fn build(workspace: &Workspace, log: &Path) -> Result<PathBuf> {
    for (folder, what) in [(workspace.console(), "the console"), (workspace.sdk(), "braid.js")] {
        step(&format!("building {what}"));
        node::install(&folder, log)?;
        node::script(&folder, "build", log)?;
    }
    step("building Braid (the first time takes minutes)");
    braid::build(workspace, Profile::Release, log)
}

impl DemoFolder {
    /// The owner's keys: of the shop that is there, or of a new one.
    fn keys(&self, program: &Path, log: &Path) -> Result<Keys> {
        let saved = self.shop.join("credentials.json");
        if saved.is_file() {
            return braid::parse_keys(&read_json(&saved)?);
        }
        if self.shop.exists() {
            let hint = "demo-data is there but has no credentials.json\nhint: cargo xtask demo --fresh starts over";
            return Err(BadInput(hint.to_owned()).into());
        }
        step("making a shop in demo-data");
        let keys = braid::init(program, &self.shop, &SHOP, log)?;
        let owner = json!({"email": keys.email, "password": keys.password});
        let all = json!({"owner": owner, "api_key": keys.api_key, "write_key": keys.write_key});
        write_private(&saved, &all)?;
        Ok(keys)
    }

    /// Catalogue, shops, stock and orders up to now, before the server runs; one that was stopped goes on.
    fn live_once(&self, workspace: &Workspace, program: &Path, log: &Path) -> Result<()> {
        let saved = self.shop.join("retail.json");
        if saved.is_file() {
            return Ok(());
        }
        step("living the newest purchases again as orders");
        let file = workspace.root.join(PURCHASES);
        let words = [OsStr::new("demo"), OsStr::new("retail"), self.shop.as_os_str(), file.as_os_str()];
        let result = braid::json(program, &words, log)?;
        write_private(&saved, &result)
    }

    /// A year of purchases, through the running server.
    fn import_once(&self, workspace: &Workspace, program: &Path, log: &Path) -> Result<()> {
        let saved = self.shop.join("imported.json");
        if saved.is_file() {
            return Ok(());
        }
        step("importing a year of purchases");
        let file = workspace.root.join(PURCHASES);
        let words = [
            OsStr::new("import"),
            self.shop.as_os_str(),
            file.as_os_str(),
            OsStr::new("--preset"),
            OsStr::new("online-retail-ii"),
        ];
        let result = braid::json(program, &words, log)?;
        write_private(&saved, &result)
    }

    /// Names, consents, a segment, a template and a rule; and the keys of shop and till, which are shown only once.
    fn seed_once(&self, program: &Path, log: &Path) -> Result<Value> {
        let saved = self.shop.join("demo-keys.json");
        if saved.is_file() {
            return read_json(&saved);
        }
        step("giving 500 customers a name and an address");
        let words = [OsStr::new("demo"), OsStr::new("seed"), self.shop.as_os_str()];
        let keys = braid::json(program, &words, log)?;
        write_private(&saved, &keys)?;
        Ok(keys)
    }
}

/// Three neighbouring ports: console, shop, mail.
fn parse_ports(port: Option<&str>) -> Result<Ports, BadInput> {
    let first = match port {
        None => DEFAULT_PORT,
        Some(text) => match text.parse::<u16>() {
            Ok(port) if (1..=65_533).contains(&port) => port,
            _ => {
                return Err(BadInput(format!("--port {text}: want a number from 1 to 65533")));
            }
        },
    };
    Ok(Ports { braid: first, shop: first + 1, mail: first + 2 })
}

fn refuse_taken(port: u16, what: &str) -> Result<(), BadInput> {
    match TcpListener::bind(("127.0.0.1", port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(BadInput(format!(
            "port {port}, wanted for {what}, cannot be used: {error}\n\
             hint: stop what listens there, or choose three others: cargo xtask demo --port 9800"
        ))),
    }
}

fn step(what: &str) {
    println!("{what} …");
}

fn welcome(braid_url: &str, shop_url: &str, keys: &Keys) -> String {
    format!(
        "\n  console   {braid_url}\n  shop      {shop_url}/shop/\n  till      {shop_url}/till/\n  mail      {shop_url}/mail/\n\
         \n  sign in   {}   {}\n\n  Ctrl-C stops everything; the data stays in demo-data/",
        keys.email, keys.password
    )
}

fn read_json(path: &Path) -> Result<Value> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// Readable by its owner only: it holds keys.
fn write_private(path: &Path, value: &Value) -> Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    writeln!(file, "{value:#}").with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_neighbours_and_fit() {
        let ports = parse_ports(Some("9000")).expect("fits");
        assert_eq!((ports.braid, ports.shop, ports.mail), (9000, 9001, 9002));
        assert_eq!(parse_ports(None).expect("fits").braid, DEFAULT_PORT);
        assert!(parse_ports(Some("65534")).is_err());
        assert!(parse_ports(Some("http")).is_err());
    }

    #[test]
    fn a_taken_port_is_refused_in_clear_words() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = taken.local_addr().expect("has an address").port();
        let error = refuse_taken(port, "the shop").expect_err("is taken");
        assert!(error.0.contains("wanted for the shop"), "{error}");
        assert!(error.0.contains("hint: "), "{error}");
    }
}
