//! Starting, watching and ending other programs, so that none outlives us.
//!
//! Each child leads a process group of its own and writes to a log file. It is ended by id: when its guard is dropped, when
//! we get a signal (every wait returns [`Interrupted`](crate::stop::Interrupted), and the guards run on the way out), and,
//! on Linux, by the kernel should we be killed outright.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::stop;

const POLL: Duration = Duration::from_millis(20);
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// Long enough for what `braid serve` may take to make everything durable.
const GRACE: Duration = Duration::from_secs(32);
const TAIL_LINES: usize = 120;
const TAIL_BYTES: u64 = 64 * 1024;

/// Where a child's words go.
#[derive(Clone, Copy)]
pub enum Output {
    /// Both streams to the log.
    Log,
    /// All streams are ours.
    Ours,
    /// All streams are ours and a person may type: the child stays in our process group, as terminals want it.
    Terminal,
}

/// Which streams the caller has set.
#[derive(Clone, Copy, Default)]
struct Streams {
    stdin_is_set: bool,
    stdout_is_set: bool,
}

/// A child process that is ended when this is dropped.
pub struct Running {
    child: Child,
    name: String,
    log: PathBuf,
    polite_signal: libc::c_int,
    leads_group: bool,
    /// Says nothing where a person could see it.
    quiet: bool,
    ended: Option<ExitStatus>,
}

/// Runs to the end. A failure carries the tail of the log.
pub fn run(command: Command, log: &Path) -> Result<()> {
    run_with_input(command, Stdio::null(), log)
}

/// Waits for the end of something that runs beside. A failure carries the tail of its log.
pub fn finish(mut running: Running) -> Result<()> {
    let status = running.wait()?;
    if !status.success() {
        bail!("{}", failure(&running.name, status, &running.log));
    }
    Ok(())
}

/// Runs to the end with something to read.
pub fn run_with_input(command: Command, input: Stdio, log: &Path) -> Result<()> {
    let mut command = command;
    command.stdin(input);
    let streams = Streams { stdin_is_set: true, ..Streams::default() };
    finish(Running::start_with(command, log, Output::Log, libc::SIGTERM, streams)?)
}

/// Runs to the end and returns what it wrote to its standard output; the rest goes to the log.
pub fn output(mut command: Command, log: &Path) -> Result<String> {
    let stdout_path = log.with_extension("stdout");
    let stdout = File::create(&stdout_path).with_context(|| format!("cannot write {}", stdout_path.display()))?;
    command.stdout(stdout);
    let streams = Streams { stdout_is_set: true, ..Streams::default() };
    let mut running = Running::start_with(command, log, Output::Log, libc::SIGTERM, streams)?;
    let status = running.wait()?;
    let text = fs::read_to_string(&stdout_path).with_context(|| format!("cannot read {}", stdout_path.display()));
    // It may hold keys; nobody needs it after this.
    let _ = fs::remove_file(&stdout_path);
    if !status.success() {
        bail!("{}", failure(&running.name, status, log));
    }
    text
}

/// Whether `command` can be started and ends well; says nothing.
pub fn succeeds(mut command: Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Finds a program on the PATH.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|candidate| candidate.is_file())
}

/// Polls until `ready` gives something, the child ends, time is up or somebody presses Ctrl-C.
pub fn wait_until<T>(running: &mut Running, limit: Duration, mut ready: impl FnMut() -> Option<T>) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = ready() {
            return Ok(value);
        }
        stop::check()?;
        if let Some(status) = running.poll()? {
            bail!("{}", failure(&running.name, status, &running.log));
        }
        if start.elapsed() > limit {
            bail!("{} was not ready after {} s\n{}", running.name, limit.as_secs(), tail(&running.log));
        }
        std::thread::sleep(POLL);
    }
}

impl Running {
    /// `polite_signal` is what the program understands as "please end".
    pub fn start(command: Command, log: &Path, output: Output, polite_signal: libc::c_int) -> Result<Running> {
        Running::start_with(command, log, output, polite_signal, Streams::default())
    }

    fn start_with(
        mut command: Command,
        log: &Path,
        output: Output,
        polite_signal: libc::c_int,
        streams: Streams,
    ) -> Result<Running> {
        stop::check()?;
        let name = name_of(&command);
        let leads_group = match output {
            Output::Log => {
                let file = open_log(log, &command)?;
                if !streams.stdout_is_set {
                    command.stdout(file.try_clone().context("cannot share the log")?);
                }
                if !streams.stdin_is_set {
                    command.stdin(Stdio::null());
                }
                command.stderr(file).process_group(0);
                true
            }
            Output::Ours => {
                command.stdin(Stdio::null()).process_group(0);
                true
            }
            Output::Terminal => false,
        };
        if matches!(output, Output::Log) {
            command.env("NO_COLOR", "1").env_remove("FORCE_COLOR");
        }
        forget_our_package(&mut command);
        die_with_us(&mut command, polite_signal);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        Ok(Running {
            child,
            name,
            log: log.to_path_buf(),
            polite_signal,
            leads_group,
            quiet: matches!(output, Output::Log),
            ended: None,
        })
    }

    /// Waits for the end, with a line a minute that it is still at it.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let start = Instant::now();
        let mut said = 0;
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            stop::check()?;
            let minutes = start.elapsed().as_secs() / SIGN_OF_LIFE.as_secs();
            if minutes > said && self.quiet {
                said = minutes;
                println!("    {} has been running for {minutes} min", self.name);
            }
            std::thread::sleep(POLL);
        }
    }

    /// The status, if it has ended.
    pub fn poll(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().with_context(|| format!("cannot watch {}", self.name))?;
        }
        Ok(self.ended)
    }

    /// Asks it to end and waits; insists after a grace, or at once if we were told to stop twice.
    pub fn stop(&mut self) -> Option<ExitStatus> {
        if let Ok(Some(status)) = self.poll() {
            self.signal_group(libc::SIGKILL); // what it left behind, if anything
            return Some(status);
        }
        self.signal(self.polite_signal);
        let start = Instant::now();
        while start.elapsed() < GRACE && stop::signals() < 2 {
            match self.poll() {
                Ok(None) => std::thread::sleep(POLL),
                Ok(Some(_)) | Err(_) => break,
            }
        }
        if self.ended.is_none() {
            self.signal(libc::SIGKILL);
            self.ended = self.child.wait().ok();
        }
        self.signal_group(libc::SIGKILL);
        self.ended
    }

    fn signal(&self, signal: libc::c_int) {
        if self.leads_group {
            self.signal_group(signal);
        } else {
            // SAFETY: the child has not been waited for, so the id is still its own.
            unsafe { libc::kill(self.child.id().cast_signed(), signal) };
        }
    }

    fn signal_group(&self, signal: libc::c_int) {
        if self.leads_group {
            // SAFETY: a group keeps its id as long as it has a member; without one this fails, harmlessly.
            unsafe { libc::killpg(self.child.id().cast_signed(), signal) };
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Forgets what an earlier run wrote.
pub fn empty_log(log: &Path) -> Result<()> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(log, "").with_context(|| format!("cannot write {}", log.display()))
}

/// The end of a log, for people.
pub fn tail(log: &Path) -> String {
    let text = last_bytes(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(TAIL_LINES);
    let mut shown = format!("---- {} (end)", log.display());
    for line in lines.iter().skip(from) {
        shown.push('\n');
        shown.push_str(line);
    }
    shown.push_str("\n----");
    shown
}

fn last_bytes(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES))).ok()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn failure(name: &str, status: ExitStatus, log: &Path) -> String {
    format!("{name} failed ({status})\n{}", tail(log))
}

fn open_log(log: &Path, command: &Command) -> Result<File> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot write {}", log.display()))?;
    writeln!(file, "$ {}", words_of(command)).with_context(|| format!("cannot write {}", log.display()))?;
    Ok(file)
}

/// The program's name and its first words, as a person would say it.
fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(command.get_program());
    let mut name = program.to_string_lossy().into_owned();
    for word in command.get_args().take(2) {
        let word = word.to_string_lossy();
        if word.starts_with('-') || word.starts_with('/') {
            break;
        }
        name.push(' ');
        name.push_str(&word);
    }
    name
}

/// The command line for the log, without the values of keys.
fn words_of(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    let mut hide = false;
    for word in command.get_args() {
        let word = word.to_string_lossy();
        words.push(if hide { "[redacted]".to_owned() } else { word.clone().into_owned() });
        hide = word.starts_with("--") && word.ends_with("-key");
    }
    words.join(" ")
}

/// `cargo run` describes this package in the environment; a cargo inside would hand that on to build scripts.
fn forget_our_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
}

#[cfg(target_os = "linux")]
fn die_with_us(command: &mut Command, signal: libc::c_int) {
    // SAFETY: prctl is a plain system call and is safe between fork and exec. It counts for the thread that forks, which
    // here is always the main thread.
    unsafe {
        command.pre_exec(move || {
            if libc::prctl(libc::PR_SET_PDEATHSIG, signal as libc::c_ulong) == -1 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_us(_command: &mut Command, _signal: libc::c_int) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_not_reach_the_log() {
        let mut command = Command::new("node");
        command.args(["server.mjs", "--api-key", "secret", "--port", "1"]);
        assert_eq!(words_of(&command), "node server.mjs --api-key [redacted] --port 1");
    }

    #[test]
    fn a_name_is_short() {
        let mut command = Command::new("/usr/bin/npm");
        command.args(["run", "build", "--", "--minify"]);
        assert_eq!(name_of(&command), "npm run build");
    }

    #[test]
    fn a_dropped_child_is_gone_with_its_children() {
        let folder = crate::temporary::TemporaryFolder::new("test").expect("a folder");
        let log = folder.path().join("child.log");
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo grandchild $!; wait"]);
        let mut running = Running::start(command, &log, Output::Log, libc::SIGTERM).expect("starts");
        let grandchild: libc::pid_t = wait_until(&mut running, Duration::from_secs(10), || {
            let text = fs::read_to_string(&log).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix("grandchild "))?;
            line.parse().ok()
        })
        .expect("says its child's id");
        drop(running);
        let start = Instant::now();
        // A killed grandchild stays a zombie until init collects it, so its state is read rather than asked by signal.
        let alive = || fs::read_to_string(format!("/proc/{grandchild}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
        while alive() {
            assert!(start.elapsed() < Duration::from_secs(10), "still alive");
            std::thread::sleep(POLL);
        }
    }
}
