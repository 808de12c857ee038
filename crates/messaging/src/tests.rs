//! Tests of this crate over both engines, with people, segments and consents played by [`world::World`].
mod commands;
mod gate;
mod machine;
mod mail;
mod outbox;
mod templates;
mod unsubscribe;
mod windows;
mod world;
