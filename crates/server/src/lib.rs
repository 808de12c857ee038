//! The server: HTTP wiring, OpenAPI, sign-in and roles, streams, the console's files.
//!
//! Start at [`run::serve`]. [`listen`] takes connections; `/v1/…` goes straight to [`collect_api`], everything else through
//! [`api::router`]. [`app::App`] is what requests share; [`change`] is the one way in which the admin API changes anything.
//! [`domain`] is the one place that knows how the rooms below are opened and fed.
//!
//! Invariants: nothing blocks a runtime thread; every queue is bounded; every change has its line in the audit, in the same
//! transaction; keys, tokens and passwords are stored as hashes only.
//! Deliberately absent: rules of retail (the domain crates), reading the environment (`cli`).
pub mod access;
pub mod accounts;
pub mod alerts;
pub mod api;
pub mod app;
pub mod approvals;
pub mod assets;
pub mod audit;
pub mod border;
pub mod caller;
pub mod change;
pub mod collect_api;
pub mod config;
pub mod customer_files;
pub mod declared;
pub mod domain;
mod download;
pub mod edits;
mod erasing;
pub mod erp;
pub mod exports;
pub mod goods;
pub mod health;
pub mod hub;
pub mod imports;
pub mod input;
pub mod install;
pub mod invitations;
pub mod keys;
pub mod listen;
pub mod live;
pub mod live_filter;
pub mod mailer;
pub mod mask;
pub mod metrics;
pub mod moving;
pub mod notes;
pub mod oidc;
pub mod page;
pub mod personal;
pub mod policy;
pub mod preview;
pub mod problem;
pub mod rejects;
pub mod rerun;
pub mod retention;
pub mod run;
pub mod saved_views;
pub mod scope;
pub mod second_factor;
pub mod secrets;
pub mod session;
pub mod shop;
pub mod shop_api;
pub mod sources;
pub mod sse;
pub mod staff_mail;
pub mod summary;
pub mod timing;
pub mod totp;
pub mod trace;
pub mod unsubscribe;
pub mod vault;
pub mod views;
pub mod webhooks;

#[cfg(test)]
mod tests;
