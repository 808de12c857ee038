//! Pictures and documents of products: bytes in a folder of the shop, named by the hash of what they are.
//!
//! The folder is a thin layer of ours: `object_store` would be a client for one `write` and one `read`; when files go to a
//! bucket one day, [`Folder`] is the only place that changes.
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes of a file.
pub const SIZE_MAX: usize = 20 << 20;
/// Pixels of a picture, so that a small file cannot fill memory.
const PIXELS_MAX: u64 = 60_000_000;
/// Sides of thumbnails, in pixels.
pub const SIDES: [u32; 3] = [96, 320, 960];

/// Where files lie.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

/// What a file is, by its first bytes: what it is called by says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Jpeg,
    Png,
    Webp,
    Pdf,
}

impl Kind {
    /// By the first bytes.
    pub fn sniff(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some(Self::Png),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Self::Webp),
            [b'%', b'P', b'D', b'F', b'-', ..] => Some(Self::Pdf),
            _ => None,
        }
    }
    /// The type under which it is served: one that a browser shows without running it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
            Self::Pdf => "application/pdf",
        }
    }
    fn format(self) -> Option<image::ImageFormat> {
        match self {
            Self::Jpeg => Some(image::ImageFormat::Jpeg),
            Self::Png => Some(image::ImageFormat::Png),
            Self::Webp => Some(image::ImageFormat::WebP),
            Self::Pdf => None,
        }
    }
}

/// A file that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// SHA-256 in hexadecimal digits.
    pub hash: String,
    pub kind: Kind,
    pub bytes: u64,
    /// Pixels; 0 for what is no picture.
    pub width: u32,
    pub height: u32,
}

/// Why a file is not kept.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    #[error("the file is empty")]
    Empty,
    #[error("a file has at most {} MiB", SIZE_MAX >> 20)]
    Large,
    #[error("the file is neither JPEG, PNG, WebP nor PDF")]
    Kind,
    #[error("the picture cannot be read: {0}")]
    Picture(String),
    #[error("a picture has at most {} million pixels", PIXELS_MAX / 1_000_000)]
    Pixels,
    #[error("the file cannot be written: {0}")]
    Io(#[from] std::io::Error),
}

impl Folder {
    /// The folder; made with its first file.
    pub fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }
    fn place(&self, hash: &str) -> PathBuf {
        self.0.join(&hash[..2]).join(hash)
    }

    /// Keeps a file and makes its thumbnails. The same bytes are kept once.
    pub fn keep(&self, bytes: &[u8]) -> Result<Kept, MediaError> {
        if bytes.is_empty() {
            return Err(MediaError::Empty);
        }
        if bytes.len() > SIZE_MAX {
            return Err(MediaError::Large);
        }
        let kind = Kind::sniff(bytes).ok_or(MediaError::Kind)?;
        let hash = crate::secrets::hex(&<sha2::Sha256 as sha2::Digest>::digest(bytes));
        let path = self.place(&hash);
        let (width, height) = match kind.format() {
            Some(format) => thumbnails(bytes, format, &path)?,
            None => (0, 0),
        };
        write_whole(&path, bytes)?;
        Ok(Kept { hash, kind, bytes: bytes.len() as u64, width, height })
    }

    /// A file, or its thumbnail of a side.
    pub fn read(&self, hash: &str, side: Option<u32>) -> std::io::Result<Option<(Kind, Vec<u8>)>> {
        if !catalog::values::is_hash(hash) || side.is_some_and(|s| !SIDES.contains(&s)) {
            return Ok(None);
        }
        let path = self.place(hash);
        let path = side.map_or(path.clone(), |s| path.with_extension(s.to_string()));
        match std::fs::read(path) {
            Ok(bytes) => Ok(Kind::sniff(&bytes).map(|kind| (kind, bytes))),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Makes the thumbnails of a picture, JPEG each; gives its sides. JPEG knows no transparency: what was transparent is white.
fn thumbnails(bytes: &[u8], format: image::ImageFormat, path: &Path) -> Result<(u32, u32), MediaError> {
    let broken = |e: image::ImageError| MediaError::Picture(e.to_string());
    let reader = || image::ImageReader::with_format(std::io::Cursor::new(bytes), format);
    let (width, height) = reader().into_dimensions().map_err(broken)?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(MediaError::Pixels);
    }
    let picture = reader().decode().map_err(broken)?;
    for side in SIDES {
        let small = if width.max(height) > side { picture.thumbnail(side, side) } else { picture.clone() };
        let mut canvas = image::RgbImage::new(small.width(), small.height());
        for (x, y, pixel) in small.to_rgba8().enumerate_pixels() {
            let alpha = u32::from(pixel[3]);
            let over = |c: u8| ((u32::from(c) * alpha + 255 * (255 - alpha)) / 255) as u8;
            canvas.put_pixel(x, y, image::Rgb([over(pixel[0]), over(pixel[1]), over(pixel[2])]));
        }
        let mut out = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut out, 82);
        canvas.write_with_encoder(encoder).map_err(broken)?;
        write_whole(&path.with_extension(side.to_string()), &out)?;
    }
    Ok((width, height))
}

/// Writes under another name and renames, so that nobody reads half a file.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut name = path.as_os_str().to_os_string();
    name.push(format!(".{}.new", std::process::id()));
    let waiting = PathBuf::from(name);
    let mut file = std::fs::File::create(&waiting)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(waiting, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgba8(width, height).write_to(&mut out, image::ImageFormat::Png).expect("a picture");
        out.into_inner()
    }

    #[test]
    fn a_picture_is_kept_once_with_thumbnails() {
        // [L1] media of the one catalogue.
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(place.path());
        let kept = folder.keep(&png(400, 100)).expect("kept");
        assert_eq!((kept.kind, kept.width, kept.height), (Kind::Png, 400, 100));
        assert_eq!(folder.keep(&png(400, 100)).expect("kept").hash, kept.hash);
        let (kind, small) = folder.read(&kept.hash, Some(96)).expect("read").expect("there");
        let small = image::load_from_memory(&small).expect("a picture");
        assert_eq!((kind, small.width(), small.height()), (Kind::Jpeg, 96, 24));
        assert!(folder.read(&kept.hash, Some(97)).expect("read").is_none());
        assert!(folder.read("../../etc/passwd", None).expect("read").is_none());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(place.path());
        for bad in [&b""[..], b"<svg onload=alert(1)>", b"<html>", b"\x89PNG\r\n\x1a\nbroken", b"GIF89a"] {
            assert!(folder.keep(bad).is_err(), "{bad:?}");
        }
        assert_eq!(folder.keep(b"%PDF-1.7 ...").expect("kept").kind.media_type(), "application/pdf");
    }
}
