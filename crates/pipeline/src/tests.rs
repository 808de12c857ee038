//! Whole stories over both engines: events go in, people, segments and doctor come out.
mod ahead;
mod computed;
mod consents;
mod crashes;
mod damage;
mod erasure;
mod facts;
mod faults;
mod harness;
mod histories;
mod identity;
mod jobs;
mod kiosk;
mod live;
mod rerun;
mod sources;
mod stitch;
