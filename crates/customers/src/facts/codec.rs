//! Standing facts as bytes: one flag byte says which lists follow, so that a young profile pays for what it has.
use super::{Day, Facts, Lost, Order, Rare, Recents, Sale, Span, Tally};
use crate::codec::{list, put_time, time};
use crate::model::Currency;
use db::DbError;
use db::pack::{Reader, put_bytes, put_i64, put_u64};

const TALLIES: u8 = 1;
const HOURS: u8 = 2;
const SPANS: u8 = 4;
const RECENTS: u8 = 8;
const RARE: u8 = 16;

impl Facts {
    /// Appends the packed form; equal facts give equal bytes. Times are kept as differences from `base`.
    pub fn encode(&self, base: i64, out: &mut Vec<u8>) {
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        let recents = self.recents.bytes();
        out.push(
            flag(!self.tallies.is_empty(), TALLIES)
                | flag(!self.hours.is_empty(), HOURS)
                | flag(!self.spans.is_empty(), SPANS)
                | flag(!recents.is_empty(), RECENTS)
                | flag(self.rare.is_some(), RARE),
        );
        if !self.tallies.is_empty() {
            put_u64(out, self.tallies.len() as u64);
            let mut before = 0;
            for tally in &self.tallies {
                put_u64(out, u64::from(tally.period - before));
                before = tally.period;
                out.extend_from_slice(&[tally.act, tally.place]);
                put_u64(out, u64::from(tally.count));
            }
        }
        if !self.hours.is_empty() {
            put_u64(out, self.hours.len() as u64);
            let mut before = 0;
            for (slot, count) in &self.hours {
                put_u64(out, u64::from(slot - before));
                before = *slot;
                put_u64(out, u64::from(*count));
            }
        }
        if !self.spans.is_empty() {
            put_u64(out, self.spans.len() as u64);
            for span in &self.spans {
                out.push(span.channel);
                put_time(out, span.first, base);
                put_time(out, span.last, span.first.micros());
            }
        }
        if !recents.is_empty() {
            put_bytes(out, recents);
        }
        if let Some(rare) = &self.rare {
            rare.encode(base, out);
        }
    }

    /// The inverse of [`Facts::encode`].
    pub fn decode(base: i64, reader: &mut Reader<'_>) -> Result<Self, DbError> {
        let flags = reader.u8()?;
        let mut facts = Facts::default();
        if flags & TALLIES != 0 {
            let mut before = 0u16;
            facts.tallies = list(reader, |r| {
                before = before.checked_add(small(r.u64()?)?).ok_or_else(wrong)?;
                let (act, place) = (r.u8()?, r.u8()?);
                Ok(Tally { period: before, act, place, count: small(r.u64()?)? })
            })?;
        }
        if flags & HOURS != 0 {
            let mut before = 0u16;
            facts.hours = list(reader, |r| {
                before = before.checked_add(small(r.u64()?)?).ok_or_else(wrong)?;
                Ok((before, small(r.u64()?)?))
            })?;
        }
        if flags & SPANS != 0 {
            facts.spans = list(reader, |r| {
                let channel = r.u8()?;
                let first = time(r, base)?;
                Ok(Span { channel, first, last: time(r, first.micros())? })
            })?;
        }
        if flags & RECENTS != 0 {
            facts.recents = Recents::from_bytes(reader.bytes()?).ok_or_else(wrong)?;
        }
        if flags & RARE != 0 {
            facts.rare = Some(Box::new(Rare::decode(base, reader)?));
        }
        facts.tallies.shrink_to_fit();
        facts.hours.shrink_to_fit();
        facts.spans.shrink_to_fit();
        Ok(facts)
    }
}

fn wrong() -> DbError {
    DbError::damaged("a profile", "its standing facts cannot be read")
}

fn small<T: TryFrom<u64>>(value: u64) -> Result<T, DbError> {
    T::try_from(value).map_err(|_| wrong())
}

fn currency(r: &mut Reader<'_>) -> Result<Currency, DbError> {
    Ok(Currency([r.u8()?, r.u8()?, r.u8()?]))
}

impl Rare {
    fn encode(&self, base: i64, out: &mut Vec<u8>) {
        out.push(u8::from(self.first_order.is_some()));
        if let Some(first) = self.first_order {
            put_time(out, first, base);
        }
        put_u64(out, self.sales.len() as u64);
        for sale in &self.sales {
            out.push(sale.channel);
            out.extend_from_slice(&sale.currency.0);
            put_u64(out, u64::from(sale.orders));
            put_i64(out, sale.revenue);
            put_u64(out, u64::from(sale.returns));
            put_i64(out, sale.returned);
        }
        put_u64(out, self.days.len() as u64);
        for day in &self.days {
            put_i64(out, i64::from(day.day));
            out.extend_from_slice(&day.currency.0);
            put_i64(out, day.income);
            put_u64(out, u64::from(day.orders));
        }
        put_u64(out, self.served.len() as u64);
        for (day, seconds) in &self.served {
            put_i64(out, i64::from(*day));
            put_u64(out, u64::from(*seconds));
        }
        put_u64(out, self.orders.len() as u64);
        for order in &self.orders {
            put_time(out, order.at, base);
            put_bytes(out, order.message_id.as_bytes());
            out.push(order.channel);
            out.extend_from_slice(&order.currency.unwrap_or(Currency::NONE).0);
            put_i64(out, order.minor);
            put_bytes(out, order.order_id.as_bytes());
        }
        put_u64(out, self.lost.len() as u64);
        for lost in &self.lost {
            out.push(lost.channel);
            put_bytes(out, lost.address.as_bytes());
            put_time(out, lost.at, base);
            put_bytes(out, lost.message_id.as_bytes());
            out.push(lost.reason);
        }
    }

    fn decode(base: i64, reader: &mut Reader<'_>) -> Result<Self, DbError> {
        let first_order = if reader.u8()? == 0 { None } else { Some(time(reader, base)?) };
        Ok(Rare {
            first_order,
            sales: list(reader, |r| {
                let (channel, currency) = (r.u8()?, currency(r)?);
                let (orders, revenue) = (small(r.u64()?)?, r.i64()?);
                Ok(Sale { channel, currency, orders, revenue, returns: small(r.u64()?)?, returned: r.i64()? })
            })?,
            days: list(reader, |r| {
                let day = i32::try_from(r.i64()?).map_err(|_| wrong())?;
                Ok(Day { day, currency: currency(r)?, income: r.i64()?, orders: small(r.u64()?)? })
            })?,
            served: list(reader, |r| Ok((i32::try_from(r.i64()?).map_err(|_| wrong())?, small(r.u64()?)?)))?,
            orders: list(reader, |r| {
                let (at, message_id, channel) = (time(r, base)?, r.str()?.into(), r.u8()?);
                let currency = Some(currency(r)?).filter(|c| *c != Currency::NONE);
                Ok(Order { at, message_id, channel, currency, minor: r.i64()?, order_id: r.str()?.into() })
            })?,
            lost: list(reader, |r| {
                let (channel, address) = (r.u8()?, r.str()?.into());
                Ok(Lost { channel, address, at: time(r, base)?, message_id: r.str()?.into(), reason: r.u8()? })
            })?,
        })
    }
}
