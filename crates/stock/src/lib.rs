//! Stock: where goods are, who has a claim on them, and every movement between places.
//!
//! Deliberately absent: what goods are called or cost (`catalog`), why somebody wants them (`orders`), HTTP.
