//! One element with what is in it: small, read as a whole.

/// An element by its local name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Node {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub text: String,
    pub children: Vec<Node>,
}

impl Node {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|c| c.name == name)
    }
    /// Children of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.children.iter().filter(move |c| c.name == name)
    }
    /// Children of the first child of a name: `Цены` → each `Цена`.
    pub fn listed<'a>(&'a self, list: &str, name: &'a str) -> impl Iterator<Item = &'a Node> {
        self.child(list).into_iter().flat_map(move |list| list.all(name))
    }
    /// Text of a child, trimmed; empty where there is none.
    pub fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |c| c.text.trim())
    }
    /// Text of a child that says something.
    pub fn said(&self, name: &str) -> Option<String> {
        Some(self.text_of(name)).filter(|t| !t.is_empty()).map(str::to_string)
    }
    /// An attribute, trimmed.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.trim())
    }
    /// `ЗначенияРеквизитов`: names with values.
    pub fn requisites(&self) -> Vec<(String, String)> {
        let named = self.listed("ЗначенияРеквизитов", "ЗначениеРеквизита");
        named
            .map(|r| (r.text_of("Наименование").to_string(), r.text_of("Значение").to_string()))
            .filter(|(name, _)| !name.is_empty())
            .collect()
    }
}
