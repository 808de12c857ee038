//! `AUTH PLAIN` and `AUTH LOGIN` (RFC 4954, 4616).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::script::Point;
use super::{Closed, Duty, Session};

impl Session {
    pub(super) async fn auth(&mut self, rest: &str) -> Result<(), Closed> {
        if self.fail(Point::SignIn).await? == Duty::Skip {
            return Ok(());
        }
        if let Some(complaint) = self.too_early() {
            return self.say(complaint).await;
        }
        let (login, mechanisms) = {
            let books = self.shared.books();
            (books.script.login.clone(), books.script.auth_mechanisms.clone())
        };
        let Some((user, password)) = login else {
            return self.say("502 5.5.1 nobody can sign in here").await;
        };
        if self.user.is_some() || self.transaction.is_some() {
            return self.say("503 5.5.1 not now").await;
        }
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let mechanism = mechanism.to_ascii_uppercase();
        let given = match mechanism.as_str() {
            offered if !mechanisms.contains(&offered) => {
                return self.say("504 5.5.4 unknown mechanism").await;
            }
            "PLAIN" => {
                let token = self.credential(initial, "334 ").await?;
                token.map(|token| token.trim_start_matches('\0').to_owned())
            }
            _ => {
                let given_user = self.credential(initial, "334 VXNlcm5hbWU6").await?;
                let given_password = self.credential("", "334 UGFzc3dvcmQ6").await?;
                given_user.zip(given_password).map(|(user, password)| format!("{user}\0{password}"))
            }
        };
        match given {
            None => self.say("501 5.5.2 not base64").await,
            Some(given) if given == format!("{user}\0{password}") => {
                self.user = Some(user);
                self.say("235 2.7.0 welcome").await
            }
            Some(_) => self.say("535 5.7.8 wrong user or password").await,
        }
    }

    /// Decodes what came with the command, or asks for it; `None` if it is not base64 or was cancelled.
    async fn credential(&mut self, initial: &str, prompt: &str) -> Result<Option<String>, Closed> {
        let line = if initial.is_empty() {
            self.say(prompt).await?;
            self.read_line().await?.unwrap_or_default()
        } else {
            initial.to_owned()
        };
        Ok(BASE64.decode(line).ok().and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}
