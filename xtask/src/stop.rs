//! How a command ends early: bad input (2), a signal (130).

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The caller or the machine lacks something; the text says what to do. Exit 2.
#[derive(Debug)]
pub struct BadInput(pub String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}

/// Ctrl-C, or another polite signal. Exit 130, after every guard has stopped its process.
#[derive(Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stopped by a signal")
    }
}

impl std::error::Error for Interrupted {}

static SIGNALS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count_signal(_signal: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::SeqCst);
}

/// Turns SIGINT, SIGTERM and SIGHUP into a count that every waiting loop reads, so that guards run on the way out.
pub fn listen() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP] {
        // SAFETY: the handler only adds to an atomic number, which is allowed in a signal handler; the struct is plain
        // data for which zero is valid.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = count_signal as extern "C" fn(libc::c_int) as usize;
            libc::sigemptyset(&mut action.sa_mask);
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// How often we were asked to stop. The second time means: at once.
pub fn signals() -> usize {
    SIGNALS.load(Ordering::SeqCst)
}

/// Fails once somebody asked us to stop.
pub fn check() -> Result<(), Interrupted> {
    if signals() == 0 { Ok(()) } else { Err(Interrupted) }
}
