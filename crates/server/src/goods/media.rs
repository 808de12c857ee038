//! Pictures and documents of products: bytes in a folder of the shop or in a bucket, named by the hash of what they are.
use connect::objects::{Objects, ObjectsError};

/// Bytes of a file.
pub const SIZE_MAX: usize = 20 << 20;
/// Pixels of a picture, so that a small file cannot fill memory.
const PIXELS_MAX: u64 = 60_000_000;
/// Sides of thumbnails, in pixels.
pub const SIDES: [u32; 3] = [96, 320, 960];

/// Where files lie.
#[derive(Clone)]
pub struct Media(Objects);

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
    Kept(#[from] ObjectsError),
}

/// A file's name, and that of its thumbnail of a side.
fn name(hash: &str, side: Option<u32>) -> String {
    let of = side.map_or(String::new(), |side| format!(".{side}"));
    format!("{}/{hash}{of}", &hash[..2])
}

impl Media {
    pub fn new(objects: Objects) -> Self {
        Self(objects)
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
        let (width, height) = match kind.format() {
            Some(format) => {
                let (sides, small) = thumbnails(bytes, format)?;
                for (side, bytes) in small {
                    self.0.put(&name(&hash, Some(side)), bytes)?;
                }
                sides
            }
            None => (0, 0),
        };
        self.0.put(&name(&hash, None), bytes.to_vec())?;
        Ok(Kept { hash, kind, bytes: bytes.len() as u64, width, height })
    }

    /// A file, or its thumbnail of a side.
    pub fn read(&self, hash: &str, side: Option<u32>) -> Result<Option<(Kind, Vec<u8>)>, ObjectsError> {
        if !catalog::values::is_hash(hash) || side.is_some_and(|s| !SIDES.contains(&s)) {
            return Ok(None);
        }
        let found = self.0.get(&name(hash, side))?;
        Ok(found.and_then(|bytes| Kind::sniff(&bytes).map(|kind| (kind, bytes))))
    }
}

/// Sides of a picture, and its thumbnails by their side.
type Thumbnails = ((u32, u32), Vec<(u32, Vec<u8>)>);

/// Makes the thumbnails of a picture, JPEG each; gives its sides. JPEG knows no transparency: what was transparent is white.
fn thumbnails(bytes: &[u8], format: image::ImageFormat) -> Result<Thumbnails, MediaError> {
    let broken = |e: image::ImageError| MediaError::Picture(e.to_string());
    let reader = || image::ImageReader::with_format(std::io::Cursor::new(bytes), format);
    let (width, height) = reader().into_dimensions().map_err(broken)?;
    if u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(MediaError::Pixels);
    }
    let picture = reader().decode().map_err(broken)?;
    let mut made = Vec::with_capacity(SIDES.len());
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
        made.push((side, out));
    }
    Ok(((width, height), made))
}

#[cfg(test)]
mod tests {
    use super::*;
    use connect::objects::Place;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgba8(width, height).write_to(&mut out, image::ImageFormat::Png).expect("a picture");
        out.into_inner()
    }

    #[test]
    fn a_picture_is_kept_once_with_thumbnails() {
        // [L1] media of the one catalogue.
        let place = tempfile::tempdir().expect("a folder");
        let folder = Media::new(Objects::open(&Place::Folder("media".into()), place.path()).expect("open"));
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
    fn pictures_lie_in_a_bucket_too() {
        let fake = connect::fake::FakeBucket::start("goods", "eu-west-1");
        let url =
            format!("s3://{}:{}@goods?region=eu-west-1&endpoint={}", fake.access_key(), fake.secret_key(), fake.url());
        let place = Place::parse(&url).expect("a bucket");
        let media = Media::new(Objects::open(&place, std::path::Path::new("/")).expect("open"));
        let kept = media.keep(&png(400, 100)).expect("kept");
        assert_eq!(fake.names().len(), 1 + SIDES.len());
        let (kind, _) = media.read(&kept.hash, Some(320)).expect("read").expect("there");
        assert_eq!(kind, Kind::Jpeg);
        fake.then([connect::fake::BucketTrick::Error; 9]);
        assert!(matches!(media.keep(&png(3, 3)), Err(MediaError::Kept(_))), "a broken bucket is no picture's fault");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = Media::new(Objects::open(&Place::Folder("media".into()), place.path()).expect("open"));
        for bad in [&b""[..], b"<svg onload=alert(1)>", b"<html>", b"\x89PNG\r\n\x1a\nbroken", b"GIF89a"] {
            assert!(folder.keep(bad).is_err(), "{bad:?}");
        }
        assert_eq!(folder.keep(b"%PDF-1.7 ...").expect("kept").kind.media_type(), "application/pdf");
    }
}
