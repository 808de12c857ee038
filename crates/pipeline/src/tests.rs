//! Whole stories over both engines: events go in, people, segments and doctor come out.
mod crashes;
mod harness;
mod identity;
mod live;
