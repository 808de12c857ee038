//! The index's files and fields.
use std::path::{Path, PathBuf};
use tantivy::directory::MmapDirectory;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{IndexReader, ReloadPolicy};

/// Moves when documents are made otherwise: an index of another format is built anew.
const FORMAT: &str = "1";

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
    pub price: Field,
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
    /// What the last commit carried: the epoch and the position in the catalogue's changes.
    pub fn position(&self) -> Result<(i64, i64), SearchError> {
        let meta = self.index.load_metas()?;
        let read = |text: &str| {
            let (epoch, change) = text.split_once('.')?;
            Some((epoch.parse().ok()?, change.parse().ok()?))
        };
        Ok(meta.payload.as_deref().and_then(read).unwrap_or((0, 0)))
    }
    /// Shows what was committed to searches.
    pub fn reload(&self) -> Result<(), SearchError> {
        Ok(self.reader.reload()?)
    }
}
