//! What a person reads above the tables of an export, in the shop's two languages.

/// A language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    En,
    Uk,
}

impl Language {
    /// As HTML names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Language::En => "en",
            Language::Uk => "uk",
        }
    }
    /// The language of a locale such as `uk_UA`; English where there is no other.
    pub fn of(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("uk") { Language::Uk } else { Language::En }
    }
}

/// Name, English, Ukrainian: sections and fields.
#[rustfmt::skip]
const WORDS: &[(&str, &str, &str)] = &[
    ("title", "What we hold about you", "Що ми про вас зберігаємо"),
    ("lead", "All data about you as of", "Усі дані про вас станом на"),
    ("none", "Nothing", "Нічого"),
    ("identifiers", "Identifiers", "Ідентифікатори"), ("traits", "Profile", "Профіль"),
    ("facts", "Facts and sums", "Факти й суми"), ("derived", "What we conclude", "Наші висновки"),
    ("consents", "Consents with proof", "Згоди з доказами"), ("preferences", "Preferences", "Побажання"),
    ("waiting_list", "Goods that you wait for", "Товари, на які ви чекаєте"),
    ("orders_placed", "Orders", "Замовлення"), ("order_lines", "Goods in orders", "Товари в замовленнях"), ("baskets", "Baskets", "Кошики"),
    ("returns", "Returns", "Повернення товару"), ("claims", "Claims", "Претензії"), ("after_sale", "After the sale", "Після продажу"),
    ("refunds", "Money given back", "Повернення коштів"), ("store_credit", "Store credit", "Кредит магазину"),
    ("consultations", "Advice in a shop", "Консультації в магазині"), ("order_number", "Order", "Замовлення"), ("goods", "Goods", "Товари"),
    ("product_reviews", "Reviews of products", "Відгуки про товари"), ("rating", "Stars", "Оцінка"),
    ("headline", "Headline", "Заголовок"), ("review", "Review", "Відгук"),
    ("email", "E-mail", "Електронна пошта"), ("phone", "Phone", "Телефон"), ("delivery", "Delivery", "Доставка"), ("place", "Place", "Місце"),
    ("total", "Sum in minor units", "Сума в найменших одиницях"), ("currency", "Currency", "Валюта"), ("payments", "Payments", "Оплати"),
    ("sku", "SKU", "Артикул"), ("quantity", "Quantity", "Кількість"), ("receipt", "Receipt", "Чек"), ("answer", "Answer", "Відповідь"),
    ("photos", "Photos", "Світлини"), ("serial", "Serial number", "Серійний номер"), ("outcome", "Outcome", "Підсумок"),
    ("way", "Way", "Спосіб"), ("code", "Code", "Код"), ("balance", "Balance", "Залишок"), ("what", "What", "Що"),
    ("segments", "Segments", "Сегменти"), ("messages", "Messages to you", "Повідомлення вам"),
    ("profiles", "Profiles", "Профілі"), ("joins", "Why the profiles are one person", "Чому профілі є однією особою"),
    ("identity_changes", "Changes of identity", "Зміни ідентичності"), ("requests", "Your requests", "Ваші запити"),
    ("views", "Who looked at your data", "Хто переглядав ваші дані"), ("audit", "What was done with your data", "Що робили з вашими даними"),
    ("events", "Events", "Події"), ("imports", "Files that brought data", "Файли, з яких надійшли дані"),
    ("kind", "Kind", "Вид"), ("value", "Value", "Значення"), ("name", "Name", "Назва"),
    ("first_seen", "First seen", "Уперше"), ("last_seen", "Last seen", "Востаннє"),
    ("profile_id", "Profile", "Профіль"), ("evidence_message_id", "Evidence: event", "Доказ: подія"), ("evidence_at", "Evidence: time", "Доказ: час"),
    ("timestamp", "Time", "Час"), ("source", "Source", "Джерело"), ("message_id", "Event id", "Номер події"),
    ("unit", "Unit", "Одиниця"), ("window", "Period", "Період"), ("why", "Why", "Чому"),
    ("channel", "Channel", "Канал"), ("address", "Address", "Адреса"), ("purpose", "Purpose", "Мета"), ("state", "State", "Стан"),
    ("at", "Time", "Час"), ("claimed_at", "Time as stated", "Заявлений час"), ("wording", "Wording", "Текст згоди"),
    ("wording_version", "Version of the wording", "Версія тексту"), ("by", "By", "Ким"), ("imported", "From a file", "З файлу"),
    ("topic", "Topic", "Тема"), ("wanted", "Wanted", "Бажано"), ("since", "Since", "Відколи"), ("leaves_at", "Until", "До"),
    ("intended_at", "Intended", "Заплановано"), ("settled_at", "Settled", "Завершено"), ("status", "Status", "Статус"),
    ("reason", "Reason", "Причина"), ("subject", "Subject", "Тема листа"), ("rule", "Rule", "Правило"), ("template", "Template", "Шаблон"),
    ("created_at", "Created", "Створено"), ("a", "Profile", "Профіль"), ("b", "Profile", "Профіль"),
    ("before", "Before", "Було"), ("after", "After", "Стало"), ("cause", "Cause", "Причина"), ("evidence", "Evidence", "Доказ"),
    ("who", "Who", "Хто"), ("contact", "Contact", "Контакт"), ("note", "Note", "Примітка"),
    ("received_at", "Received", "Отримано"), ("due_at", "Due", "Строк"), ("closed_at", "Closed", "Закрито"),
    ("hour", "Hour", "Година"), ("times", "Times", "Разів"), ("action", "Act", "Дія"),
    ("event", "Event", "Подія"), ("details", "Details", "Подробиці"), ("first_at", "First", "Перша"), ("last_at", "Last", "Остання"),
];

/// The heading of a section or field; the name itself where there is none.
pub fn title(language: Language, name: &str) -> &str {
    match WORDS.iter().find(|(n, ..)| *n == name) {
        Some((_, en, uk)) => match language {
            Language::En => en,
            Language::Uk => uk,
        },
        None => name,
    }
}
