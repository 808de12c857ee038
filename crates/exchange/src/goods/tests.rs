use super::*;
use crate::rows::Layout as Text;
use std::io::Cursor;

fn read(layout: Layout, text: &'static str) -> Vec<Result<Made, Bad>> {
    let found = Text::detect(text.as_bytes(), "a.csv").expect("a layout");
    assert_eq!(Layout::detect(&found.columns), layout);
    let mut reader = Reader::new(layout, &found.columns, "UAH").expect("a reader");
    let mut rows = found.rows(Box::new(Cursor::new(text.as_bytes()))).expect("rows");
    let mut out = Vec::new();
    while let Some(row) = rows.next_row().expect("read") {
        out.extend(reader.push(row.expect("a row")));
    }
    out.extend(reader.finish());
    out
}

fn products(layout: Layout, text: &'static str) -> Vec<Value> {
    read(layout, text).into_iter().map(|m| m.expect("sound").product).collect()
}

#[test]
fn own_files_put_what_rows_share_at_the_product() {
    let made = products(
        Layout::Braid,
        "id,name,brand,categories,axes,sku,gtin,price,currency,material,size,description#uk\n\
         tee,T-shirt,Acme,Clothes > Tops;Sale,size,T-S,4820000000000,129.90,UAH,cotton,S,Футболка\n\
         tee,,,,,T-M,,\"1 299,50\",UAH,cotton,M,Футболка\n\
         cap,Cap,,,,C-1,,,,wool,,\n",
    );
    assert_eq!(made.len(), 2);
    assert_eq!(made[0]["categories"], json!(["Clothes > Tops", "Sale"]));
    assert_eq!(made[0]["attributes"], json!({"material": "cotton", "description#uk": "Футболка"}));
    assert_eq!(
        made[0]["variants"][1],
        json!({"sku": "T-M", "price": {"minor": 129_950, "currency": "UAH"}, "attributes": {"size": "M"}})
    );
    assert_eq!(made[1]["attributes"], json!({"material": "wool"}));
}

#[test]
fn shopify_files_become_products() {
    let made = products(
        Layout::ShopifyProducts,
        "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Price,Variant Barcode,Image Src,Image Alt Text,Status\n\
         boots,Boots,<p>Warm &amp; dry</p><p>For snow</p>,Acme,Shoes > Boots,Boot,\"winter, sale\",true,Size,40,B-40,900,shopify,1999.00,'4006381333931,https://x.test/1.jpg,Front,active\n\
         boots,,,,,,,,,41,B-41,920,shopify,1999.00,,https://x.test/2.jpg,,\n\
         boots,,,,,,,,,,,,,,,https://x.test/3.jpg,,\n\
         gift,Gift card,,Acme,,,,true,Title,Default Title,,0,,500,,,,draft\n",
    );
    assert_eq!(made.len(), 2);
    assert_eq!(made[0]["attributes"]["description"], "Warm & dry\nFor snow");
    assert_eq!((made[0]["axes"].clone(), made[0]["media"].as_array().map(Vec::len)), (json!(["Size"]), Some(3)));
    let variants = made[0]["variants"].as_array().expect("variants");
    assert_eq!(variants.len(), 2, "a row with a picture only is no variant");
    assert_eq!(
        (variants[0]["gtin"].clone(), variants[1]["attributes"].clone()),
        (json!("4006381333931"), json!({"Size": "41"}))
    );
    assert_eq!((made[1]["state"].clone(), made[1]["variants"][0]["sku"].clone()), (json!("draft"), json!("gift-1")));
    assert_eq!(made[1]["variants"][0]["tracked"], false);
}

#[test]
fn woocommerce_variations_find_their_parent() {
    let made = products(
        Layout::WoocommerceProducts,
        "ID,Type,SKU,Name,Published,Description,Regular price,Categories,Images,Parent,Attribute 1 name,Attribute 1 value(s),Weight (kg)\n\
         7,variable,SHIRT,Shirt,1,<b>Soft</b>,,\"Clothes > Shirts, New\",https://x.test/a.jpg,,Colour,\"Red, Blue\",\n\
         8,variation,SHIRT-R,Shirt - Red,1,,450,,,id:7,Colour,Red,0.25\n\
         9,variation,SHIRT-B,Shirt - Blue,1,,450,,,SHIRT,Colour,Blue,0.25\n\
         10,simple,,Mug,0,,99.5,Kitchen,,,Colour,White,\n",
    );
    assert_eq!(
        made.iter().map(|p| p["id"].as_str().unwrap_or_default()).collect::<Vec<_>>(),
        ["SHIRT", "SHIRT", "SHIRT", "woo-10"]
    );
    assert_eq!(made[0]["axes"], json!(["Colour"]));
    assert_eq!(
        made[1]["variants"][0],
        json!({"sku": "SHIRT-R", "attributes": {"Colour": "Red"}, "price": {"minor": 45_000, "currency": "UAH"}, "weight_g": 250})
    );
    assert_eq!((made[3]["state"].clone(), made[3]["attributes"].clone()), (json!("draft"), json!({"Colour": "White"})));
}

#[test]
fn a_bad_cell_is_named() {
    let made = read(Layout::Braid, "id,name,sku,price\na,A,s,cheap\nb,B,t,5\n");
    let bad = made[0].as_ref().expect_err("refused");
    assert_eq!((bad.line, bad.column.as_str(), bad.value.as_str()), (2, "price", "cheap"));
    assert!(made[1].is_ok());
    assert!(Reader::new(Layout::Braid, &["name".into()], "UAH").is_err());
}
