//! CommerceML 2, the files that BAS and 1C exchange with shops: read piece by piece, and written where orders go out. Pure.
//!
//! Start at [`Reader`]: it gives one [`Item`] after another, whatever the file is called, by what stands in its root. What is
//! wrong with one item ([`Item::Bad`]) costs no other its place; what is wrong with the file ([`FileError`]) ends it. [`write`]
//! makes the file of orders that goes to the accounting system, [`Document`]s come back in the same form.
//!
//! Source: the scheme's versions 2.03 to 2.10 as programs write them: with and without the namespace, in UTF-8 or
//! Windows-1251, numbers with a point or a comma. Deliberately absent: HTTP, archives, what a group or a price is here.
mod build;
mod letters;
mod model;
mod numbers;
mod orders;
mod read;
mod tree;
mod write;

pub use letters::{BYTES_MAX, Letters};
pub use model::{
    Discount, Document, Group, Head, Item, Line, OfferId, OfferItem, OfferPrice, Part, Partner, PriceType, ProductItem,
    Property, Warehouse,
};
pub use numbers::{amount, currency, flag, quantity};
pub use read::{FileError, Reader};
pub use write::{DELIVERY, local, write};

#[cfg(test)]
mod tests;
