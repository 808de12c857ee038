//! The log: readable lines or JSON on stderr.
use server::config::Config;
use tracing_subscriber::EnvFilter;

/// Starts the log by the settings; a second start in one process changes nothing.
pub fn start(config: &Config) {
    let filter = EnvFilter::try_new(format!("{0},hyper=warn,tokio_postgres=warn", config.log_level));
    let filter = filter.unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let _ = match config.log_format.as_str() {
        "json" => builder.json().try_init(),
        _ => builder.with_target(false).with_ansi(colours()).try_init(),
    };
}

fn colours() -> bool {
    use std::io::IsTerminal;
    std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}
