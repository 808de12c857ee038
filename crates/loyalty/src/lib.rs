//! Loyalty: what a basket costs after promotions and coupons, and what a customer's points are worth.
//!
//! Deliberately absent: which price list holds a price (`catalog`), payments and orders (`orders`), HTTP.
