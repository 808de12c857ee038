//! The server over HTTP: a real one on a free port, with a store of its own.
mod access;
mod admin;
mod borders;
mod collect;
mod harness;
mod imports;
mod libraries;
mod mail;
mod matrix;
mod roles;
mod streams;
