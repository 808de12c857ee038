//! Whole stories over both engines: events go in, people, segments and doctor come out.
mod consents;
mod crashes;
mod damage;
mod harness;
mod identity;
mod live;
