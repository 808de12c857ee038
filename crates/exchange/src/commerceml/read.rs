//! Reads a file piece by piece.
use super::build;
use super::letters::Letters;
use super::model::{Head, Item, Part};
use super::numbers::flag;
use super::orders;
use super::tree::Node;
use quick_xml::Reader as Xml;
use quick_xml::events::{BytesStart, Event};
use std::collections::VecDeque;
use std::io::{BufReader, Read};

/// Bytes of one element that is read as a whole.
const ELEMENT_MAX: u64 = 16 << 20;
/// Elements within one that is read as a whole.
const NODES_MAX: usize = 400_000;
/// Levels of elements.
const DEEP: usize = 80;
const ATTRIBUTES_MAX: usize = 64;

/// Why a file cannot be read on.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is no well-formed XML, or larger than is taken.
    #[error("at byte {at}: {what}")]
    Form { at: u64, what: String },
    /// Well-formed, but something else.
    #[error("it begins with <{0}>, and CommerceML begins with <КоммерческаяИнформация>")]
    Root(String),
    /// What could be used to read other files or to blow a small one up.
    #[error("it has a DTD or entities of its own, which no exchange needs")]
    Entities,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Section {
    Root,
    Classifier,
    Goods,
    Offers,
    Container,
    /// A list within one of those.
    List(Listed),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Listed {
    Properties,
    PriceTypes,
    Warehouses,
    Products,
    Offers,
}

fn opens(path: &[Section], name: &str) -> Option<Section> {
    use Listed::*;
    use Section::*;
    Some(match (path.last()?, name) {
        (Root, "Классификатор") => Classifier,
        (Root, "Каталог") => Goods,
        (Root, "ПакетПредложений" | "ИзмененияПакетаПредложений") => {
            Section::Offers
        }
        (Root, "Контейнер") => Container,
        (Classifier, "Свойства") => List(Properties),
        (Classifier | Section::Offers | Root, "ТипыЦен") => List(PriceTypes),
        (Classifier | Section::Offers | Root, "Склады") => List(Warehouses),
        (Goods, "Товары") => List(Products),
        (Section::Offers, "Предложения") => List(Listed::Offers),
        _ => return None,
    })
}

/// Gives the items of a file in its order. Memory: the largest element.
pub struct Reader<R: Read> {
    xml: Xml<BufReader<Letters<R>>>,
    path: Vec<Section>,
    queue: VecDeque<Item>,
    head: Option<Head>,
    /// Whether the head of the part was given.
    announced: bool,
    classifier: String,
    made_at: String,
    begun: bool,
    done: bool,
}

impl<R: Read> Reader<R> {
    /// A reader of a file.
    pub fn new(file: R) -> Self {
        let mut xml = Xml::from_reader(BufReader::with_capacity(64 << 10, Letters::new(file)));
        xml.config_mut().expand_empty_elements = true;
        Self {
            xml,
            path: Vec::new(),
            queue: VecDeque::new(),
            head: None,
            announced: false,
            classifier: String::new(),
            made_at: String::new(),
            begun: false,
            done: false,
        }
    }

    /// When the file was made, as it says (`2026-11-20T14:45:41`, local time); empty before its root was read and where it does
    /// not say it.
    pub fn made_at(&self) -> &str {
        &self.made_at
    }

    fn wrong(&self, what: impl std::fmt::Display) -> FileError {
        FileError::Form { at: self.xml.buffer_position(), what: what.to_string() }
    }

    fn event<'b>(&mut self, buffer: &'b mut Vec<u8>) -> Result<Event<'b>, FileError> {
        buffer.clear();
        self.xml.get_mut().get_mut().allow(ELEMENT_MAX);
        let at = self.xml.buffer_position();
        let event = self.xml.read_event_into(buffer);
        let event = event.map_err(|e| FileError::Form { at, what: e.to_string() })?;
        if matches!(event, Event::DocType(_)) { Err(FileError::Entities) } else { Ok(event) }
    }

    /// The next item; `None` at the end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Item>, FileError> {
        let mut buffer = Vec::new();
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Ok(Some(item));
            }
            if self.done {
                return Ok(None);
            }
            match self.event(&mut buffer)? {
                Event::Start(start) => {
                    let node = self.started(&start)?;
                    self.begin(node)?;
                }
                Event::End(_) => self.end(),
                Event::Eof if !self.path.is_empty() => return Err(self.wrong("the file ends in the middle")),
                Event::Eof if !self.begun => return Err(self.wrong("the file is empty")),
                Event::Eof => self.done = true,
                Event::GeneralRef(name) => drop(self.entity(&name)?),
                _ => {}
            }
        }
    }

    fn entity(&self, name: &quick_xml::events::BytesRef<'_>) -> Result<char, FileError> {
        if name.is_char_ref() {
            let found = name.resolve_char_ref().ok().flatten().filter(|c| *c != '\0');
            return found.ok_or_else(|| self.wrong("a number of a letter that there is not"));
        }
        match name.decode().as_deref() {
            Ok("amp") => Ok('&'),
            Ok("lt") => Ok('<'),
            Ok("gt") => Ok('>'),
            Ok("quot") => Ok('"'),
            Ok("apos") => Ok('\''),
            _ => Err(FileError::Entities),
        }
    }

    fn started(&self, start: &BytesStart<'_>) -> Result<Node, FileError> {
        let name = std::str::from_utf8(start.local_name().into_inner()).map_err(|e| self.wrong(e))?.to_string();
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|e| self.wrong(e))?;
            if attributes.len() == ATTRIBUTES_MAX {
                return Err(self.wrong("an element has more than 64 attributes"));
            }
            let key =
                std::str::from_utf8(attribute.key.local_name().into_inner()).map_err(|e| self.wrong(e))?.to_string();
            let value = attribute.unescape_value().map_err(|e| self.wrong(e))?.into_owned();
            attributes.push((key, value));
        }
        Ok(Node { name, attributes, ..Node::default() })
    }

    /// An element begins: a section is gone into, everything else is read as a whole.
    fn begin(&mut self, node: Node) -> Result<(), FileError> {
        let Some(above) = self.path.last().copied() else {
            if self.begun || node.name != "КоммерческаяИнформация" {
                return Err(FileError::Root(crate::rows::short(&node.name)));
            }
            self.begun = true;
            self.made_at = node.attribute("ДатаФормирования").unwrap_or_default().into();
            self.path.push(Section::Root);
            return Ok(());
        };
        if let Some(section) = opens(&self.path, &node.name) {
            if let Some(part) = part_of(section) {
                let changes_only = node.attribute("СодержитТолькоИзменения").and_then(flag);
                // The old way of saying it: an element of its own.
                let delta = (node.name == "ИзмененияПакетаПредложений").then_some(true);
                let (catalogue, classifier) = (String::new(), self.classifier.clone());
                self.head = Some(Head {
                    part,
                    catalogue,
                    classifier,
                    name: String::new(),
                    changes_only: delta.or(changes_only),
                });
                self.announced = false;
            }
            if matches!(section, Section::List(Listed::Products | Listed::Offers)) {
                self.announce();
            }
            self.path.push(section);
            return Ok(());
        }
        let node = self.whole(node)?;
        self.take(above, &node);
        Ok(())
    }

    fn announce(&mut self) {
        if let Some(head) = self.head.as_ref().filter(|_| !self.announced) {
            self.queue.push_back(Item::Opened(head.clone()));
            self.announced = true;
        }
    }

    fn end(&mut self) {
        let Some(section) = self.path.pop() else { return };
        if part_of(section).is_some() {
            self.announce();
            self.queue.extend(self.head.take().map(Item::Closed));
        }
    }

    /// Reads an element with everything in it.
    fn whole(&mut self, root: Node) -> Result<Node, FileError> {
        let begins = self.xml.buffer_position();
        let mut open = vec![root];
        let (mut nodes, mut buffer) = (1usize, Vec::new());
        loop {
            let event = self.event(&mut buffer)?;
            match event {
                Event::Start(start) => {
                    nodes += 1;
                    if self.path.len() + open.len() >= DEEP {
                        return Err(self.wrong(format!("elements lie more than {DEEP} levels deep")));
                    }
                    if nodes > NODES_MAX || self.xml.buffer_position() - begins > ELEMENT_MAX {
                        return Err(self.wrong(format!("one <{}> is larger than is taken", open[0].name)));
                    }
                    let node = self.started(&start)?;
                    open.push(node);
                }
                Event::End(_) => {
                    let Some(node) = open.pop() else { return Err(self.wrong("an end without a beginning")) };
                    match open.last_mut() {
                        Some(above) => above.children.push(node),
                        None => return Ok(node),
                    }
                }
                Event::Text(text) => {
                    let text = text.xml_content().map_err(|e| self.wrong(e))?;
                    open.last_mut().map(|n| n.text.push_str(&text)).unwrap_or_default();
                }
                Event::CData(text) => {
                    let text = text.decode().map_err(|e| self.wrong(e))?;
                    open.last_mut().map(|n| n.text.push_str(&text)).unwrap_or_default();
                }
                Event::GeneralRef(name) => {
                    let letter = self.entity(&name)?;
                    open.last_mut().map(|n| n.text.push(letter)).unwrap_or_default();
                }
                Event::Eof => return Err(self.wrong("the file ends in the middle")),
                _ => {}
            }
        }
    }

    /// What a whole element is.
    fn take(&mut self, above: Section, node: &Node) {
        let mut out = Vec::new();
        match (above, node.name.as_str()) {
            (Section::Classifier, "Группы") => build::groups(node, &mut out),
            (Section::Classifier, "Ид") => self.classifier = node.text.trim().into(),
            (Section::Classifier, _) => {}
            (Section::Goods | Section::Offers, name) => {
                let text = node.text.trim();
                if let Some(head) = &mut self.head {
                    match name {
                        "Ид" if head.part == Part::Goods => head.catalogue = text.into(),
                        // `catalogue#` in packages of newer programs; `ИдКаталога` says it plainly and wins.
                        "Ид" if head.catalogue.is_empty() => {
                            head.catalogue = text.split('#').next().unwrap_or_default().into();
                        }
                        "ИдКаталога" => head.catalogue = text.into(),
                        "ИдКлассификатора" => head.classifier = text.into(),
                        "Наименование" => head.name = text.into(),
                        "СодержитТолькоИзменения" => head.changes_only = flag(text),
                        _ => {}
                    }
                }
            }
            (Section::List(Listed::Properties), "Свойство" | "СвойствоНоменклатуры") => {
                out.push(build::property(node));
            }
            (Section::List(Listed::PriceTypes), "ТипЦены") => out.push(build::price_type(node)),
            (Section::List(Listed::Warehouses), "Склад") => out.push(build::warehouse(node)),
            (Section::List(Listed::Products), "Товар") => out.push(build::product(node)),
            (Section::List(Listed::Offers), "Предложение") => out.push(build::offer(node)),
            (Section::Root | Section::Container, "Документ") => out.push(orders::document(node)),
            (Section::Root, name) => out.push(Item::Other(crate::rows::short(name))),
            _ => {}
        }
        self.queue.extend(out);
    }
}

fn part_of(section: Section) -> Option<Part> {
    match section {
        Section::Goods => Some(Part::Goods),
        Section::Offers => Some(Part::Offers),
        _ => None,
    }
}
