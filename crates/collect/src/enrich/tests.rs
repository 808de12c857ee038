//! Agents, places, campaigns, addresses.
mod agents;
mod found;
mod places;
