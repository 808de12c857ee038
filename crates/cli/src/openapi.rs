//! `braid openapi`: the document of the admin API.
use crate::printer::Printer;
use crate::stop::Outcome;

/// Prints it.
pub fn run(printer: &mut Printer) -> Outcome {
    write!(printer.out(), "{}", server::api::document_text())?;
    Ok(())
}
