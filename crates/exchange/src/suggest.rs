//! What a column may mean, by its name in three languages and by what stands in it.
use crate::mapping::{Kind, Mapping};
use crate::rows::Row;
use crate::values::{self, DateOrder};
use base::{Country, normalise_email, normalise_phone};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeMap;

/// A guess about one column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Guess {
    pub column: String,
    /// The meaning, or nothing.
    pub meaning: Option<String>,
    /// `name` or `values`: what it was guessed by.
    pub by: Option<&'static str>,
    /// The first values that differ.
    pub samples: Vec<String>,
    /// Rows of the sample in which something stands.
    pub filled: usize,
}

/// Names of columns, without signs and blanks, in lower case.
const NAMES: &[(&str, &[&str])] = &[
    (
        "user_id",
        &[
            "userid",
            "customerid",
            "clientid",
            "contactid",
            "externalcustomerid",
            "contactkey",
            "externalid",
            "idклієнта",
            "idклиента",
            "кодклієнта",
            "кодклиента",
            "idпокупця",
            "id",
            "ідентифікатор",
        ],
    ),
    (
        "email",
        &[
            "email",
            "emailaddress",
            "mail",
            "billingemail",
            "customeremail",
            "електроннапошта",
            "електроннаадреса",
            "пошта",
            "елпошта",
            "почта",
            "электроннаяпочта",
            "адресэлектроннойпочты",
            "имейл",
            "емейл",
            "buyeremail",
        ],
    ),
    (
        "phone",
        &[
            "phone",
            "phonenumber",
            "mobile",
            "mobilephone",
            "tel",
            "telephone",
            "sms",
            "cell",
            "billingphone",
            "userphone",
            "buyerphone",
            "defaultaddressphone",
            "телефон",
            "номертелефону",
            "мобільний",
            "мобільнийтелефон",
            "номертелефона",
            "мобильный",
            "мобильныйтелефон",
            "контактнийтелефон",
        ],
    ),
    ("first_name", &["firstname", "givenname", "fname", "billingfirstname", "clientfirstname", "імя", "имя"]),
    (
        "last_name",
        &["lastname", "surname", "familyname", "lname", "billinglastname", "clientlastname", "прізвище", "фамилия"],
    ),
    ("patronymic", &["patronymic", "middlename", "mname", "clientsecondname", "побатькові", "отчество"]),
    (
        "name",
        &[
            "name",
            "fullname",
            "customer",
            "customername",
            "client",
            "buyer",
            "піб",
            "фио",
            "клієнт",
            "клиент",
            "покупець",
            "покупатель",
            "прізвищеімяпобатькові",
        ],
    ),
    (
        "birthday",
        &[
            "birthday",
            "birthdate",
            "dateofbirth",
            "dob",
            "деньнародження",
            "датанародження",
            "деньрождения",
            "датарождения",
        ],
    ),
    ("gender", &["gender", "sex", "стать", "пол"]),
    ("language", &["language", "languagecode", "lang", "locale", "мова", "язык"]),
    ("company", &["company", "billingcompany", "organisation", "organization", "компанія", "компания"]),
    (
        "tags",
        &[
            "tags",
            "groups",
            "group",
            "labels",
            "теги",
            "мітки",
            "групи",
            "группы",
            "метки",
            "сегменти",
            "сегменты",
            "segments",
        ],
    ),
    ("address.city", &["city", "town", "billingcity", "shippingcity", "місто", "город", "населенийпункт"]),
    ("address.street", &["address", "address1", "street", "billingaddress1", "адреса", "адрес", "вулиця", "улица"]),
    ("address.state", &["region", "state", "province", "oblast", "область", "регіон", "регион"]),
    ("address.postalCode", &["zip", "postcode", "postalcode", "індекс", "поштовийіндекс", "индекс"]),
    ("address.country", &["country", "countrycode", "країна", "страна"]),
    (
        "created_at",
        &[
            "createdat",
            "created",
            "datecreated",
            "registered",
            "dateregistered",
            "registrationdate",
            "датареєстрації",
            "датастворення",
            "датарегистрации",
            "датасоздания",
        ],
    ),
    (
        "updated_at",
        &[
            "updatedat",
            "updated",
            "modified",
            "lastmodified",
            "datemodified",
            "датаоновлення",
            "датаизменения",
            "датаобновления",
        ],
    ),
    (
        "consent:email",
        &[
            "acceptsemailmarketing",
            "acceptsmarketing",
            "emailstatus",
            "emailconsent",
            "subscribed",
            "emailsubscribed",
            "підписка",
            "підписканаemail",
            "подписка",
            "згоданарозсилку",
            "согласиенарассылку",
        ],
    ),
    (
        "consent:sms",
        &["acceptssmsmarketing", "smsstatus", "smsconsent", "smssubscribed", "підписканаsms", "подписканаsms"],
    ),
    ("consent:viber", &["viberstatus", "viberconsent", "підписканаviber", "подписканаviber"]),
    (
        "consent_at",
        &["consentat", "consentdate", "subscribedat", "confirmationtime", "датазгоди", "датаподписки", "датапідписки"],
    ),
    (
        "order_id",
        &[
            "orderid",
            "order",
            "ordernumber",
            "number",
            "externalorderid",
            "номерзамовлення",
            "замовлення",
            "номер",
            "номерзаказа",
            "заказ",
            "чек",
            "номерчека",
            "transactionid",
            "receiptid",
        ],
    ),
    (
        "time",
        &[
            "date",
            "time",
            "timestamp",
            "orderdate",
            "createdat",
            "created",
            "datecreated",
            "datetime",
            "дата",
            "датачас",
            "датазамовлення",
            "датазаказа",
            "ordertime",
            "eventtime",
        ],
    ),
    ("status", &["status", "orderstatus", "statusid", "статус", "станзамовлення", "financialstatus"]),
    (
        "total",
        &[
            "total",
            "totalcost",
            "amount",
            "sum",
            "grandtotal",
            "totalsumm",
            "ordertotal",
            "сума",
            "сумма",
            "разом",
            "всього",
            "итого",
            "вартість",
            "price",
            "summ",
        ],
    ),
    ("subtotal", &["subtotal"]),
    ("shipping", &["shipping", "deliverycost", "shippingtotal", "доставка", "вартістьдоставки", "стоимостьдоставки"]),
    ("tax", &["tax", "taxes", "totaltax", "податок", "пдв", "ндс", "налог"]),
    ("discount", &["discount", "discountamount", "discounttotal", "знижка", "скидка"]),
    ("currency", &["currency", "валюта"]),
    ("affiliation", &["store", "shop", "storeid", "магазин", "spot", "точкапродажу", "торговаяточка"]),
    ("line.sku", &["sku", "lineitemsku", "article", "артикул", "кодтовару", "кодтовара"]),
    (
        "line.name",
        &[
            "product",
            "productname",
            "itemname",
            "lineitemname",
            "товар",
            "назватовару",
            "название",
            "наименование",
            "найменування",
        ],
    ),
    ("line.quantity", &["quantity", "qty", "lineitemquantity", "кількість", "количество"]),
    ("line.price", &["itemprice", "unitprice", "lineitemprice", "price", "ціна", "цена"]),
    ("lines", &["items", "products", "lines", "lineitems", "purchases"]),
    ("event", &["event", "eventname", "action", "eventtypekey", "подія", "событие"]),
    ("message_id", &["messageid", "eventid"]),
    ("message", &["message"]),
    ("anonymous_id", &["anonymousid", "deviceid", "visitorid", "cookieid"]),
    ("revenue", &["revenue"]),
    ("channel", &["channel", "канал", "pointofcontact"]),
    ("purpose", &["purpose", "topic", "ціль", "цель"]),
    (
        "state",
        &[
            "state",
            "consent",
            "status",
            "subscribed",
            "issubscribed",
            "subscription",
            "статус",
            "підписка",
            "подписка",
            "reason",
            "причина",
        ],
    ),
    ("address", &["address", "contact", "recipient", "адреса", "адрес", "контакт"]),
    ("wording", &["wording", "text", "comment", "source"]),
];

/// A name without what people vary: case, blanks, signs.
pub fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Guesses a mapping from the names and the first rows of a file.
pub fn suggest(
    kind: Kind,
    columns: &[String],
    rows: &[Row],
    zone: &TimeZone,
    country: Country,
) -> (Mapping, Vec<Guess>) {
    let mut taken: Vec<&str> = Vec::new();
    let known = crate::mapping::meanings(kind);
    let fits = |m: &str| known.contains(&m) || known.iter().any(|k| k.ends_with(':') && m.starts_with(k));
    let mut guesses: Vec<Guess> = Vec::new();
    // What a name says exactly goes first, in the order of the file.
    for column in columns {
        let name = plain(column);
        let found = NAMES.iter().find(|(m, names)| fits(m) && !taken.contains(m) && names.contains(&name.as_str()));
        let meaning = found.map(|(m, _)| *m);
        taken.extend(meaning);
        guesses.push(Guess {
            column: column.clone(),
            meaning: meaning.map(str::to_string),
            by: meaning.map(|_| "name"),
            samples: Vec::new(),
            filled: 0,
        });
    }
    for (at, guess) in guesses.iter_mut().enumerate() {
        let values: Vec<&str> = rows.iter().map(|r| r.get(at)).filter(|v| !v.is_empty()).collect();
        guess.filled = values.len();
        for value in &values {
            if guess.samples.len() < 5 && !guess.samples.iter().any(|s| s == value) {
                guess.samples.push(crate::rows::short(value));
            }
        }
        if guess.meaning.is_none()
            && let Some(meaning) = sniff(kind, &values, zone, country).filter(|m| fits(m) && !taken.contains(m))
        {
            taken.push(meaning);
            (guess.meaning, guess.by) = (Some(meaning.to_string()), Some("values"));
        }
    }
    let columns = guesses.iter().filter_map(|g| Some((g.column.clone(), g.meaning.clone()?))).collect();
    let date_order = order_of_dates(&guesses);
    let mut constants = BTreeMap::new();
    if kind == Kind::Consents && !taken.contains(&"state") {
        // A list of addresses and nothing else is what systems export as unsubscribed.
        constants.insert("state".to_string(), "unsubscribed".to_string());
    }
    (Mapping { kind, columns, constants, statuses: BTreeMap::new(), date_order }, guesses)
}

/// What nine of ten values are.
fn sniff(kind: Kind, values: &[&str], zone: &TimeZone, country: Country) -> Option<&'static str> {
    if values.len() < 3 {
        return None;
    }
    let most = |test: &dyn Fn(&str) -> bool| values.iter().filter(|v| test(v)).count() * 10 >= values.len() * 9;
    if most(&|v| normalise_email(v).is_some_and(|e| e.contains('.'))) {
        return Some("email");
    }
    let digits = |v: &str| v.chars().filter(char::is_ascii_digit).count();
    if most(&|v| digits(v) >= 9 && normalise_phone(v, country).is_some()) {
        return Some("phone");
    }
    if most(&|v| values::moment(v, DateOrder::DayFirst, zone).is_some()) {
        return (kind != Kind::Customers).then_some("time");
    }
    None
}

/// Dates whose second number is above twelve are written month first.
fn order_of_dates(guesses: &[Guess]) -> DateOrder {
    let slashed = guesses.iter().flat_map(|g| &g.samples).filter_map(|v| {
        let mut parts = v.split([' ', ',']).next()?.split('/');
        let (a, b) = (parts.next()?.parse::<u8>().ok()?, parts.next()?.parse::<u8>().ok()?);
        parts.next().map(|_| (a, b))
    });
    let (mut first, mut second) = (false, false);
    for (a, b) in slashed {
        first |= a > 12;
        second |= b > 12;
    }
    if second && !first { DateOrder::MonthFirst } else { DateOrder::DayFirst }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(kind: Kind, header: &str, rows: &[&str]) -> String {
        let columns: Vec<String> = header.split(',').map(str::to_string).collect();
        let rows: Vec<Row> = rows.iter().enumerate().map(|(n, r)| Row::of(n as u64 + 2, r.split(','))).collect();
        let (mapping, _) = suggest(kind, &columns, &rows, &TimeZone::UTC, Country::find("UA"));
        columns.iter().map(|c| mapping.columns.get(c).map_or("-", String::as_str)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_in_three_languages() {
        assert_eq!(
            guess(Kind::Customers, "First Name,E-mail,Phone number,City", &[]),
            "first_name email phone address.city"
        );
        assert_eq!(
            guess(Kind::Customers, "Ім'я,Прізвище,Ел. пошта,Місто,Дата народження", &[]),
            "first_name last_name email address.city birthday"
        );
        assert_eq!(guess(Kind::Customers, "ФИО,Телефон,Дата рождения,Пол", &[]), "name phone birthday gender");
        assert_eq!(
            guess(Kind::Orders, "Номер замовлення,Дата,Сума,Артикул,Кількість,Ціна", &[]),
            "order_id time total line.sku line.quantity line.price"
        );
    }

    #[test]
    fn values_where_names_say_nothing() {
        let rows = ["a@example.com,0671234567,x", "b@example.com,+380501112233,y", "c@example.com,(093) 444-55-66,z"];
        assert_eq!(guess(Kind::Customers, "A,B,C", &rows), "email phone -");
        let list = suggest(
            Kind::Consents,
            &["x".into()],
            &rows.map(|r| Row::of(1, r.split(','))),
            &TimeZone::UTC,
            Country::find("UA"),
        )
        .0;
        assert_eq!(list.constants.get("state").map(String::as_str), Some("unsubscribed"));
    }
}
