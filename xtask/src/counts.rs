//! How many tests a stage ran, read from what its test runner printed.

use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Counts {
    /// A stage without tests of its own is one test, and a stage that failed has at least one failure.
    pub fn of_stage(log: &str, ok: bool) -> Counts {
        let mut counts = read(log);
        if ok && counts == Counts::default() {
            counts.passed = 1;
        }
        if !ok && counts.failed == 0 {
            counts.failed = 1;
        }
        counts
    }
}

/// Adds up the closing lines of nextest, `cargo test`, `node --test`, vitest and Playwright.
pub fn read(log: &str) -> Counts {
    let mut total = Counts::default();
    for line in log.lines() {
        let line = without_colours(line);
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("Summary [") {
            // nextest: "Summary [  1.2s] 7 tests run: 5 passed, 1 failed, 1 timed out, 0 skipped"
            if let Some((_, counts)) = rest.split_once("run:") {
                total.passed += before(counts, "passed");
                total.failed += before(counts, "failed") + before(counts, "timed out") + before(counts, "exec failed");
            }
        } else if let Some(rest) = line.strip_prefix("test result:") {
            // cargo test: "test result: ok. 12 passed; 0 failed; 0 ignored; …"
            total.passed += before(rest, "passed");
            total.failed += before(rest, "failed");
        } else if let Some(rest) = line.strip_prefix("# ").or(line.strip_prefix("ℹ ")) {
            // node --test: "# pass 12" or "ℹ pass 12"
            total.passed += after(rest, "pass");
            total.failed += after(rest, "fail");
        } else if let Some(rest) = line.strip_prefix("Tests ") {
            // vitest: "Tests  1 failed | 5 passed (6)"
            total.passed += before(rest, "passed");
            total.failed += before(rest, "failed");
        } else if is_playwright(line) {
            // Playwright: "12 passed (4.1s)", "1 failed", "1 flaky"
            total.passed += before(line, "passed");
            total.failed += before(line, "failed") + before(line, "flaky");
        }
    }
    total
}

fn is_playwright(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let number = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
    let what = words.next();
    let rest = words.next();
    number && matches!(what, Some("passed" | "failed" | "flaky")) && rest.is_none_or(|word| word.starts_with('('))
}

/// The number before `what`, where parts are separated by `,`, `;`, `|` or `.`; 0 if it is not there.
fn before(text: &str, what: &str) -> u64 {
    text.split([',', ';', '|', '.'])
        .filter_map(|part| {
            let part = part.split('(').next().unwrap_or(part).trim();
            part.strip_suffix(what)?.trim().parse().ok()
        })
        .next()
        .unwrap_or(0)
}

fn after(text: &str, what: &str) -> u64 {
    let mut words = text.split_whitespace();
    if words.next() != Some(what) {
        return 0;
    }
    words.next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn without_colours(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            for c in rest.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, passed: u64, failed: u64) {
        assert_eq!(read(log), Counts { passed, failed }, "{log}");
    }

    #[test]
    fn closing_lines_are_read() {
        check("     Summary [   1.234s] 7 tests run: 5 passed (1 slow), 1 failed, 1 timed out, 0 skipped", 5, 2);
        check(
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured\ntest result: FAILED. 1 passed; 2 failed; 0 ignored",
            4,
            2,
        );
        check("# tests 5\n# pass 4\n# fail 1\n# cancelled 0", 4, 1);
        check("ℹ tests 4\nℹ pass 4\nℹ fail 0", 4, 0);
        check("\u{1b}[32m      Tests  1 failed | 5 passed (6)\u{1b}[39m", 5, 1);
        check("  1 failed\n    [chromium] › a.spec.ts\n  12 passed (4.1s)", 12, 1);
    }

    #[test]
    fn prose_about_tests_does_not_count() {
        check("3 passed out of 4 checks\nall tests passed", 0, 0);
    }

    #[test]
    fn every_stage_counts() {
        let one = Counts { passed: 1, failed: 0 };
        assert_eq!(Counts::of_stage("", true), one);
        assert_eq!(Counts::of_stage("error[E0308]", false).failed, 1);
    }
}
