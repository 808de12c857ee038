//! What is compared of two people, and the levels that a comparison can end at.

/// One comparison of two people. The order is the order of their conditions: a part of an address stands after its [`Field::parent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Field {
    Given,
    Surname,
    Patronymic,
    Birth,
    Phone,
    Email,
    Id,
    Postcode,
    City,
    Region,
    Street,
    House,
    Flat,
    Locality,
    /// Whether given name and surname stand in each other's place; it has no values of its own.
    Order,
}

/// All of them.
pub const FIELDS: [Field; 15] = [
    Field::Given,
    Field::Surname,
    Field::Patronymic,
    Field::Birth,
    Field::Phone,
    Field::Email,
    Field::Id,
    Field::Postcode,
    Field::City,
    Field::Region,
    Field::Street,
    Field::House,
    Field::Flat,
    Field::Locality,
    Field::Order,
];

/// Number of comparisons.
pub const COUNT: usize = FIELDS.len();
/// Fields that have values; of phones a person may have two.
pub const VALUES: usize = 15;
/// Place of the second phone among the values.
pub const SECOND_PHONE: usize = 14;

/// How two values compare, from the same down to different.
pub mod level {
    /// The same letters or digits.
    pub const SAME: u8 = 0;
    /// The same in another alphabet or spelling.
    pub const SPELLING: u8 = 1;
    /// The same name as another language has it; a woman's and a man's form of a surname; the local part of an e-mail.
    pub const VARIANT: u8 = 2;
    /// A pet name; a part of a double name or of an address; day and month swapped.
    pub const PART: u8 = 3;
    /// One typing mistake.
    pub const CLOSE: u8 = 4;
    /// More mistakes, still alike.
    pub const NEAR: u8 = 5;
    /// Only an initial, and it fits.
    pub const INITIAL: u8 = 6;
    /// Different.
    pub const DIFFERENT: u8 = 7;
    /// Nothing to compare: no evidence.
    pub const MISSING: u8 = 8;
    /// Levels with evidence.
    pub const COUNT: usize = 8;
}

impl Field {
    /// The field that this one depends on among people who are not the same: who shares the postcode mostly shares the city.
    pub fn parent(self) -> Option<Field> {
        match self {
            Field::City => Some(Field::Postcode),
            Field::Region => Some(Field::City),
            Field::House => Some(Field::Street),
            Field::Flat => Some(Field::House),
            Field::Street => Some(Field::City),
            Field::Locality => Some(Field::Street),
            _ => None,
        }
    }
    /// Whether a family shares it.
    pub fn is_shared_at_home(self) -> bool {
        use Field::*;
        matches!(
            self,
            Surname | Phone | Email | Postcode | City | Region | Street | House | Flat | Locality | Patronymic
        )
    }
    /// Whether namesakes share it.
    pub fn is_name(self) -> bool {
        matches!(self, Field::Given | Field::Surname | Field::Patronymic | Field::Order)
    }
    /// Whether agreeing on a rare value says more than on a common one.
    pub fn has_shares(self) -> bool {
        use Field::*;
        matches!(self, Given | Surname | Patronymic | Birth | Phone | Email | Id | Postcode | City | Street | Locality)
    }
    /// The word for people.
    pub fn word(self) -> &'static str {
        match self {
            Field::Given => "given name",
            Field::Surname => "surname",
            Field::Patronymic => "patronymic",
            Field::Birth => "date of birth",
            Field::Phone => "phone",
            Field::Email => "e-mail",
            Field::Id => "number of a document",
            Field::Postcode => "postcode",
            Field::City => "city",
            Field::Region => "region",
            Field::Street => "street",
            Field::House => "house",
            Field::Flat => "flat",
            Field::Locality => "rest of the address",
            Field::Order => "order of the names",
        }
    }
    /// What a level means here, for people.
    pub fn level_word(self, at: u8) -> &'static str {
        match (self, at) {
            (Field::Order, level::SAME) => "as usual",
            (Field::Order, _) => "swapped",
            (_, level::SAME) => "the same",
            (_, level::SPELLING) => "the same, spelt differently",
            (Field::Surname, level::VARIANT) => "a woman's and a man's form of one",
            (Field::Email, level::VARIANT) => "the same before the @",
            (_, level::VARIANT) => "the same in another language",
            (Field::Given, level::PART) => "a pet name",
            (Field::Birth, level::PART) => "day and month swapped",
            (_, level::PART) => "one is a part of the other",
            (Field::Birth, level::NEAR) => "two of day, month and year the same",
            (_, level::CLOSE) => "one typing mistake apart",
            (_, level::NEAR) => "alike",
            (_, level::INITIAL) => "the initial fits",
            (_, level::MISSING) => "not known",
            _ => "different",
        }
    }
}
