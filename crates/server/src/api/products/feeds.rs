//! `/feeds`: lists of goods for others to fetch; and the address at which they are fetched.
use crate::app::App;
use crate::caller::{ReadCatalog, WriteCatalog};
use crate::change::{Done, check_version};
use crate::input::{Id, Input, List, Nothing, if_match};
use crate::problem::{BAD_INPUT, CONFLICT, NOT_FOUND, Problem};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use base::Timestamp;
use bytes::Bytes;
use catalog::feeds::{self, Feed, Format};
use catalog::schema::Schema;
use db::Engine;
use http_body::Frame;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc;

/// Items read at once while a feed is fetched.
const PAGE: i64 = 500;
/// Feeds of a shop.
const FEEDS_MAX: usize = 100;

/// How a feed is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FeedFormat {
    GoogleMerchant,
    Yml,
}

/// A feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = ProductFeed)]
pub struct FeedWire {
    id: Id,
    name: String,
    format: FeedFormat,
    /// Code of a channel of sale.
    channel: String,
    locale: String,
    currency: String,
    /// The region of the channel whose price lists hold for it; empty = none.
    region: String,
    /// Address of a product's page; `{id}` and `{sku}` are filled in.
    link: String,
    active: bool,
    /// Where it is fetched.
    url: String,
    /// Items that it shows.
    items: i64,
    /// Variants that it leaves out.
    left_out: i64,
    /// Why, with one SKU each.
    reasons: Vec<FeedReason>,
    /// Whether it shows everything that the catalogue says.
    up_to_date: bool,
    #[schema(value_type = Option<String>, format = DateTime)]
    followed_at: Option<Timestamp>,
    version: i64,
}

/// Why variants are left out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FeedReason {
    /// not_offered, other_category, assortment, no_price or no_picture.
    why: String,
    count: i64,
    /// One of them.
    sku: String,
}

/// A feed to make or change.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProductFeedInput)]
pub struct FeedInput {
    name: String,
    format: FeedFormat,
    channel: String,
    locale: String,
    currency: String,
    /// The region of the channel whose price lists hold for it; empty = none.
    #[serde(default)]
    region: String,
    link: String,
    #[serde(default = "yes")]
    active: bool,
}

fn yes() -> bool {
    true
}

fn wire(db: &mut Engine, app_url: &str, f: Feed) -> Result<FeedWire, Problem> {
    let schema = Schema::load(db)?;
    let (items, left_out) = feeds::counts(db, f.no)?;
    let reasons = feeds::left_out(db, f.no)?;
    let behind = f.active && feeds::waiting(db)?.contains(&f.no);
    Ok(FeedWire {
        id: Id(f.no),
        name: f.name,
        format: match f.format {
            Format::GoogleMerchant => FeedFormat::GoogleMerchant,
            Format::Yml => FeedFormat::Yml,
        },
        channel: schema.channels.iter().find(|c| c.no == f.channel_no).map(|c| c.code.clone()).unwrap_or_default(),
        locale: f.locale,
        currency: f.currency,
        region: f.region,
        link: f.link,
        active: f.active,
        url: format!("{}/feed/{}", app_url.trim_end_matches('/'), f.token),
        items,
        left_out,
        reasons: reasons.into_iter().map(|(why, count, sku)| FeedReason { why, count, sku }).collect(),
        up_to_date: !behind,
        followed_at: Some(f.followed_at).filter(|t| t.micros() > 0),
        version: f.version,
    })
}

fn checked(schema: &Schema, new: &FeedInput) -> Result<i64, Problem> {
    if new.name.trim().is_empty() || new.name.chars().count() > 200 {
        return Err(BAD_INPUT.at("/name", "a name has 1 to 200 characters"));
    }
    let channel = schema.channel(&new.channel);
    let channel = channel.ok_or_else(|| BAD_INPUT.at("/channel", format!("there is no channel {:?}", new.channel)))?;
    if !channel.locales.contains(&new.locale) {
        return Err(BAD_INPUT.at("/locale", format!("the channel speaks {}", channel.locales.join(", "))));
    }
    if !channel.currencies.contains(&new.currency) {
        return Err(BAD_INPUT.at("/currency", format!("the channel sells in {}", channel.currencies.join(", "))));
    }
    if new.region.chars().count() > 200 {
        return Err(BAD_INPUT.at("/region", "a region has at most 200 characters"));
    }
    let web = new.link.starts_with("https://") || new.link.starts_with("http://");
    if !web || new.link.len() > 500 || !(new.link.contains("{id}") || new.link.contains("{sku}")) {
        return Err(BAD_INPUT.at("/link", "the address of a product's page, with {id} or {sku} in it"));
    }
    Ok(channel.no)
}

/// Lists feeds.
#[utoipa::path(get, path = "/api/v1/feeds", tag = "catalog", responses((status = 200, body = inline(List<FeedWire>))))]
pub async fn list_feeds(State(app): State<Arc<App>>, _: ReadCatalog) -> Result<Json<List<FeedWire>>, Problem> {
    let url = app.public_url.clone();
    let items = app
        .query(move |db| {
            let all = feeds::list(db)?;
            all.into_iter().map(|f| wire(db, &url, f)).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    Ok(Json(List::whole(items)))
}

/// Makes a feed; its address is made with it and known to nobody who is not told.
#[utoipa::path(post, path = "/api/v1/feeds", tag = "catalog", request_body = FeedInput,
    responses((status = 201, body = FeedWire)))]
pub async fn create_feed(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    input: Input<FeedInput>,
) -> Result<Response, Problem> {
    let (new, url, token) = (input.value, app.public_url.clone(), base::random_token());
    app.change(&caller, input.request, move |tx| {
        if feeds::list(tx.engine())?.len() >= FEEDS_MAX {
            return Err(CONFLICT.because(format!("a shop has at most {FEEDS_MAX} feeds")));
        }
        let channel_no = checked(&*catalog::schema::held(tx)?, &new)?;
        let feed = Feed {
            no: tx.next_id(),
            name: new.name.trim().into(),
            format: format(new.format),
            channel_no,
            locale: new.locale.clone(),
            currency: new.currency.clone(),
            region: new.region.trim().into(),
            link: new.link.clone(),
            token: token.clone(),
            active: new.active,
            position: 0,
            // Items that are rendered from here on show the prices of their moment.
            priced_to: tx.next_id(),
            followed_at: Timestamp::default(),
            version: 1,
        };
        feeds::put(tx, &feed)?;
        let (no, after) = (feed.no, json!({"name": feed.name, "format": feed.format.as_str(), "channel": new.channel}));
        let body = wire(tx.engine(), &url, feed)?;
        Ok(Done::created(body).versioned(1).noted(("create", "feed"), no, None, Some(after)))
    })
    .await
}

fn format(format: FeedFormat) -> Format {
    match format {
        FeedFormat::GoogleMerchant => Format::GoogleMerchant,
        FeedFormat::Yml => Format::Yml,
    }
}

/// Changes a feed; every item is looked at once more, and written where it differs.
#[utoipa::path(put, path = "/api/v1/feeds/{id}", tag = "catalog", params(("id" = String, Path)), request_body = FeedInput,
    responses((status = 200, body = FeedWire)))]
pub async fn update_feed(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(id): Path<String>,
    headers: HeaderMap,
    input: Input<FeedInput>,
) -> Result<Response, Problem> {
    let (id, wanted, new, url) = (Id::in_path(&id)?, if_match(&headers)?, input.value, app.public_url.clone());
    app.change(&caller, input.request, move |tx| {
        let known = feeds::find(tx.engine(), id)?.ok_or_else(|| NOT_FOUND.because(format!("there is no feed {id}")))?;
        check_version(wanted, known.version)?;
        let channel_no = checked(&*catalog::schema::held(tx)?, &new)?;
        let before = json!({"name": known.name, "active": known.active});
        let feed = Feed {
            name: new.name.trim().into(),
            format: format(new.format),
            channel_no,
            locale: new.locale.clone(),
            currency: new.currency.clone(),
            region: new.region.trim().into(),
            link: new.link.clone(),
            active: new.active,
            position: 0,
            priced_to: tx.next_id(),
            version: known.version + 1,
            ..known
        };
        feeds::put(tx, &feed)?;
        let (version, after) = (feed.version, json!({"name": feed.name, "active": feed.active}));
        let body = wire(tx.engine(), &url, feed)?;
        Ok(Done::ok(body).versioned(version).noted(("update", "feed"), id, Some(before), Some(after)))
    })
    .await
}

/// Takes a feed away; its address answers nobody any more.
#[utoipa::path(delete, path = "/api/v1/feeds/{id}", tag = "catalog", params(("id" = String, Path)), responses((status = 204)))]
pub async fn delete_feed(
    State(app): State<Arc<App>>,
    WriteCatalog(caller): WriteCatalog,
    Path(id): Path<String>,
    input: Input<Nothing>,
) -> Result<Response, Problem> {
    let id = Id::in_path(&id)?;
    app.change(&caller, input.request, move |tx| {
        let known = feeds::find(tx.engine(), id)?.ok_or_else(|| NOT_FOUND.because(format!("there is no feed {id}")))?;
        feeds::delete(tx, id)?;
        Ok(Done::nothing().noted(("delete", "feed"), id, Some(json!({"name": known.name})), None))
    })
    .await
}

/// The feed as whoever fetches it gets it: head, items as they were rendered, foot. Its address is its key.
pub async fn fetch_feed(State(app): State<Arc<App>>, Path(token): Path<String>) -> Result<Response, Problem> {
    let token = token.trim_end_matches(".xml").to_string();
    let (shop, now) = (app.public_url.clone(), app.now().to_string());
    let found = app
        .query(move |db| {
            let feed = feeds::by_token(db, &token)?.ok_or_else(|| NOT_FOUND.because("there is no such feed"))?;
            let schema = Schema::load(db)?;
            let channel = schema.channels.iter().find(|c| c.no == feed.channel_no).cloned();
            let channel = channel.ok_or_else(|| NOT_FOUND.because("the feed's channel is gone"))?;
            Ok((feeds::render::head(&schema, &channel, &feed, &shop, &now), feed))
        })
        .await?;
    let (head, feed) = found;
    let (sender, pieces) = mpsc::channel::<Result<Bytes, std::io::Error>>(2);
    let shared = app.clone();
    tokio::spawn(async move {
        if sender.send(Ok(Bytes::from(head))).await.is_err() {
            return;
        }
        let mut after = 0;
        loop {
            let page = shared.query(move |db| Ok(feeds::items(db, feed.no, after, PAGE)?)).await;
            let Ok(page) = page else {
                let _ = sender.send(Err(std::io::Error::other("the feed cannot be read"))).await;
                return;
            };
            let whole = page.len() as i64 == PAGE;
            after = page.last().map_or(after, |(no, _)| *no);
            let text: String = page.into_iter().map(|(_, item)| item).collect();
            if !text.is_empty() && sender.send(Ok(Bytes::from(text))).await.is_err() {
                return;
            }
            if !whole {
                break;
            }
        }
        let _ = sender.send(Ok(Bytes::from_static(feeds::render::foot(feed.format).as_bytes()))).await;
    });
    let headers =
        [(header::CONTENT_TYPE, "application/xml; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=60")];
    Ok((headers, Body::new(Pieces(pieces))).into_response())
}

/// Pieces of a body as they are made.
struct Pieces(mpsc::Receiver<Result<Bytes, std::io::Error>>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(cx).map(|piece| piece.map(|p| p.map(Frame::data)))
    }
}
