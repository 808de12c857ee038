//! The server over HTTP: a real one on a free port, with a store of its own.
mod access;
mod admin;
mod border;
mod borders;
mod collect;
mod console;
mod harness;
mod identity;
mod imports;
mod libraries;
mod mail;
mod matrix;
mod plans;
mod profile;
mod roles;
mod streams;
