//! Rules as plain functions, stories, and a naive model beside random lives; what is stored, on both engines.
mod naive;
mod repriced;
mod rules;
mod shop;
mod stories;
