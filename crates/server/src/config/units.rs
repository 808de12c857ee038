//! Values with units, as they are written in `braid.toml`: `"250ms"`, `"64MiB"`.

/// Microseconds of a duration such as `250ms`, `60s`, `10m`, `24h`, `30d`.
pub fn duration_us(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => base::SECOND_US,
        "m" | "min" => base::MINUTE_US,
        "h" => base::HOUR_US,
        "d" => base::DAY_US,
        _ => return None,
    };
    number.checked_mul(factor)
}

/// Bytes of a size such as `500KiB`, `64MiB`, `1GiB`, `512B`.
pub fn bytes(text: &str) -> Option<i64> {
    let (number, unit) = split(text)?;
    let factor = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn split(text: &str) -> Option<(i64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let number = text.get(..end)?.parse().ok()?;
    Some((number, text.get(end..)?.trim()))
}
