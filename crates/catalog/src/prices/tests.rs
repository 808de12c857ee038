//! Tests of prices: the pure rules, then the store on both engines.
mod random;
mod rules;
mod shop;
mod stored;
