//! The index's files and fields.
use std::path::{Path, PathBuf};
use tantivy::directory::MmapDirectory;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexReader, ReloadPolicy};

/// Moves when documents are made otherwise: an index of another format is built anew.
const FORMAT: &str = "2";

/// How far an index follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct At {
    /// Moves when every product is looked at once more.
    pub epoch: i64,
    /// The position in the catalogue's changes.
    pub change: i64,
    /// The position in those of prices.
    pub priced_to: i64,
}

impl At {
    pub(crate) fn text(self) -> String {
        format!("{}.{}.{}", self.epoch, self.change, self.priced_to)
    }
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| part.parse().ok());
        Some(Self { epoch: parts.next()??, change: parts.next()??, priced_to: parts.next()?? })
    }
}

/// Where prices of a channel stand in the field `prices`.
pub fn channel_path(channel_no: i64) -> String {
    format!("c{channel_no}")
}

/// Why a search cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    #[error(
        "the search index cannot be read: {0}; stop Braid, delete the folder search and start again: it is built anew"
    )]
    Index(#[from] tantivy::TantivyError),
    #[error("the folder of the search index cannot be made: {0}")]
    Folder(#[from] std::io::Error),
    #[error(transparent)]
    Store(#[from] db::DbError),
}

/// The fields of a product in the index.
#[derive(Debug, Clone, Copy)]
pub struct Fields {
    pub no: Field,
    /// Stems of names, brand, and its other names.
    pub title: Field,
    /// Stems of everything else that is said of it.
    pub body: Field,
    /// How the words of names and brand sound.
    pub sound: Field,
    /// Ids, SKUs, GTINs.
    pub exact: Field,
    /// `kind\u{1}value`: what it is filtered and counted by.
    pub facet: Field,
    /// The lowest price of a variant where no channel is asked.
    pub price: Field,
    /// The lowest price by channel, under [`channel_path`].
    pub prices: Field,
    pub made: Field,
}

/// An open index.
pub struct Index {
    pub(crate) index: tantivy::Index,
    pub(crate) reader: IndexReader,
    pub fields: Fields,
    pub folder: PathBuf,
}

fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let words = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer("whitespace")
            .set_fieldnorms(true)
            .set_index_option(IndexRecordOption::WithFreqs),
    );
    let fields = Fields {
        no: builder.add_i64_field("no", INDEXED | FAST | STORED),
        title: builder.add_text_field("title", words.clone()),
        body: builder.add_text_field("body", words.clone()),
        sound: builder.add_text_field("sound", words),
        exact: builder.add_text_field("exact", STRING),
        facet: builder.add_text_field("facet", STRING | FAST),
        price: builder.add_i64_field("price", FAST),
        prices: builder.add_json_field("prices", FAST),
        made: builder.add_i64_field("made", FAST),
    };
    (builder.build(), fields)
}

impl Index {
    /// Opens the index of a folder; makes an empty one where there is none, or one that cannot be read.
    pub fn open(folder: &Path) -> Result<Self, SearchError> {
        let folder = folder.join(format!("products-{FORMAT}"));
        match Self::open_in(&folder) {
            Err(SearchError::Index(error)) => {
                tracing::warn!(%error, "the search index is damaged and built anew");
                std::fs::remove_dir_all(&folder)?;
                Self::open_in(&folder)
            }
            opened => opened,
        }
    }

    fn open_in(folder: &Path) -> Result<Self, SearchError> {
        std::fs::create_dir_all(folder)?;
        let (schema, fields) = schema();
        let directory = MmapDirectory::open(folder).map_err(tantivy::TantivyError::from)?;
        let index = tantivy::Index::open_or_create(directory, schema)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        Ok(Self { index, reader, fields, folder: folder.to_path_buf() })
    }

    /// How many products are in it.
    pub fn len(&self) -> u64 {
        self.reader.searcher().num_docs()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// What the last commit carried.
    pub fn position(&self) -> Result<At, SearchError> {
        let meta = self.index.load_metas()?;
        Ok(meta.payload.as_deref().and_then(At::parse).unwrap_or_default())
    }
    /// Shows what was committed to searches.
    pub fn reload(&self) -> Result<(), SearchError> {
        Ok(self.reader.reload()?)
    }
}
