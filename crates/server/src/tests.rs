//! The server over HTTP: a real one on a free port, with a store of its own.
mod admin;
mod border;
mod collect;
mod harness;
mod libraries;
mod mail;
mod matrix;
mod plans;
mod roles;
mod streams;
